"""When the runs that wait will start, and how long they will take, judged by runs that finished."""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bertmt.errors import BertmtError
from bertmt.recipe.loading import from_json
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.estimates import estimate
from bertmt.services.workload import Workload

STOPS = "stop"  # a worker that was asked to drain still takes what waits


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
        past: finished ones among them are judged by.
    """
    finished = [run for run in past if run.state is State.FINISHED]
    durations: dict[int, float | None] = {}
    judged: dict[tuple[int, str], float | None] = {}
    for run in runs:
        # Runs that differ in their seed share one mapping, and take equally long.
        recipe = (id(run.shared_recipe), run.data)
        if recipe not in judged:
            judged[recipe] = _duration(database, run, finished)
        durations[run.key] = judged[recipe]
    return durations


def _duration(database: Database, run: Run, finished: Sequence[Run]) -> float | None:
    try:
        return estimate(database, [from_json(run.recipe_json)], finished).seconds[0]
    except BertmtError:
        return None


def expected_times(
    waiting: Sequence[Run], running: Sequence[Run], work: Workload, durations: Mapping[int, float | None]
) -> dict[int, Expected]:
    """What is expected of the waiting runs, by their keys: each queued one takes the slot that is free first.

    Args:
        waiting: in the order of the queue; a held run is passed over.
        durations: by the keys of runs; what is missing is not known.
    """
    free = [] if work.held else _free_in(running, work, durations)
    heapq.heapify(free)
    expected = {}
    for run in waiting:
        seconds = durations.get(run.key)
        starts_in = math.inf
        if free and run.state is State.QUEUED:
            starts_in = heapq.heappop(free)
            heapq.heappush(free, starts_in + (math.inf if seconds is None else seconds))
        expected[run.key] = Expected(starts_in if math.isfinite(starts_in) else None, seconds)
    return expected


def _free_in(running: Sequence[Run], work: Workload, durations: Mapping[int, float | None]) -> list[float]:
    """Seconds until each slot of the workers is free; infinite where nobody knows."""
    slots: list[float] = []
    for worker, _ in work.workers:
        if worker.request == STOPS:
            continue
        taken = [_seconds_left(run, durations) for run in running if run.worker == worker.key]
        slots += [*taken, *[0.0] * (len(worker.slots) - len(taken))]
    return slots


def _seconds_left(run: Run, durations: Mapping[int, float | None]) -> float:
    """The child's own word, else all of what such a run takes."""
    left = durations.get(run.key) if run.seconds_left is None else run.seconds_left
    return math.inf if left is None else left
