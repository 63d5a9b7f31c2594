"""Backups while a worker works: at its start, then hourly while something changes, on a separate thread.

A registry of gigabytes takes a while to copy and to check; the rounds of the worker go on meanwhile.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.errors import BertmtError
from bertmt.registry.database import sqlite_errors_as_sentences
from bertmt.registry.file.backups import keep_backup
from bertmt.registry.file.opening import open_registry

EVERY_SECONDS = 3600.0


@contextmanager
def backups_meanwhile(registry: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Make backups until the end of the block; one that is being made then is finished first."""
    ended = threading.Event()
    thread = threading.Thread(target=make_backups, args=(registry, say, ended.wait), name="backups")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def make_backups(registry: Path, say: Callable[[str], None], ended_within: Callable[[float], bool]) -> None:
    """Make them until `ended_within`, which waits so many seconds, says so; what goes wrong is said once.

    Several workers of one registry make one an hour among them, and one at each start.
    """
    said, least_seconds = "", 0.0
    while True:
        try:
            with sqlite_errors_as_sentences(registry), open_registry(registry) as database:
                keep_backup(database, least_seconds)
        except (BertmtError, OSError) as problem:
            if str(problem) != said:
                said = str(problem)
                say(said)
        if ended_within(EVERY_SECONDS):
            return
        least_seconds = EVERY_SECONDS
