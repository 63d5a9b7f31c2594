"""The logs of runs: what their children wrote to stdout and stderr."""

import time
from collections.abc import Iterator
from pathlib import Path

from bertmt.bounded_files import open_plain
from bertmt.drawing.numbers import counted
from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import ENDED
from bertmt.run_folder.event_files import tail_lines
from bertmt.run_folder.unreadable import unreadable_as_sentence
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import bring_up_to_date

POLL_SECONDS = 0.3
WHOLE_LOG_BYTES = 1 << 30


def log_path(database: Database, run: Run, attempt: int = 0) -> Path:
    """Where the log of an attempt is.

    Args:
        attempt: 0 is the last.

    Raises:
        NotFoundError: that attempt wrote none.
    """
    number = attempt or run.attempt
    path = folder_of(database, run).log(number)
    with unreadable_as_sentence(path):
        is_there = path.is_file()
    if not is_there:
        if not run.attempt:
            raise NotFoundError(f"Run {run.id} is {run.state} and has not started yet, so it has no log.")
        raise NotFoundError(
            f"Run {run.id} has no log of attempt {number}; it was started {counted(run.attempt, 'time')}."
        )
    return path


def read_log(database: Database, run: Run, count: int = 0, attempt: int = 0) -> list[str]:
    """The last lines of an attempt's log.

    Args:
        count: how many; 0 is all.
        attempt: 0 is the last.

    Raises:
        NotFoundError: that attempt wrote none.
    """
    path = log_path(database, run, attempt)
    return tail_lines(path, count) if count else tail_lines(path, WHOLE_LOG_BYTES, WHOLE_LOG_BYTES)


def follow_log(database: Database, run: Run, count: int = 0, poll_seconds: float = POLL_SECONDS) -> Iterator[str]:
    """Lines of a run's log as they come, from the last `count` on (0: all), attempts after one another, to its end."""
    attempt, position, unfinished = run.attempt, 0, b""
    while True:
        # Asked before reading: what was written before the end is then read before we stop.
        run = bring_up_to_date(database, run_by_key(database, run.key))
        if run.attempt != attempt:
            attempt, position, unfinished = run.attempt, 0, b""
        added = _read_from(folder_of(database, run).log(attempt), position)
        position += len(added)
        whole, newline, unfinished = (unfinished + added).rpartition(b"\n")
        lines = (whole + newline).decode("utf-8", "replace").splitlines()
        yield from lines[-count:]  # -0 is all of them
        if lines:
            count = 0
        if run.state in ENDED:
            yield from unfinished.decode("utf-8", "replace").splitlines()
            return
        time.sleep(poll_seconds)


def _read_from(path: Path, position: int) -> bytes:
    try:
        with unreadable_as_sentence(path), open_plain(path) as file:
            file.seek(position)
            return file.read()
    except FileNotFoundError:
        return b""
