"""When the runs that wait will start, and how long they will take, judged by runs that finished."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bertmt.errors import BertmtError
from bertmt.recipe.loading import from_json
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.browse.run_formatting import asked, seconds_left, seconds_since
from bertmt.services.browse.workload import Workload
from bertmt.services.plan.estimates import estimate

STOPS = "stop"  # a worker that was asked to drain still takes what waits
GOES_ON = "go on"


@dataclass(frozen=True)
class Expected:
    """What is expected of a waiting run.

    Attributes:
        starts_in: seconds from now; None where it is not known, or nothing will start it.
        seconds: that it takes; None where there is no finished run to judge by.
    """

    starts_in: float | None
    seconds: float | None


def expected_durations(database: Database, runs: Sequence[Run], past: Iterable[Run]) -> dict[int, float | None]:
    """How long runs take, by their keys; None where nothing is known, also of one whose data cannot be read.

    Args:
        past: finished and running ones among them are judged by.
    """
    known = list(past)
    durations: dict[int, float | None] = {}
    judged: dict[tuple[int, str], float | None] = {}
    for run in runs:
        # Runs that differ in their seed share one mapping, and take equally long.
        recipe = (id(run.submission.shared_recipe), run.submission.data)
        if recipe not in judged:
            judged[recipe] = _duration(database, run, known)
        durations[run.key] = judged[recipe]
    return durations


def _duration(database: Database, run: Run, past: Sequence[Run]) -> float | None:
    try:
        return estimate(database, [from_json(run.submission.recipe_json, run.known)], past).seconds[0]
    except BertmtError:
        return None


def expected_times(
    waiting: Sequence[Run],
    running: Sequence[Run],
    work: Workload,
    durations: Mapping[int, float | None],
    stuck: Collection[int] = (),
) -> dict[int, Expected]:
    """What is expected of the waiting runs, by their keys: a slot that is free takes the first that may start there.

    Args:
        waiting: in the order of the queue; a held run is passed over.
        durations: by the keys of runs; what is missing is not known.
        stuck: keys of runs that will not start by themselves.
    """
    pending = [run for run in waiting if run.state is State.QUEUED and run.key not in stuck]
    plan = _Schedule([] if work.held else _slots(running, work, durations), pending, durations)
    plan.ends = {run.id: math.inf for run in waiting} | {run.id: _seconds_left(run, durations) for run in running}
    plan.play()
    return {run.key: Expected(plan.starts.get(run.key), durations.get(run.key)) for run in waiting}


def kinds_of(work: Workload) -> set[str]:
    """The kinds of the devices that are worked: "cpu", "gpu"."""
    return {_kind(slot) for worker, _ in work.workers if worker.request != STOPS for slot in worker.slots}


@dataclass
class _Slot:
    """A place for a run at a time.

    Attributes:
        free_in: seconds until it takes another; infinite where nobody knows.
    """

    kind: str
    free_in: float


@dataclass
class _Schedule:
    """Plays the queue into the future.

    Attributes:
        pending: what is to be started, in its order.
        ends: in so many seconds, by the ids of runs; one that is missing has ended.
        starts: in so many seconds, by the keys of runs.
    """

    slots: list[_Slot]
    pending: list[Run]
    durations: Mapping[int, float | None]
    ends: dict[str, float] = field(default_factory=dict)
    starts: dict[int, float] = field(default_factory=dict)

    def play(self) -> None:
        """Until nothing is left to start, or nobody knows when a slot is free."""
        time = 0.0
        while self.pending and math.isfinite(time):
            for slot in self.slots:
                if slot.free_in <= time:
                    self._fill(slot, time)
            time = self._next_after(time)

    def _fill(self, slot: _Slot, time: float) -> None:
        """Start the first that may start there, if one may."""
        for run in self.pending:
            if run.queueing.wants in ("", slot.kind) and self._ready_in(run) <= time:
                seconds = self.durations.get(run.key)
                slot.free_in = self.ends[run.id] = time + (math.inf if seconds is None else seconds)
                self.starts[run.key] = time
                self.pending.remove(run)
                return

    def _next_after(self, time: float) -> float:
        """The next time at which something may start."""
        busy = [slot.free_in for slot in self.slots if slot.free_in > time]
        if len(busy) < len(self.slots):  # one is free, and waits for a time or for the end of a run elsewhere
            busy += [ready for run in self.pending if (ready := self._ready_in(run)) > time]
        return min(busy, default=math.inf)

    def _ready_in(self, run: Run) -> float:
        """Seconds until it may start, as far as that is known."""
        at_least = max(0.0, -(seconds_since(run.queueing.not_before_at) or 0.0))
        return max([at_least, *(self.ends.get(awaited.id, 0.0) for awaited in run.queueing.awaits)])


def _slots(running: Sequence[Run], work: Workload, durations: Mapping[int, float | None]) -> list[_Slot]:
    """The slots of the workers that start runs; a slot is busy with a run of its kind."""
    slots: list[_Slot] = []
    for worker, _ in work.workers:
        if worker.request == STOPS or (worker.guard is not None and worker.request != GOES_ON):
            continue
        free = [_Slot(_kind(name), 0.0) for name in worker.slots]
        for run in (each for each in running if each.execution.worker == worker.key):
            idle = [slot for slot in free if not slot.free_in]
            like = [slot for slot in idle if slot.kind == _kind(run.execution.device or "")]
            for slot in (like or idle)[:1]:
                slot.free_in = _seconds_left(run, durations)
        slots += free
    return slots


def _kind(device: str) -> str:
    return "cpu" if device.startswith("cpu") else "gpu"


def _seconds_left(run: Run, durations: Mapping[int, float | None]) -> float:
    """The child's own word, else all of what such a run takes; nothing of one that is about to stop."""
    if asked(run) is not None:
        return 0.0
    told = seconds_left(run)
    left = durations.get(run.key) if told is None else told
    return math.inf if left is None else left
