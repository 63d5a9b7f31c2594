"""What one run measured, each point with its time: of one run at a time, since a long one has millions of points."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bertmt.errors import BertmtError, NotFoundError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Evaluation, Run
from bertmt.registry.runs import evaluations
from bertmt.services.analysis.confusion import Confusion, class_tasks, confusion_of
from bertmt.services.analysis.run_predictions import epochs_of
from bertmt.services.browse.curves import arrays_of
from bertmt.services.browse.times.training_time import TrainingClock
from bertmt.services.browse.times.wall_times import WallTimes
from bertmt.services.ingest.ingest import folder_of

FIRST_EVALUATION = "dev/overall"


@dataclass(frozen=True)
class TimedSeries:
    """One series of a run; all arrays are (n,), NaN stands for what is not known or no number.

    Attributes:
        at: seconds since 1970.
        seconds: how long it had trained, as `bertmt curves --x time` has it.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray
    at: np.ndarray
    seconds: np.ndarray


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix, the step at which it was, and seconds since 1970, NaN where not known."""

    confusion: Confusion
    step: int
    at: float


class Measured:
    """What a run measured, up to now.

    Attributes:
        has_times: whether its event files tell when; they are gone with its folder.
    """

    def __init__(self, database: Database, run: Run):
        self._database = database
        self.run = run
        self._walls, self._clock = WallTimes(), TrainingClock()
        with suppress(BertmtError):  # what cannot be read any more has no times
            folder = folder_of(database, run)
            self._walls.read(folder, run.attempt)
            self._clock.read(folder, run.attempt)
        self.has_times = len(self._clock.steps) > 0

    def series(self) -> Iterator[TimedSeries]:
        """All its series, by name."""
        for name in metrics.series_names(self._database, self.run.key):
            steps, values = arrays_of(metrics.read(self._database, self.run.key, (name,))[name])
            yield TimedSeries(name, steps, values, self._walls.at(name, steps), self._trained(steps))

    def _trained(self, steps: np.ndarray) -> np.ndarray:
        return self._clock.at(steps).round(6) if self.has_times else np.full(len(steps), np.nan)

    def evaluations(self) -> list[tuple[Evaluation, float]]:
        """Each with when it was, NaN where not known."""
        found = evaluations(self._database, self.run)
        times = self._walls.at(FIRST_EVALUATION, np.array([each.step for each in found]))
        return list(zip(found, times.tolist(), strict=True))

    def matrices(self) -> Iterator[Matrix]:
        """A confusion matrix for each task with classes and each epoch whose predictions are in the registry."""
        places = {each.epoch: (each.step, at) for each, at in self.evaluations()}
        for task in class_tasks(self.run):
            for epoch in epochs_of(self._database, self.run, task):
                with suppress(NotFoundError):  # its examples are not in the registry
                    if epoch in places:
                        yield Matrix(confusion_of(self._database, self.run, task, epoch), *places[epoch])


def time_text(seconds: float) -> str | None:
    """As times are written here: UTC, ISO 8601; None where not known."""
    return None if np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
