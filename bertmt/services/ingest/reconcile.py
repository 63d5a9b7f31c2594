"""Runs whose process is gone without a last word: the kernel's free lock is the proof, never silence.

Anyone may settle them: the worker at once, and where that is gone too, any worker or front end within 15 seconds.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.queue import first_position
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key
from bertmt.registry.states import Actor, State
from bertmt.registry.workers import is_of_a_copied_registry, is_on_this_host, last_beat, running_workers
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import now
from bertmt.run_folder.layout import is_alive
from bertmt.run_folder.processes import Process, is_recent, process_of
from bertmt.services.ingest.ingest import folder_of, ingest, stopped, where_it_goes_on

SILENT_AFTER_SECONDS = 2.0
# A child that was just started needs this long until it holds its lock.
START_GRACE_SECONDS = 8.0
# A worker says every 5 s that it is there; one that was stopped in its tracks leaves its runs to others after this.
WORKER_SILENCE_SECONDS = 10.0
# How often a lost run is requeued by itself: what killed it once may have been the machine, twice it is the run.
RECOVERIES = 1
NO_LAST_WORD = "process died without reporting why"


def ingest_running(database: Database, silent_only: bool = True) -> None:
    """Import the events of the running runs, and settle those whose process is gone.

    Args:
        silent_only: leave out runs that somebody imported less than 2 s ago.

    Raises:
        MovedRegistryError: the run folders that would be looked for are another registry's, or nobody's.
    """
    if database.read_only:
        return
    database.check_place()
    for run in runs_in(database, State.RUNNING, State.LOST):
        synced_at = run.imported.synced_at
        if silent_only and run.state is State.RUNNING and _was_imported_lately(synced_at, SILENT_AFTER_SECONDS):
            continue
        # Somebody removed it meanwhile, or its folder cannot be read now: no reason to leave the others alone.
        with suppress(NotFoundError, DataError):
            bring_up_to_date(database, run)


def bring_up_to_date(database: Database, run: Run) -> Run:
    """The run as it is now: all that its child wrote is imported, and its end noticed where that is gone."""
    return reconcile(database, ingest(database, run))


def is_worked(database: Database, run: Run) -> bool:
    """Whether a process works the run, or may do so: it holds a lock, or is there though its folder is not.

    Of a job that is its scheduler's word, which its worker alone hears: a lock may not be seen from another machine.

    Raises:
        DataError: a lock's file cannot be opened, or is not one.
    """
    if run.execution.job is not None and not is_of_a_copied_registry(database, run.execution.worker):
        return True
    return is_alive(folder_of(database, run)) or its_process(database, run) is not None


def its_process(database: Database, run: Run) -> Process | None:
    """The process that began the run's attempt, while it lives; None where it is gone or nobody knows.

    A copy of a registry tells of processes that are the original's.
    """
    started = run.progress.started
    known = process_of(started) if started is not None and started.attempt == run.attempt else None
    if known is None or not known.lives() or is_of_a_copied_registry(database, run.execution.worker):
        return None
    return known


def reconcile(database: Database, run: Run) -> Run:
    """Settle a running run whose process is gone without a last event; see `declare_dead`.

    A run that was claimed moments ago may not hold its lock yet: its child is still starting. And while its worker is
    there the run is the worker's to reconcile, which alone knows how the child ended.
    """
    if database.read_only or run.state is not State.RUNNING or is_worked(database, run):
        return run
    has_begun = folder_of(database, run).events(run.attempt).exists()
    if _has_its_worker(database, run, has_begun):
        return run
    if not has_begun and is_recent(last_beat(database, run.execution.worker), START_GRACE_SECONDS):
        return run
    return declare_dead(database, run, NO_LAST_WORD)


def declare_dead(database: Database, run: Run, reason: str, obeyed: str | None = None) -> Run:
    """Settle a running run whose lock is free, once all that its child wrote is imported; not another attempt.

    It was asked to stop: it becomes what it was asked for. Else it is lost, and queued once more by itself, to go on
    from its checkpoint as a new attempt, unless its recipe forbids it.

    Args:
        reason: how the child ended, as far as that is known.
        obeyed: the signal by which it was stopped as asked: it is as if the child had said so itself.
    """
    database.check_place()
    if not close_attempt(database, run):
        return run
    proven = run.attempt
    # The child may have written its last event between our reading and its death.
    run = ingest(database, run)
    try:
        with database.immediate():
            run = run_by_key(database, run.key)
            if run.attempt != proven or run.state is not State.RUNNING:
                return run  # others settled it, and it may run again already
            if obeyed is not None:
                return stopped(database, run, Actor.DEATH, obeyed, now())
            if run.execution.request == "cancel":
                return change_state(database, run.key, State.CANCELLED, Actor.DEATH, f"cancelled; {reason}", **_ended())
            if run.execution.request == "pause":
                return change_state(database, run.key, State.PAUSED, Actor.DEATH, f"paused; {reason}", **_ended())
            run = change_state(database, run.key, State.LOST, Actor.DEATH, reason, **_ended())
            return _requeue_once(database, run)
    except BusyError:  # somebody else settled it first
        return run_by_key(database, run.key)


def close_attempt(database: Database, run: Run) -> bool:
    """See to it that no child begins this attempt any more; False where one has just begun.

    A child makes its attempt's event file, and ends if it is there: whoever makes it first decides. Without this a
    child that starts late, on a machine that swaps, would work a run that was given to another meanwhile. Of a job its
    scheduler has said that it is over, and who asks has heard it.
    """
    folder = folder_of(database, run)
    if folder.events(run.attempt).exists():
        return run.execution.job is not None or not is_worked(database, run)
    if its_process(database, run) is not None:  # its folder was moved, and another must not be made in its place
        return False
    try:
        folder.make()
        EventWriter(folder.events(run.attempt), fresh=True).close()
    except (BertmtError, OSError):  # it has begun after all; or the disk is full: the next look may succeed
        return False
    return True


def _requeue_once(database: Database, run: Run) -> Run:
    """A lost run goes on by itself, before all of its priority that wait; inside a write transaction."""
    if run.queueing.recoveries >= RECOVERIES or not run.recipe.get("requeue_lost", True):
        return run
    first = first_position(database)
    position = run.queueing.position if first is None else first - 1
    return change_state(
        database, run.key, State.QUEUED, Actor.DEATH, f"lost once and requeued; {where_it_goes_on(run)}",
        ended_at=None, recoveries=run.queueing.recoveries + 1, position=position,
    )  # fmt: skip


def _ended() -> dict[str, str | None]:
    return {"ended_at": now(), "request": None}


def _has_its_worker(database: Database, run: Run, has_begun: bool) -> bool:
    """Whether the worker that took the run is there: surely so where its child has not begun, else heard of lately."""
    for worker in running_workers(database):
        if worker.key == run.execution.worker:
            is_proven = is_on_this_host(worker) and not has_begun
            return is_proven or is_recent(worker.beat, WORKER_SILENCE_SECONDS)
    return False


def _was_imported_lately(at: str | None, seconds: float) -> bool:
    """Whether a time by the clock that people set lies less than so many seconds back; it saves work and no more."""
    if at is None:
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(at)
    return timedelta(0) <= age < timedelta(seconds=seconds)
