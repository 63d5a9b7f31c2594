"""Removing runs: out of sight at once, for good only when `bertmt gc` is asked for it."""

import shutil
from collections.abc import Sequence
from contextlib import suppress

from bertmt.drawing.numbers import named
from bertmt.errors import BusyError, DataError, NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.finding import averages, removed_called
from bertmt.registry.records import Run
from bertmt.registry.runs import bring_back, change_state, remove, run_by_key
from bertmt.registry.states import ENDED, WAITING, Actor, State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.services.lifecycle.startable import ENDED_BADLY, waiting_runs


def delete(database: Database, run: Run) -> Run:
    """Put a run that is not running out of sight, and return it as it was; one that waits or is paused is cancelled.

    Raises:
        BusyError: it is running.
    """
    with database.immediate():
        _refuse_running(database, run)
        run = run_by_key(database, run.key)
        if run.state not in ENDED:
            reason = "removed while it was paused" if run.state is State.PAUSED else "removed before it started"
            change_state(database, run.key, State.CANCELLED, Actor.PERSON, reason)
        remove(database, run.key)
        return run


def _refuse_running(database: Database, run: Run) -> None:
    with suppress(DataError):  # a folder that cannot be read is no reason to keep the run
        bring_up_to_date(database, run_by_key(database, run.key))
    if run_by_key(database, run.key).state is State.RUNNING:
        raise BusyError(f"Run {run.id} is running; `bertmt cancel {run.id}` stops it first.")


def dependents(database: Database) -> list[Run]:
    """The runs for which the removal of others has consequences, and what they wait for."""
    return [*waiting_runs(database), *averages(database)]


def consequences(runs: Sequence[Run], others: Sequence[Run], baseline: str | None = None) -> list[str]:
    """What the removal of runs would mean for those that wait, for averages and for comparisons, a sentence each.

    Args:
        others: of `dependents`.
        baseline: the id of the run that a person chose as such; None: nobody chose.
    """
    by_id = {run.id: run for run in runs}
    averaged = [run.id for run in others if run.id not in by_id and by_id.keys() & set(run.recipe.get("members", ()))]
    awaits = [
        (run, [(by_id[awaited.id], awaited.needs_success) for awaited in run.queueing.awaits if awaited.id in by_id])
        for run in others
        if run.id not in by_id and run.state in WAITING
    ]
    blocked = [run for run, found in awaits if any(needs and _ends_badly(other) for other, needs in found)]
    freed = [run for run, found in awaits if run not in blocked and any(other.state not in ENDED for other, _ in found)]
    sentences = []
    if blocked:
        sentences.append(f"These runs wait for its success and will not start: {named([run.id for run in blocked])}.")
    if freed:
        sentences.append(f"These runs waited for its end and may start now: {named([run.id for run in freed])}.")
    if averaged:
        sentences.append(f"These averages have it as a member and can predict nothing without it: {named(averaged)}.")
    if baseline in by_id:
        sentences.append(
            f"{baseline} is the chosen baseline: without it nothing is compared until another is chosen "
            "(b in the dashboard, `bertmt baseline RUN`)."
        )
    return sentences


def _ends_badly(run: Run) -> bool:
    """Whether a run has not finished, nor ever will once it is removed."""
    return run.state in ENDED_BADLY or run.state not in ENDED


def _removed(database: Database, word: str) -> list[Run]:
    found = removed_called(database, word)
    if not found:
        raise NotFoundError(f"No removed run named {word!r}; `bertmt gc` lists those that can be restored.")
    return found


def restore_all(database: Database, words: Sequence[str]) -> list[Run]:
    """Bring back the removed runs that have these ids or names, as they were; those that were to run are cancelled.

    All of them or none; one that is named twice is brought back once.

    Raises:
        NotFoundError: no run has one of them, or it was deleted for good.
    """
    with database.immediate():
        found = {run.key: run for word in words for run in _removed(database, word)}
        return [bring_back(database, key) for key in found]


def delete_folder(database: Database, run: Run) -> None:
    """Delete the folder and the checkpoints of a run that the registry has forgotten."""
    folder = folder_of(database, run)
    folder.checkpoints(run.submission.checkpoint_dir).delete()
    shutil.rmtree(folder.path, ignore_errors=True)
