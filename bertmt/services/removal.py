"""Removing runs: out of sight at once, for good only when `bertmt gc` is asked for it."""

import shutil
from collections.abc import Sequence
from contextlib import suppress

from bertmt.errors import BusyError, DataError, NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import bring_back, forget, move, remove, removed_runs, run_by_key
from bertmt.registry.states import Owner, State
from bertmt.services.ordering import WAITING
from bertmt.services.settling import settle
from bertmt.services.sync import folder_of, sync


def delete(database: Database, run: Run) -> Run:
    """Put a run that is not running out of sight, and return it as it was; one that waits is cancelled.

    Raises:
        BusyError: it is running.
    """
    with database.immediate():
        _refuse_running(database, run)
        run = run_by_key(database, run.key)
        if run.state in WAITING:
            move(database, run.key, State.CANCELLED, Owner.PERSON, "removed before it was started")
        remove(database, run.key)
        return run


def _refuse_running(database: Database, run: Run) -> None:
    with suppress(DataError):  # a folder that cannot be read is no reason to keep the run
        settle(database, sync(database, run_by_key(database, run.key)))
    if run_by_key(database, run.key).state is State.RUNNING:
        raise BusyError(f"Run {run.id} is running; `bertmt cancel {run.id}` stops it first.")


def restore(database: Database, word: str) -> list[Run]:
    """Bring back the removed runs that have this id or name, as they were; those that waited are cancelled.

    Raises:
        NotFoundError: none has, or they were deleted for good.
    """
    with database.immediate():
        found = removed_runs(database, "runs.id = ?1 OR runs.name = ?1", (word,))
        if not found:
            raise NotFoundError(f"No removed run is called {word!r}; `bertmt gc` lists those that can be brought back.")
        return [bring_back(database, run.key) for run in found]


def restore_all(database: Database, words: Sequence[str]) -> list[Run]:
    """As `restore`, all of them or none."""
    with database.immediate():
        return [run for word in dict.fromkeys(words) for run in restore(database, word)]


def delete_for_good(database: Database, run: Run) -> None:
    """Forget a removed run, and delete its folder and checkpoints."""
    # The registry first: a folder without a run is litter, a run without its folder a riddle.
    forget(database, run.key)
    folder = folder_of(database, run)
    folder.checkpoints(run.checkpoint_dir).delete()
    shutil.rmtree(folder.path, ignore_errors=True)
