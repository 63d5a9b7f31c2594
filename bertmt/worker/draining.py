"""When a worker that is to end once nothing is left may end."""

from collections.abc import Callable, Sequence

from bertmt.devices.slots import DeviceSlot
from bertmt.drawing.numbers import named
from bertmt.errors import BertmtError
from bertmt.launchers.protocol import LOCAL, launcher_of
from bertmt.registry import workers
from bertmt.registry.claims import device_kind
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.run_formatting import conditions
from bertmt.services.lifecycle.hold import queue_is_held
from bertmt.services.lifecycle.startable import obstacles, waiting_runs

MOST_NAMED = 5


class Draining:
    """Looks for what is still to come, and says why what waits is not started."""

    def __init__(
        self, database: Database, slots: Sequence[DeviceSlot], say: Callable[[str], None], launcher: str = LOCAL
    ):
        self._launcher = launcher
        self._database = database
        self._kinds = {device_kind(slot.device) for slot in slots}
        self._say = say
        self._said = ""

    def nothing_comes(self, guard: str | None) -> bool:
        """Whether no run waits that would be started by itself; a held queue may be held for days.

        Args:
            guard: why the worker starts nothing for now, if it does not.

        Raises:
            BertmtError: it does not, and nobody is there to look.
        """
        alive = {worker.key for worker in workers.running_workers(self._database)}
        running = runs_in(self._database, State.RUNNING)
        mine = (run for run in running if self._launcher == launcher_of(run))
        if any(run.execution.worker not in alive for run in mine):
            return False  # its worker is gone and nobody has settled it yet: it may be queued again any moment
        waiting = waiting_runs(self._database)
        queued = [run for run in waiting if run.state is State.QUEUED]
        if queued and guard is not None:
            raise BertmtError(f"{guard}; {len(queued):,} queued runs were not started.")
        if queued and queue_is_held(self._database):
            self._say(f"The queue is held: {len(queued)} queued; `bertmt release --queue` lets them start.")
            return True
        found = obstacles(waiting, self._kinds)
        if len(found) < len(queued):
            self._say_what_comes([run for run in queued if run.key not in found])
            return False
        for run in queued[:MOST_NAMED]:
            self._say(f"{run.id} {run.name} (seed {run.seed}) is not started: {found[run.key]}.")
        return True

    def say_losses(self, worker: int) -> None:
        """How many runs of this worker have failed or are lost, and which; nothing where there is none."""
        found = [run for run in runs_in(self._database, State.FAILED, State.LOST) if run.execution.worker == worker]
        counts = [(sum(run.state is state for run in found), state) for state in (State.FAILED, State.LOST)]
        if found:
            which = named([f"{run.id} {run.name}" for run in found], MOST_NAMED)
            said = ", ".join(f"{count:,} {state}" for count, state in counts if count)
            self._say(f"Drained, with {said}: {which}. `bertmt show RUN` says why.")

    def _say_what_comes(self, coming: Sequence[Run]) -> None:
        """Once: what a worker that seems to do nothing waits for."""
        later = [run for run in coming if run.queueing.awaits or run.queueing.not_before_at]
        said = "; ".join(f"{run.id} {conditions(run)}" for run in later[:MOST_NAMED] if conditions(run))
        if said and said != self._said:
            self._say(f"Nothing can start yet: {said}.")
        self._said = said
