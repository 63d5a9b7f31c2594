"""Taking back what a person wrote about runs or asked of the queue, as far as nobody changed it since."""

from collections.abc import Callable, Mapping, Sequence

from bertmt.errors import BusyError
from bertmt.registry import edits, queue
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key
from bertmt.registry.states import WAITING, Actor, State
from bertmt.services.lifecycle import control
from bertmt.services.lifecycle.bulk import for_all
from bertmt.services.lifecycle.reordering import waiting

# Takes a run back from what it became to what it was: before, after.
Restore = Callable[[Database, Run, Run], Run]


def as_they_are(database: Database, runs: Sequence[Run]) -> Mapping[int, Run]:
    """The runs as the registry has them now, by key: what a change can be taken back to."""
    return {run.key: run for run in runs_with_ids(database, [run.id for run in runs])}


def undo(database: Database, before: Mapping[int, Run], after: Sequence[Run], restore: Restore) -> list[Run]:
    """Take all runs back, or none.

    Raises:
        BusyError: what one of them was changed to has been changed since, or its state forbids it now.
    """
    return for_all(database, after, lambda each, run: restore(each, before[run.key], run))


def tags(database: Database, before: Run, after: Run) -> Run:
    """Take away the tags that were given, give back those that were taken; others that came since stay."""
    had, has = set(before.annotations.tags), set(after.annotations.tags)
    with database.immediate():
        _the_same(database, after)
        for tag in has - had:
            edits.remove_tag(database, after.key, tag)
        for tag in had - has:
            edits.add_tag(database, after.key, tag)
        return run_by_key(database, after.key)


def note(database: Database, before: Run, after: Run) -> Run:
    """The note that it had."""
    with database.immediate():
        now = _the_same(database, after)
        _refuse_changed(now, "note", now.annotations.note, after.annotations.note)
        return control.annotate(database, now, before.annotations.note)


def name(database: Database, before: Run, after: Run) -> Run:
    """The name that it had."""
    with database.immediate():
        now = _the_same(database, after)
        _refuse_changed(now, "name", now.name, after.name)
        return control.rename(database, now, before.name)


def hold(database: Database, before: Run, after: Run) -> Run:
    """Held again, or queued again."""
    with database.immediate():
        now = _the_same(database, after)
        _refuse_changed(now, "state", now.state, after.state)  # one that was cancelled since must not be queued
        return (control.release if before.state is State.QUEUED else control.hold)(database, now)


def priority(database: Database, before: Run, after: Run) -> Run:
    """The priority that it had."""
    with database.immediate():
        now = waiting(database, _the_same(database, after), "given a priority")
        _refuse_changed(now, "priority", now.queueing.priority, after.queueing.priority)
        queue.store_priority(database, now.key, before.queueing.priority)
        return run_by_key(database, now.key)


def cancelled(database: Database, before: Run, after: Run) -> Run:
    """Queued or held again, at its place; only of a run that waited when it was cancelled."""
    with database.immediate():
        now = _the_same(database, after)
        if before.state not in WAITING:
            raise BusyError(f"Run {now.id} had started; `bertmt requeue {now.id}` resumes it.")
        _refuse_changed(now, "state", (now.state, now.attempt), (State.CANCELLED, after.attempt))
        place = before.queueing.position
        queued = change_state(database, now.key, State.QUEUED, Actor.PERSON, "cancelling undone", position=place)
        return queued if before.state is State.QUEUED else control.hold(database, queued)


def queueing(database: Database, runs: Sequence[Run]) -> list[Run]:
    """Cancel runs that were queued by mistake; all of them, or none.

    Raises:
        BusyError: one of them has started, or was cancelled already.
    """
    return for_all(database, runs, _cancel_unstarted)


def _cancel_unstarted(database: Database, run: Run) -> Run:
    now = _the_same(database, run)
    if now.attempt or now.state not in WAITING:
        began = "started meanwhile" if now.attempt else f"is {now.state} meanwhile"
        raise BusyError(f"Run {now.id} {began}, so that queueing cannot be undone; `bertmt cancel` stops what runs.")
    return control.cancel(database, now)


def _the_same(database: Database, run: Run) -> Run:
    """The run as it is now; its key may be another's, once it was removed for good.

    Raises:
        BusyError: it is.
        NotFoundError: nobody has it.
    """
    now = run_by_key(database, run.key)
    if now.id != run.id:
        raise BusyError(f"Run {run.id} was removed for good since, so that nothing of it can be undone.")
    return now


def _refuse_changed(run: Run, what: str, now: object, then: object) -> None:
    if now != then:
        raise BusyError(f"The {what} of run {run.id} was changed again since; it is left as it is.")
