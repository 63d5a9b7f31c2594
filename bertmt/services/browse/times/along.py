"""Curves along another axis than that of steps: epochs, or the time that a run trained."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from bertmt.drawing.charts.axes import STEPS, XAxis
from bertmt.drawing.numbers import named
from bertmt.errors import BertmtError, NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.curves import Curve
from bertmt.services.browse.times.axis_names import EPOCH, STEP
from bertmt.services.browse.times.training_time import TrainingClock
from bertmt.services.ingest.ingest import folder_of

EPOCHS = XAxis("epoch", "epochs", whole=False, least=0.01)
_MINUTE, _HOUR = 60.0, 3600.0
UNITS = (
    (0.0, 1.0, XAxis("seconds", "training time", whole=False, least=0.01)),
    (2 * _MINUTE, _MINUTE, XAxis("minutes", "training time", whole=False, least=0.001)),
    (2 * _HOUR, _HOUR, XAxis("hours", "training time", whole=False, least=0.0001)),
)
MOST_RUNS = 64  # whose times are kept: a step of a run takes 64 bytes


@dataclass(frozen=True)
class Along:
    """Curves along an axis.

    Attributes:
        curves: their `steps` are places on the axis; the same arrays as before while nothing is new.
        asked: what was asked for; where no run has it, the curves are over steps.
        lacking: the runs of which it is not known.
    """

    curves: Mapping[tuple[int, str], Curve]
    axis: XAxis
    asked: str = STEP
    lacking: Sequence[Run] = ()

    @property
    def is_of_steps(self) -> bool:
        """Whether the places are the steps."""
        return self.axis is STEPS

    def numbers(self, curve: Curve) -> list[float]:
        """The places of one of the curves, of time in seconds."""
        unit = next((unit for _, unit, axis in UNITS if axis is self.axis), 1.0)
        return [round(float(place) * unit, 6) for place in curve.steps]

    @property
    def title(self) -> str:
        """What the curves are over, and of which runs that is not known."""
        unknown = f"; {self.asked} not known of {named([run.id for run in self.lacking])}" if self.lacking else ""
        return f"Curves over {self.axis.title}{unknown}"


def curves_along(database: Database, curves: Sequence[Curve], name: str) -> Along:
    """Curves along an axis, once.

    Raises:
        NotFoundError: no run has a place there.
    """
    found = Axes(database).along({(each.run.key, each.series): each for each in curves}, name)
    if name != STEP and found.is_of_steps:
        where = "its child tells none" if name == EPOCH else "no events in its folder tell it"
        listed = named([run.id for run in found.lacking])
        raise NotFoundError(f"{name} is not known of {listed}: {where}. Without --x, curves are over steps.")
    return found


@dataclass(frozen=True)
class _Scale:
    """Where the steps of a run are on an axis: between two of these, in a straight line; beyond them, on with it.

    Attributes:
        first, length: of epochs: the step at which the first begins, and how many there are in each.
        clock: of time.
        unit: seconds to one on the axis.
    """

    first: int = 0
    length: float = 0.0
    clock: TrainingClock | None = None
    unit: float = 1.0

    def places(self, steps: np.ndarray) -> np.ndarray:
        """Of steps, (n,) to (n,) floats."""
        if self.clock is not None:
            return self.clock.at(steps) / self.unit
        found: np.ndarray = (np.asarray(steps, dtype=np.float64) - self.first) / self.length
        return found


class Axes:
    """Puts curves along an axis, and keeps what it read of times and what it made of curves."""

    def __init__(self, database: Database):
        self._database = database
        self._clocks: dict[int, TrainingClock] = {}  # those asked for last at the end
        self._made: dict[tuple[int, str], tuple[Curve, Curve]] = {}

    def along(self, curves: Mapping[tuple[int, str], Curve], name: str) -> Along:
        """The curves along the axis of that name, one of `AXES`."""
        if name == STEP:
            return Along(curves, STEPS)
        runs = {curve.run.key: curve.run for curve in curves.values()}
        scales, axis = self._scales(runs.values(), name)
        before, self._made = self._made, {}
        found: dict[tuple[int, str], Curve] = {}
        for key, curve in curves.items():
            scale = scales.get(curve.run.key)
            if scale is not None:
                found[key] = _placed(curve, scale.places(curve.steps), before.get(key))
                self._made[key] = curve, found[key]
        lacking = [run for key, run in runs.items() if key not in scales]
        return Along(found, axis, name, lacking) if found else Along(curves, STEPS, name, lacking)

    def place(self, run: Run, step: int, name: str, axis: XAxis) -> float | None:
        """Where a step of a run is on an axis that `along` gave; None where that is not known."""
        if name == STEP:
            return float(step)
        scales, _ = self._scales([run], name, axis)
        return float(scales[run.key].places(np.array([step]))[0]) if run.key in scales else None

    def _scales(self, runs: Iterable[Run], name: str, axis: XAxis | None = None) -> tuple[dict[int, _Scale], XAxis]:
        """Those of the runs that have one, by key, and the axis.

        Args:
            axis: whose unit the times are to have; by default the one that suits the longest.
        """
        if name == EPOCH:
            return {run.key: scale for run in runs if (scale := _epochs_of(run)) is not None}, EPOCHS
        clocks = {run.key: clock for run in runs if len((clock := self._clock(run)).steps)}
        longest = max((float(clock.seconds[-1]) for clock in clocks.values()), default=0.0)
        _, unit, found = next(
            each for each in reversed(UNITS) if (longest >= each[0] if axis is None else each[2] == axis)
        )
        return {key: _Scale(clock=clock, unit=unit) for key, clock in clocks.items()}, found

    def _clock(self, run: Run) -> TrainingClock:
        """The run's, read up to now."""
        clock = self._clocks[run.key] = self._clocks.pop(run.key, TrainingClock())
        for key in list(self._clocks)[:-MOST_RUNS]:
            del self._clocks[key]
        with suppress(BertmtError):  # what cannot be read any more has no times
            clock.read(folder_of(self._database, run), run.attempt)
        return clock


def _epochs_of(run: Run) -> _Scale | None:
    """By what its child planned: pretraining lies left of 0; None where nothing was told."""
    told = run.progress.started
    if told is None or not told.steps_total or not told.epochs_total:
        return None
    before = sum(each.get("steps", 0) for each in told.pretraining.values())
    length = (told.steps_total - before) / told.epochs_total
    return _Scale(first=before, length=length) if length > 0 else None


def _placed(curve: Curve, places: np.ndarray, before: tuple[Curve, Curve] | None) -> Curve:
    """The curve at these places; where nothing is new, with the arrays that it had before."""
    if before is not None and before[0].steps is curve.steps and np.array_equal(before[1].steps, places):
        places = before[1].steps
    return replace(curve, steps=places)
