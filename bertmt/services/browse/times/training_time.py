"""How long a run had trained at each of its steps, without the time between its attempts.

The events are read and not the registry, which keeps no times of points: so runs of older versions have them too.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Evaluated, Event, PartlyEvaluated, Resumed, Started, Step
from bertmt.run_folder.layout import RunFolder


class TrainingClock:
    """The seconds of one run, evaluations among them, from where its child begins to train.

    Pauses and what lies between two attempts are left out, and so is what an attempt did after the checkpoint from
    which the next one went on: it was done again.

    Attributes:
        steps, seconds: (n,), both ascending; the same arrays until more is read.
    """

    def __init__(self) -> None:
        self._attempt, self._offset = 1, 0
        self._steps: list[int] = []
        self._seconds: list[float] = []
        self._before = 0.0  # seconds of the attempts before
        self._began: float | None = None
        self.steps, self.seconds = np.empty(0), np.empty(0)

    def read(self, folder: RunFolder, attempts: int) -> None:
        """What is new in the event files of so many attempts; of files that are gone nothing.

        Raises:
            DataError: one is there and cannot be read.
        """
        is_new = False
        for attempt in range(self._attempt, attempts + 1):
            offset = self._offset if attempt == self._attempt else 0
            self._attempt = attempt
            while True:
                events, self._offset, _ = read_events(folder.events(attempt), offset)
                if self._offset == offset:
                    break
                is_new, offset = True, self._offset
                self._hear(events)
        if is_new:
            self.steps, self.seconds = np.array(self._steps, dtype=np.float64), np.array(self._seconds)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            at = datetime.fromisoformat(event.at).timestamp()
            if isinstance(event, Started):
                self._began = at
                if not event.resumes:
                    self._go_back(0)
            elif isinstance(event, Resumed):
                # An evaluation has the number of the step that comes next.
                self._go_back(event.step + (event.evaluated_step == event.step))
            elif isinstance(event, (Step, Evaluated, PartlyEvaluated)) and self._began is not None:
                self._put(event.step, self._before + at - self._began)

    def _go_back(self, step: int) -> None:
        """To where so many steps were done."""
        kept = bisect_left(self._steps, step)
        del self._steps[kept:], self._seconds[kept:]
        self._before = self._seconds[-1] if self._seconds else 0.0

    def _put(self, step: int, seconds: float) -> None:
        """An evaluation has the number of the step that comes next, whose time then takes the place of its own."""
        while self._steps and self._steps[-1] >= step:
            del self._steps[-1], self._seconds[-1]
        # People set clocks back.
        self._steps.append(step)
        self._seconds.append(max(seconds, self._seconds[-1] if self._seconds else 0.0))

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Seconds at each of these steps; (m,)."""
        found: np.ndarray = np.interp(steps, self.steps, self.seconds)
        return found
