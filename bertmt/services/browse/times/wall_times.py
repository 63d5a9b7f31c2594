"""When each point of a run was measured: the wall time of its event.

As in `training_time`, the events are read and not the registry, which keeps no times of points.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Evaluated, Event, PartlyEvaluated, Step
from bertmt.run_folder.layout import RunFolder
from bertmt.services.browse.curves import is_evaluation, is_partial


class WallTimes:
    """The wall times of one run's steps, evaluations and partial evaluations, which are numbered alike.

    What an attempt did after the checkpoint from which the next one went on was measured again: the later time stands.
    What was not, has no point in the registry either.
    """

    def __init__(self) -> None:
        self._steps: _Track = _Track()
        self._evaluated: _Track = _Track()
        self._partial: _Track = _Track()

    def read(self, folder: RunFolder, attempts: int) -> None:
        """The event files of so many attempts; of files that are gone nothing.

        Raises:
            DataError: one is there and cannot be read.
        """
        for attempt in range(1, attempts + 1):
            offset, before = 0, -1
            while offset > before:
                before = offset
                events, offset, _ = read_events(folder.events(attempt), offset)
                self._hear(events)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Step):
                self._steps.put(event.step, event.at)
            elif isinstance(event, Evaluated):
                self._evaluated.put(event.step, event.at)
            elif isinstance(event, PartlyEvaluated):
                self._partial.put(event.step, event.at)

    def at(self, series: str, steps: np.ndarray) -> np.ndarray:
        """Seconds since 1970 of the points of a series at these steps, NaN where no event tells; (n,)."""
        of_dev = self._partial if is_partial(series) else self._evaluated
        return (of_dev if is_evaluation(series) else self._steps).at(steps)


class _Track:
    """Steps, ascending, and their times."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.times: list[float] = []

    def put(self, step: int, at: str) -> None:
        """Its time, and no more of what an attempt before had done after it."""
        if self.steps and self.steps[-1] >= step:
            kept = bisect_left(self.steps, step)
            del self.steps[kept:], self.times[kept:]
        self.steps.append(step)
        self.times.append(datetime.fromisoformat(at).timestamp())

    def at(self, steps: np.ndarray) -> np.ndarray:
        found = np.full(len(steps), np.nan)
        if self.steps:
            known = np.array(self.steps)
            places = np.minimum(np.searchsorted(known, steps), len(known) - 1)
            there = known[places] == steps
            found[there] = np.array(self.times)[places][there]
        return found
