"""The worker's rounds: import what children wrote, obey requests, settle what ended, fill free slots."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.errors import (
    BusyError,
    DamagedRegistryError,
    DataError,
    MovedRegistryError,
    NotFoundError,
    RegistryError,
)
from bertmt.launchers.choosing import local_launcher
from bertmt.launchers.protocol import KILL, LOCAL, NO_SOURCES, Attempt, Launcher, Phase, RefusedError, launcher_of
from bertmt.launchers.training import TRAINING_COMMAND
from bertmt.registry import workers
from bertmt.registry.claims import adopt
from bertmt.registry.database import Database, sqlite_errors_as_sentences
from bertmt.registry.finding import runs_in
from bertmt.registry.jobs.record import Job
from bertmt.registry.jobs.rows import store_job
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, snapshot_of
from bertmt.registry.states import Actor, State
from bertmt.run_folder.events import now
from bertmt.run_folder.processes import Process
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.reconcile import bring_up_to_date, declare_dead, ingest_running, is_worked, its_process
from bertmt.services.lifecycle.budgets import keep_budgets
from bertmt.services.plan.own_code import sources_of
from bertmt.services.plan.snapshot import code_digest
from bertmt.worker.admission import Admission
from bertmt.worker.child_process import has_stepped
from bertmt.worker.claiming import Claims
from bertmt.worker.crash_guard import CrashGuard
from bertmt.worker.draining import Draining
from bertmt.worker.settling import Settling, Work

HEARTBEAT_SECONDS = 5.0
TROUBLE_SECONDS = 5.0
FILL_SECONDS = 5.0
# How long the folder of a run whose process is gone may be unreadable until it is given up: a disk may come back.
UNREAD_SECONDS = 30.0
# How often in a row a registry is damaged until a worker gives up.
DAMAGED_LOOKS = 3


class Worker:
    """One worker process over some device slots.

    Args:
        say: where a line for people goes.
        command: what a child is started with, where there is no other launcher.
        admission: who may start on which GPU; the machine's if None.
        launcher: starts the attempts; as processes of this machine if None.
    """

    def __init__(
        self,
        database: Database,
        slots: Sequence[DeviceSlot],
        say: Callable[[str], None],
        command: Sequence[str] = TRAINING_COMMAND,
        admission: Admission | None = None,
        launcher: Launcher | None = None,
    ):
        self.launcher = launcher or local_launcher(command)
        self.database = database
        self.slots = tuple(slots)
        self.say = say
        self.key = workers.register(database, [slot.name for slot in slots])
        self.children: dict[DeviceSlot, Work] = {}
        self.stopping = False
        self.draining = False
        self.guard = CrashGuard()
        self.admission = admission or Admission(self.slots, is_here=self.launcher.name == LOCAL)
        self._claims = Claims(database, self.key, self.admission, say, self.launcher.name)
        self._draining = Draining(database, self.slots, say, self.launcher.name)
        self._settling = Settling(database, say)
        self._trouble = ""
        self._launcher_trouble = ""
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
            while not (self.stopping and (self.launcher.outlive_worker or not self.children)):
                if not self._safe_round():
                    continue
                if self.draining and not self.children and self._draining.nothing_comes(self.guard.reason):
                    self._draining.say_losses(self.key)
                    break
                time.sleep(self.launcher.round_seconds)
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
        self.launcher.poll([work.child for work in self.children.values()])
        self._say_of(self.launcher.trouble())
        for slot, work in list(self.children.items()):
            with self._apart(work.run):
                self._look_after(slot, work)
        for sentence in keep_budgets(self.database):
            self.say(sentence)
        self._fill_all()

    def _fill_all(self) -> None:
        """Start what may start, as long as a round may take: a submission to a busy cluster takes a second."""
        end = time.monotonic() + FILL_SECONDS
        for slot in self.slots:
            if self.stopping or self.guard.reason is not None or time.monotonic() > end:
                return
            if slot not in self.children and self.launcher.is_ready():
                self._fill(slot)

    def _say_of(self, trouble: str) -> None:
        """What is wrong with the launcher, once, and that it is over."""
        if trouble != self._launcher_trouble:
            self.say(trouble or "The scheduler answers again.")
        self._launcher_trouble = trouble

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
            after = "jobs go on" if self.launcher.outlive_worker else "running runs write a checkpoint and are requeued"
            self.say(f"Stopping: {after}.")
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
            if orphan.execution.worker not in others and orphan.key not in own and self._is_mine(orphan):
                with self._apart(orphan):
                    self._adopt(orphan)

    def _is_mine(self, run: Run) -> bool:
        """Whether its attempt was started by a launcher like this worker's, which alone can tell how it stands."""
        return self.launcher.name == launcher_of(run)

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
        self.children[slot] = Work(run, self.launcher.adopt(self._attempt(run, slot)))
        self.say(f"{run.id} {run.name} (seed {run.seed}): adopted on {slot.name}")

    def _attempt(self, run: Run, slot: DeviceSlot, sources: Mapping[str, str] = NO_SOURCES) -> Attempt:
        """Sources are for one that is launched: what runs already has its own."""
        return Attempt(run, folder_of(self.database, run), slot, sources, lambda: self._process_of(run))

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
            self._settling.give_up(orphan, problem)

    def _look_after(self, slot: DeviceSlot, work: Work) -> None:
        # Asked before the import: what a dead child wrote is then imported whole.
        ended = work.child.has_ended()
        run = self._still_its_own(work)
        if run is None:
            if ended or work.child.by_lock_alone:  # which the next attempt holds now
                self._free(slot)
            return
        self._keep_word(run, work)
        if ended:
            self._end(replace(work, run=run))
            self._free(slot)
            return
        word = work.child.word()
        if word is not None and word.phase not in (Phase.RUNNING, Phase.ENDED):
            work = replace(work, since=time.monotonic())  # how long it lives counts from when it no longer waits
        work = self._steer(slot, replace(work, run=run))
        run = ingest(self.database, run)
        if run.attempt != work.run.attempt:
            return  # it ended in this moment, and is somebody else's; the next look knows
        if has_stepped(run):
            self.admission.first_step_done(slot)
        self.children[slot] = replace(work, run=run)

    def _keep_word(self, run: Run, work: Work) -> None:
        """Keep what a scheduler says of a run, where that is new."""
        word, known = work.child.word(), run.execution.job
        if word is None or known is None:
            return
        told = (word.handle, word.phase, word.reason, word.node, word.time_limit)
        if told != (known.handle, known.phase, known.reason, known.node, known.time_limit):
            store_job(self.database, run, Job(known.launcher, *told))

    def _end(self, work: Work) -> None:
        """Import what is left of a child that has ended, and settle its run.

        Raises:
            DataError: its folder cannot be read, which may pass.
        """
        try:
            run = ingest(self.database, work.run)
            if run.attempt == work.run.attempt:
                run, failure = self._settling.settle(replace(work, run=run), self.stopping)
                self._watch_for_crashes(run, time.monotonic() - work.since, failure)
        except DataError as problem:
            if not (self.stopping or self._unread_too_long(work.run)):
                raise
            self._settling.give_up(work.run, problem)

    def _unread_too_long(self, run: Run) -> bool:
        return run.key in self._unread and time.monotonic() - self._unread[run.key] > UNREAD_SECONDS

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
            work.child.signal(KILL)
        if self.stopping or work.run.execution.request in ("cancel", "pause"):
            work.stopping.ask(work.child)
        return work

    def _watch_for_crashes(self, run: Run, seconds: float, failure: str | None) -> None:
        self.guard.ended(run.id, seconds, failure)
        if self.guard.reason is not None:
            workers.guard(self.database, self.key, self.guard.reason)
            self.say(
                f"{self.guard.reason}. No more runs are started here: see `bertmt logs {run.id}`; "
                f"`bertmt workers --go-on {self.key}` resets this worker."
            )

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
            child = self.launcher.launch(self._attempt(run, slot, sources_of(self.database, run)))
        except BusyError as problem:
            self._settling.put_back(run, str(problem))
            return
        except RefusedError as problem:
            self._settling.put_back(run, str(problem))
            self.say(f"{run.id} {run.name}: {problem}")
            if not self.children:  # else a limit of jobs may pass once they have ended
                self._watch_for_crashes(run, 0, str(problem))
            return
        except (OSError, DataError) as problem:
            failure = f"could not be started: {problem}"
            self._settling.change_state(run, State.FAILED, Actor.DEATH, failure, failure=failure, ended_at=now())
            self.say(f"{run.id} {run.name} {failure}")
            self._watch_for_crashes(run, 0, failure)
            return
        work = self.children[slot] = Work(run, child)
        word = child.word()
        how = f"started on {slot.name}" if word is None else f"job {word.handle}" if word.handle else "asked for a job"
        self.say(f"{run.id} {run.name} (seed {run.seed}): {how}")
        self._keep_word(run, work)
