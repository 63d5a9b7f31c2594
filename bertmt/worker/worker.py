"""The worker's rounds: import what children wrote, obey requests, settle what ended, fill free slots."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.errors import (
    BusyError,
    DamagedRegistryError,
    DataError,
    MovedRegistryError,
    NotFoundError,
    RegistryError,
)
from bertmt.launchers.training import TRAINING_COMMAND
from bertmt.registry import workers
from bertmt.registry.claims import adopt
from bertmt.registry.database import Database, sqlite_errors_as_sentences
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key, snapshot_of, transitions
from bertmt.registry.states import Actor, State
from bertmt.run_folder.events import now
from bertmt.run_folder.processes import Process
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.reconcile import bring_up_to_date, declare_dead, ingest_running, is_worked, its_process
from bertmt.services.lifecycle.budgets import keep_budgets
from bertmt.services.plan.own_code import sources_of
from bertmt.services.plan.snapshot import code_digest
from bertmt.worker.admission import Admission
from bertmt.worker.child_process import (
    BUSY_CODE,
    CANNOT_WRITE_CODE,
    DISPLACED_CODE,
    AdoptedChild,
    Child,
    Stopping,
    has_stepped,
    how_it_ended,
    last_line,
    start_child,
)
from bertmt.worker.claiming import Claims
from bertmt.worker.crash_guard import CrashGuard
from bertmt.worker.draining import Draining

ROUND_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
TROUBLE_SECONDS = 5.0
# How long the folder of a run whose process is gone may be unreadable until it is given up: a disk may come back.
UNREAD_SECONDS = 30.0
# How often in a row a registry is damaged until a worker gives up.
DAMAGED_LOOKS = 3
# Before a run whose folder was still held is tried again.
BUSY_PAUSE = timedelta(seconds=10)


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


class Worker:
    """One worker process over some device slots.

    Args:
        say: where a line for people goes.
        command: what a child is started with.
        admission: who may start on which GPU; the machine's if None.
    """

    def __init__(
        self,
        database: Database,
        slots: Sequence[DeviceSlot],
        say: Callable[[str], None],
        command: Sequence[str] = TRAINING_COMMAND,
        admission: Admission | None = None,
    ):
        self.command = command
        self.database = database
        self.slots = tuple(slots)
        self.say = say
        self.key = workers.register(database, [slot.name for slot in slots])
        self.children: dict[DeviceSlot, Work] = {}
        self.stopping = False
        self.draining = False
        self.guard = CrashGuard()
        self.admission = admission or Admission(self.slots)
        self._claims = Claims(database, self.key, self.admission, say)
        self._draining = Draining(database, self.slots, say)
        self._trouble = ""
        self._damaged_looks = 0
        self._unread: dict[int, float] = {}  # since when a run's folder cannot be read
        self._beat_at = float("-inf")

    def work(self, drain: bool) -> None:
        """Work until stopped, or, with `drain`, until nothing that could be started waits and nothing runs here.

        Raises:
            BertmtError: draining, it would have to start runs that die one after the other.
            DamagedRegistryError, MovedRegistryError: the registry is damaged, or was moved; children go on.
        """
        self.draining = drain
        if drain:
            workers.ask(self.database, self.key, "drain")  # so that whoever looks knows it
        try:
            while not (self.stopping and not self.children):
                if not self._safe_round():
                    continue
                if self.draining and not self.children and self._draining.nothing_comes(self.guard.reason):
                    self._draining.say_losses(self.key)
                    break
                time.sleep(ROUND_SECONDS)
        finally:
            with suppress(DamagedRegistryError, MovedRegistryError), sqlite_errors_as_sentences(self.database.path):
                workers.end(self.database, self.key)

    def _safe_round(self) -> bool:
        """A round that survives what may pass: a registry that is locked, a disk that is full or fails for a while.

        False where it did not come to its end. Children need no worker, and the next round finds what this one missed.
        """
        try:
            with sqlite_errors_as_sentences(self.database.path):
                self.round()
        except MovedRegistryError:
            raise  # the folders of its runs went with it, and a worker at its new place adopts what runs
        except (RegistryError, DataError, OSError) as problem:
            self._damaged_looks = self._damaged_looks + 1 if isinstance(problem, DamagedRegistryError) else 0
            if self._damaged_looks == DAMAGED_LOOKS:
                raise  # time does not mend it; what runs goes on, and the next worker adopts it
            if str(problem) != self._trouble:
                self.say(f"{problem} This worker retries every {TROUBLE_SECONDS:.0f} s; running runs continue.")
            self._trouble = str(problem)
            time.sleep(TROUBLE_SECONDS)
            return False
        self._trouble, self._damaged_looks = "", 0
        return True

    def round(self) -> None:
        """One look at everything."""
        if time.monotonic() - self._beat_at > HEARTBEAT_SECONDS:
            workers.beat(self.database, self.key)
            self._beat_at = time.monotonic()
            # Runs whose worker died are nobody's: somebody must import and settle them, and look after those alive.
            ingest_running(self.database)
            self._adopt_orphans()
        self._obey()
        for slot, work in list(self.children.items()):
            with self._apart(work.run):
                self._look_after(slot, work)
        for sentence in keep_budgets(self.database):
            self.say(sentence)
        if not self.stopping and self.guard.reason is None:
            for slot in self.slots:
                if slot not in self.children:
                    self._fill(slot)

    @contextmanager
    def _apart(self, run: Run) -> Iterator[None]:
        """Wraps the work for one run: an unreadable folder is reported once and does not affect other runs."""
        try:
            yield
        except NotFoundError:
            pass  # it ended, and was removed before this worker looked; the next look knows
        except DataError as problem:
            if run.key not in self._unread:
                self.say(f"{run.id}: {problem} This worker will look again.")
            self._unread.setdefault(run.key, time.monotonic())
        else:
            self._unread.pop(run.key, None)

    def _obey(self) -> None:
        """Do what a person asked of this worker, on whatever machine."""
        request = workers.request_of(self.database, self.key)
        if request == "stop" and not self.stopping:
            self.stopping = True
            self.say("Stopping: running runs write a checkpoint and go back to the queue.")
        elif request == "drain" and not self.draining:
            self.draining = True
            self.say("Draining: will exit once nothing is waiting or running here.")
        elif request == "go on":
            self.guard.reset()
            workers.guard(self.database, self.key, None)
            if self.draining:
                workers.ask(self.database, self.key, "drain")
            self.say("Reset: starting runs again.")

    def _adopt_orphans(self) -> None:
        """Look after the living children of workers that are gone, in slots of their devices as far as there are."""
        others = {worker.key for worker in workers.running_workers(self.database)} - {self.key}
        own = {work.run.key for work in self.children.values()}
        for orphan in runs_in(self.database, State.RUNNING):
            if orphan.execution.worker not in others and orphan.key not in own:
                with self._apart(orphan):
                    self._adopt(orphan)

    def _adopt(self, orphan: Run) -> None:
        if not is_worked(self.database, orphan):
            self._settle_orphan(orphan)
            return
        run = adopt(self.database, orphan, self.key)
        if run is None:
            return
        device = run.execution.device or CPU
        free = [slot for slot in self.slots if slot.device == device and slot not in self.children]
        slot = free[0] if free else DeviceSlot(f"adopted-{run.id}", device, 0)
        self.children[slot] = Work(run, AdoptedChild(folder_of(self.database, run), lambda: self._process_of(run)))
        self.say(f"{run.id} {run.name} (seed {run.seed}): adopted on {slot.name}")

    def _process_of(self, adopted: Run) -> Process | None:
        """What the registry knows of an adopted child now: what it told may have been imported since."""
        try:
            run = run_by_key(self.database, adopted.key)
        except NotFoundError:
            return None
        return its_process(self.database, run) if run.attempt == adopted.attempt else None

    def _settle_orphan(self, orphan: Run) -> None:
        """Settle a run whose worker and process are gone.

        Raises:
            DataError: its folder cannot be read, which may pass.
        """
        try:
            if orphan.execution.worker == self.key:
                # Claimed here in a round that broke off before its child was started.
                declare_dead(self.database, orphan, "its worker could not start it")
            else:
                bring_up_to_date(self.database, orphan)
        except DataError as problem:
            if not self._unread_too_long(orphan):
                raise
            self._give_up(orphan, problem)

    def _look_after(self, slot: DeviceSlot, work: Work) -> None:
        # Asked before the import: what a dead child wrote is then imported whole.
        ended = work.child.has_ended()
        run = self._still_its_own(work)
        if run is None:
            # Of an adopted child only the lock is known, which the next attempt holds now.
            if ended or isinstance(work.child, AdoptedChild):
                self._free(slot)
            return
        if ended:
            self._end(replace(work, run=run))
            self._free(slot)
            return
        work = self._steer(slot, replace(work, run=run))
        run = ingest(self.database, run)
        if run.attempt != work.run.attempt:
            return  # it ended in this moment, and is somebody else's; the next look knows
        if has_stepped(run):
            self.admission.first_step_done(slot)
        self.children[slot] = replace(work, run=run)

    def _end(self, work: Work) -> None:
        """Import what is left of a child that has ended, and settle its run.

        Raises:
            DataError: its folder cannot be read, which may pass.
        """
        try:
            run = ingest(self.database, work.run)
            if run.attempt == work.run.attempt:
                self._settle(replace(work, run=run))
        except DataError as problem:
            if not (self.stopping or self._unread_too_long(work.run)):
                raise
            self._give_up(work.run, problem)

    def _unread_too_long(self, run: Run) -> bool:
        return run.key in self._unread and time.monotonic() - self._unread[run.key] > UNREAD_SECONDS

    def _give_up(self, run: Run, problem: DataError) -> None:
        """Settle a run whose process is gone and whose folder cannot be read: it has failed, unless it was to stop."""
        after = {"cancel": State.CANCELLED, "pause": State.PAUSED}.get(run.execution.request or "", State.FAILED)
        failure = {"failure": str(problem)} if after is State.FAILED else {}
        run = self._change_state(run, after, Actor.DEATH, str(problem), ended_at=now(), **failure)
        self.say(f"{run.id} {run.name} (seed {run.seed}): {run.state}: {problem}")

    def _still_its_own(self, work: Work) -> Run | None:
        """The run as it is now; None once its attempt is over for all others, and it is gone or given to somebody else.

        Whoever looked first may have imported the child's last event.
        """
        try:
            run = run_by_key(self.database, work.run.key)
        except NotFoundError:
            return None
        return run if run.attempt == work.run.attempt else None

    def _free(self, slot: DeviceSlot) -> None:
        del self.children[slot]
        self.admission.ended(slot)

    def _steer(self, slot: DeviceSlot, work: Work) -> Work:
        """Pass on what was asked of a living child; before its events are read, which may fail."""
        work = self.children[slot] = replace(work, vanished=self.admission.vanished(slot))
        if work.vanished:
            # It may hang in its driver for ever, and would take no signal that it can catch.
            work.child.signal(signal.SIGKILL)
        if self.stopping or work.run.execution.request in ("cancel", "pause"):
            work.stopping.ask(work.child)
        return work

    def _settle(self, work: Work) -> None:
        """Settle a run whose child has ended, unless its last event did."""
        run, child = work.run, work.child
        code = child.exit_code()
        failure = None
        if run.state is State.RUNNING:
            if code == BUSY_CODE:
                run = self._put_back(run, "another process still held its folder")
                failure = "its folder is held by another process"
            elif work.vanished:
                failure = f"its GPU {run.execution.device} has disappeared; see `nvidia-smi`"
                run = self._change_state(run, State.FAILED, Actor.DEATH, failure, failure=failure, ended_at=now())
            elif code is not None and 0 < code < 128 and code != DISPLACED_CODE and run.execution.request is None:
                said = last_line(folder_of(self.database, run), run.attempt) if code != CANNOT_WRITE_CODE else None
                failure = said or how_it_ended(child)
                run = self._change_state(run, State.FAILED, Actor.DEATH, failure, failure=failure, ended_at=now())
            else:
                obeyed = work.stopping.obeyed(child)
                unasked = obeyed is None and not self.stopping and run.execution.request is None
                failure = how_it_ended(child) if code and unasked else None
                run = declare_dead(self.database, run, how_it_ended(child), obeyed)
        elif run.state is State.FAILED:
            failure = run.execution.failure
        why = run.execution.failure or (run.state is State.QUEUED and transitions(self.database, run.key)[-1].reason)
        self.say(f"{run.id} {run.name} (seed {run.seed}): {run.state}{f': {why}' if why else ''}")
        self._watch_for_crashes(run, time.monotonic() - work.since, failure)

    def _watch_for_crashes(self, run: Run, seconds: float, failure: str | None) -> None:
        self.guard.ended(run.id, seconds, failure)
        if self.guard.reason is not None:
            workers.guard(self.database, self.key, self.guard.reason)
            self.say(
                f"{self.guard.reason}. No more runs are started here: see `bertmt logs {run.id}`; "
                f"`bertmt workers --go-on {self.key}` resets this worker."
            )

    def _put_back(self, run: Run, reason: str) -> Run:
        later = (datetime.now(UTC) + BUSY_PAUSE).isoformat(timespec="milliseconds")
        return self._change_state(run, State.QUEUED, Actor.WORKER, reason, not_before_at=later)

    def _change_state(self, run: Run, after: State, actor: Actor, reason: str, **columns: str) -> Run:
        """Change the state of a run as it was seen; where another process settled it first it stays as it is."""
        with self.database.immediate():
            current = run_by_key(self.database, run.key)
            if (current.attempt, current.state) != (run.attempt, State.RUNNING):
                return current
            return change_state(self.database, run.key, after, actor, reason, request=None, **columns)

    def _fill(self, slot: DeviceSlot) -> None:
        """Start the next queued run on a free slot, if one may start there."""
        run = self._claims.take(slot)
        if run is None:
            return
        try:
            self._start(slot, run)
        finally:
            if slot not in self.children:
                self.admission.ended(slot)

    def _start(self, slot: DeviceSlot, run: Run) -> None:
        """Start a run that was claimed; where that fails it goes back, or has failed."""
        if snapshot_of(self.database, run).code_digest != code_digest():
            self.say(f"{run.id}: the code of bertmt has changed since this run was queued; `bertmt show {run.id}`.")
        try:
            sources = sources_of(self.database, run)
            child = start_child(run, folder_of(self.database, run), slot.device, slot.threads, sources, self.command)
        except BusyError as problem:
            self._put_back(run, str(problem))
            return
        except (OSError, DataError) as problem:
            failure = f"could not be started: {problem}"
            self._change_state(run, State.FAILED, Actor.DEATH, failure, failure=failure, ended_at=now())
            self.say(f"{run.id} {run.name} {failure}")
            self._watch_for_crashes(run, 0, failure)
            return
        self.children[slot] = Work(run, child)
        self.say(f"{run.id} {run.name} (seed {run.seed}): started on {slot.name}")
