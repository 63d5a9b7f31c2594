"""Telling people what ended, while a worker works: on a separate thread, so that a slow server delays no run."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.errors import BertmtError
from bertmt.registry.database import sqlite_errors_as_sentences
from bertmt.registry.file.opening import open_registry
from bertmt.services.upkeep.notify.channels import send
from bertmt.services.upkeep.notify.news import what_happened
from bertmt.services.upkeep.notify.settings import notify_settings

EVERY_SECONDS = 5.0
LAST_SECONDS = 60.0  # what a worker that ends waits for the last message at most
TITLE = "bertmt"


@contextmanager
def telling_meanwhile(registry: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Tell people of what ends until the end of the block, and once more then."""
    ended = threading.Event()
    arguments = (registry, say, ended.wait)
    # A daemon: a server that never answers keeps no worker from its end.
    thread = threading.Thread(target=tell, args=arguments, name="notifications", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LAST_SECONDS)


def tell(registry: Path, say: Callable[[str], None], ended_within: Callable[[float], bool]) -> None:
    """Tell until `ended_within`, which waits so many seconds, says so; what goes wrong is said once.

    The settings are those of the folder of the registry, or one above it, and are read anew each time.
    """
    said, is_last = "", False
    while True:
        try:
            settings = notify_settings(registry.parent)
            if settings.has_any:
                with sqlite_errors_as_sentences(registry), open_registry(registry) as database:
                    text = what_happened(database, settings.on)
                failures = send(settings, TITLE, text) if text else []
                problem = " ".join(failures)
                if problem and problem != said:
                    say(problem)
                said = problem if text else said
        except (BertmtError, OSError) as trouble:
            if str(trouble) != said:
                said = str(trouble)
                say(said)
        if is_last:
            return
        is_last = ended_within(EVERY_SECONDS)
