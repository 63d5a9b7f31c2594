"""What becomes of a run whose child has ended without a last event that says so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bertmt.errors import DataError
from bertmt.launchers.protocol import Cause, Child, Word
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key, transitions
from bertmt.registry.states import Actor, State
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Checkpointed, now
from bertmt.services.ingest.ingest import folder_of, where_it_goes_on
from bertmt.services.ingest.reconcile import close_attempt, declare_dead
from bertmt.worker.child_process import (
    BUSY_CODE,
    CANNOT_WRITE_CODE,
    DISPLACED_CODE,
    Stopping,
    how_it_ended,
    last_line,
)

# Before a run whose folder was still held is tried again.
BUSY_PAUSE = timedelta(seconds=10)
HELD_BY_ANOTHER = "its folder is held by another process"


@dataclass
class Work:
    """A run, the process that works it, and since when this worker knows of it (monotonic seconds).

    Attributes:
        vanished: its GPU is no longer here.
    """

    run: Run
    child: Child
    stopping: Stopping = field(default_factory=Stopping)
    vanished: bool = False
    since: float = field(default_factory=time.monotonic)


class Settling:
    """Settles the runs of one worker.

    Args:
        say: where a line for people goes.
    """

    def __init__(self, database: Database, say: Callable[[str], None]):
        self._database = database
        self._say = say

    def settle(self, work: Work, stopping: bool) -> tuple[Run, str | None]:
        """Settle a run whose child has ended, unless its last event did; and the failure, if it was one.

        Args:
            stopping: the worker stops, and asked its children to.
        """
        run, failure = work.run, None
        if run.state is State.RUNNING:
            word = work.child.word()
            run, failure = self._of_process(work, stopping) if word is None else self._of_job(work, word)
        elif run.state is State.FAILED:
            failure = run.execution.failure
        why = run.execution.failure or (run.state is State.QUEUED and transitions(self._database, run.key)[-1].reason)
        self._say(f"{run.id} {run.name} (seed {run.seed}): {run.state}{f': {why}' if why else ''}")
        return run, failure

    def _of_process(self, work: Work, stopping: bool) -> tuple[Run, str | None]:
        run, child = work.run, work.child
        code = child.exit_code()
        if code == BUSY_CODE:
            return self.put_back(run, "another process still held its folder"), HELD_BY_ANOTHER
        if work.vanished:
            return self._failed(run, f"its GPU {run.execution.device} has disappeared; see `nvidia-smi`")
        if run.execution.request is None and (said := self._own_failure(run, child)):
            return self._failed(run, said)
        obeyed = work.stopping.obeyed(child)
        unasked = obeyed is None and not stopping and run.execution.request is None
        failure = how_it_ended(child) if code and unasked else None
        return declare_dead(self._database, run, how_it_ended(child), obeyed), failure

    def _own_failure(self, run: Run, child: Child) -> str | None:
        """Why it ended with an exit code of its own that says that it failed; None: it did not so."""
        code = child.exit_code()
        if code is None or not 0 < code < 128 or code == DISPLACED_CODE:
            return None
        folder = folder_of(self._database, run)
        said = last_line(folder, run.attempt, child.besides) if code != CANNOT_WRITE_CODE else None
        return said or how_it_ended(child)

    def _of_job(self, work: Work, word: Word) -> tuple[Run, str | None]:
        """By its scheduler's word, since its child may have said nothing, or only that it stopped."""
        run, job = work.run, work.run.execution.job
        ended = how_it_ended(work.child) if word.cause is Cause.ITSELF else word.reason or word.cause
        named = f"job {word.handle}{f' on {word.node}' if word.node else ''}: {ended}"
        if run.execution.request is not None:
            return declare_dead(self._database, run, named), None
        match word.cause:
            case Cause.NEVER:
                why = f": {word.reason}" if word.reason else ""
                return self.put_back(run, f"it did not reach the scheduler{why}"), None
            case Cause.PERSON:
                why = f"cancelled with the scheduler's own command, {named}; requeued, {where_it_goes_on(run)}"
                return self.change_state(run, State.CANCELLED, Actor.DEATH, why, ended_at=now()), None
            case Cause.ASKED:  # and whoever wanted it has changed their mind
                return self._goes_on(run, f"stopped, {named}"), None
            case Cause.PREEMPTION:
                return self._goes_on(run, f"preempted, {named}"), None
            case Cause.TIME if not self._got_further(run):
                limit = f"its time limit of {word.time_limit}"
                which = "first" if run.progress.checkpoint_step is None else "next"
                return self._failed(run, f"{limit} was over before its {which} checkpoint, {named}: raise `time`")
            case Cause.TIME:
                return self._goes_on(run, f"its time limit of {word.time_limit} was over, {named}"), None
            case Cause.MEMORY:
                return self._failed(run, f"ended for want of memory, {named}: raise `mem`")
            case Cause.ITSELF if word.exit_code == BUSY_CODE:
                return self.put_back(run, "another process still held its folder"), HELD_BY_ANOTHER
            case Cause.ITSELF if job is not None and job.obeyed:
                return self._goes_on(run, f"stopped by {job.obeyed}, {named}"), None
            case Cause.ITSELF if said := self._own_failure(run, work.child):
                return self._failed(run, said)
        return declare_dead(self._database, run, named), named

    def _got_further(self, run: Run) -> bool:
        """Whether its attempt wrote a checkpoint, maybe at the same step, evaluated; else the next would not either."""
        events, offset, end = folder_of(self._database, run).events(run.attempt), -1, 0
        while end > offset:
            offset = end
            told, end, _ = read_events(events, offset)
            if any(isinstance(event, Checkpointed) for event in told):
                return True
        return False

    def _goes_on(self, run: Run, reason: str) -> Run:
        """Back to its place in the queue."""
        return self.change_state(run, State.QUEUED, Actor.DEATH, f"{reason}; {where_it_goes_on(run)}")

    def _failed(self, run: Run, failure: str) -> tuple[Run, str]:
        return self.change_state(run, State.FAILED, Actor.DEATH, failure, failure=failure, ended_at=now()), failure

    def give_up(self, run: Run, problem: DataError) -> None:
        """Settle a run whose process is gone and whose folder cannot be read: it failed, unless it was to stop."""
        after = {"cancel": State.CANCELLED, "pause": State.PAUSED}.get(run.execution.request or "", State.FAILED)
        failure = {"failure": str(problem)} if after is State.FAILED else {}
        run = self.change_state(run, after, Actor.DEATH, str(problem), ended_at=now(), **failure)
        self._say(f"{run.id} {run.name} (seed {run.seed}): {run.state}: {problem}")

    def put_back(self, run: Run, reason: str) -> Run:
        """Queue a run again that could not be started, for a moment later."""
        later = (datetime.now(UTC) + BUSY_PAUSE).isoformat(timespec="milliseconds")
        return self.change_state(run, State.QUEUED, Actor.WORKER, reason, not_before_at=later)

    def change_state(self, run: Run, after: State, actor: Actor, reason: str, **columns: str) -> Run:
        """Change the state of a run as it was seen; where another process settled it first it stays as it is."""
        job = run.execution.job
        if job is not None and not close_attempt(self._database, run) and job.handle:
            return run  # a full disk, say: the next look adopts the job again, and hears the same
        with self._database.immediate():
            current = run_by_key(self._database, run.key)
            if (current.attempt, current.state) != (run.attempt, State.RUNNING):
                return current
            return change_state(self._database, run.key, after, actor, reason, request=None, **columns)
