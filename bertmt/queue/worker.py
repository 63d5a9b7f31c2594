"""The worker's rounds: import what children wrote, obey requests, settle what ended, fill free slots."""

import time
from collections.abc import Callable, Sequence

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import BertmtError
from bertmt.queue.child_process import TRAINING_COMMAND, ChildProcess, ask_orphan_to_stop, start_child
from bertmt.registry import workers
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, claim_next, move, run_by_key, snapshot_of
from bertmt.registry.states import Owner, State
from bertmt.run_folder.events import now, tail_lines
from bertmt.services.queue_control import queue_is_held
from bertmt.services.settling import sync_running
from bertmt.services.snapshot import code_digest
from bertmt.services.sync import folder_of, sync

ROUND_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0


class Worker:
    """One worker process over some device slots.

    Args:
        say: where a line for people goes.
        command: what a child is started with.
    """

    def __init__(
        self,
        database: Database,
        slots: Sequence[DeviceSlot],
        say: Callable[[str], None],
        command: Sequence[str] = TRAINING_COMMAND,
    ):
        self.command = command
        self.database = database
        self.slots = tuple(slots)
        self.say = say
        self.key = workers.register(database, [slot.name for slot in slots])
        self.children: dict[DeviceSlot, tuple[Run, ChildProcess]] = {}
        self.stopping = False
        self.draining = False
        self._beat_at = 0.0

    def work(self, drain: bool) -> None:
        """Work until stopped, or, with `drain`, until nothing that could be started waits and nothing runs here."""
        self.draining = drain
        try:
            while not (self.stopping and not self.children):
                self.round()
                if self.draining and not self.children and self._nothing_comes():
                    break
                time.sleep(ROUND_SECONDS)
        finally:
            workers.end(self.database, self.key)

    def round(self) -> None:
        """One look at everything."""
        if time.monotonic() - self._beat_at > HEARTBEAT_SECONDS:
            workers.beat(self.database, self.key)
            self._beat_at = time.monotonic()
            # Runs whose worker died are nobody's children: somebody must import and settle them.
            sync_running(self.database)
            self._stop_cancelled_orphans()
        self._obey()
        for slot, (run, child) in list(self.children.items()):
            self._look_after(slot, run, child)
        if not self.stopping:
            for slot in self.slots:
                if slot not in self.children and not self._fill(slot):
                    break

    def _obey(self) -> None:
        """Do what a person asked of this worker, on whatever machine."""
        request = workers.request_of(self.database, self.key)
        if request == "stop" and not self.stopping:
            self.stopping = True
            self.say("Asked to stop: running runs go back to the queue.")
        elif request == "drain" and not self.draining:
            self.draining = True
            self.say("Asked to end once nothing waits and nothing runs here.")

    def _stop_cancelled_orphans(self) -> None:
        """A request to cancel outlives the worker of a run: any later worker on this machine obeys it."""
        alive = {worker.key for worker in workers.running_workers(self.database)}
        for run in all_runs(self.database, "runs.state = 'running' AND runs.request = 'cancel'"):
            if run.worker not in alive:
                ask_orphan_to_stop(run, folder_of(self.database, run))

    def _look_after(self, slot: DeviceSlot, run: Run, child: ChildProcess) -> None:
        # Asked before the import: what a dead child wrote is then imported whole.
        ended = child.has_ended()
        run = sync(self.database, run_by_key(self.database, run.key))
        self.children[slot] = (run, child)
        if not ended:
            if self.stopping or run.request == "cancel":
                child.ask_to_stop()
            return
        del self.children[slot]
        self._settle(run, child)

    def _settle(self, run: Run, child: ChildProcess) -> None:
        """Move a run whose child has ended, unless its last event did."""
        if run.state is State.RUNNING:
            if run.request == "cancel":
                run = self._move(run, State.CANCELLED, Owner.WORKER, "cancelled while it ran", ended_at=now())
            elif self.stopping and child.stopped_at is not None:
                run = self._move(
                    run, State.QUEUED, Owner.WORKER, "the worker was stopped; it starts from the beginning"
                )
            elif child.process.returncode and child.process.returncode > 0:
                failure = _last_line(self.database, run) or child.exit_reason()
                run = self._move(run, State.FAILED, Owner.DEATH, failure, failure=failure, ended_at=now())
            else:
                run = self._move(run, State.LOST, Owner.DEATH, child.exit_reason(), ended_at=now())
        self.say(f"{run.id} {run.name} (seed {run.seed}): {run.state}{f': {run.failure}' if run.failure else ''}")

    def _move(self, run: Run, after: State, owner: Owner, reason: str, **columns: str) -> Run:
        try:
            return move(self.database, run.key, after, owner, reason, request=None, **columns)
        except BertmtError:  # another process settled it first
            return run_by_key(self.database, run.key)

    def _fill(self, slot: DeviceSlot) -> bool:
        """Start the next queued run on a free slot; False where none waits."""
        run = claim_next(self.database, self.key, slot.device)
        if run is None:
            return False
        if snapshot_of(self.database, run).code_digest != code_digest():
            self.say(f"{run.id}: the code of bertmt has changed since this run was queued; `bertmt show {run.id}`.")
        try:
            child = start_child(run, folder_of(self.database, run), slot.device, slot.threads, self.command)
        except OSError as problem:
            failure = f"could not be started: {problem.strerror} ({problem.filename})"
            move(self.database, run.key, State.FAILED, Owner.DEATH, failure, failure=failure, ended_at=now())
            self.say(f"{run.id} {run.name} {failure}")
            return True
        self.children[slot] = (run, child)
        self.say(f"{run.id} {run.name} (seed {run.seed}): started on {slot.name}")
        return True

    def _nothing_comes(self) -> bool:
        """Whether no run waits that could be started; a held queue may be held for days."""
        waiting: int = self.database.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0]
        if waiting and queue_is_held(self.database):
            self.say(f"The queue is held: {waiting} queued; `bertmt release --queue` lets them be started.")
            return True
        return not waiting


def _last_line(database: Database, run: Run) -> str | None:
    lines = [line.strip() for line in tail_lines(folder_of(database, run).log(run.attempt), 40) if line.strip()]
    return lines[-1][:500] if lines else None


def settle_leftovers(database: Database) -> None:
    """Before a worker starts: import and settle what former workers left."""
    sync_running(database, silent_only=False)
