"""One curve: its points, and what of them can be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bertmt.drawing.charts.smoothing import smooth
from bertmt.drawing.looks import Look, free_place, look_of
from bertmt.drawing.safe_text import safe_text

LEAST_SHARE = 0.2  # of an axis that a curve must take up to be read
LARGEST = 1e300  # beyond, the distance of two values would overflow


def looks_of(series: "Sequence[Series]", ascii_only: bool) -> list[Look]:
    """The look of each series of a chart: its own, or that of its index; no two alike while there are others."""
    places: list[int] = []
    taken: set[int] = set()
    for index, each in enumerate(series):
        places.append(free_place(index if each.place is None else each.place, taken))
        taken.add(places[-1])
    looks = [look_of(place, ascii_only) for place in places]
    return [replace(look, dotted=each.dotted) for look, each in zip(looks, series, strict=True)]


def are_alike(series: "Sequence[Series]") -> bool:
    """Whether one linear axis shows all of them: each takes up `LEAST_SHARE` of what all together do, or more.

    Of series that hardly move, such as constants, nothing is asked but to lie near the others.
    """
    ranges = np.array([each.usual_range for each in series if each.usual_range[0] <= each.usual_range[1]])
    if len(ranges) < 2:
        return True
    spans = ranges[:, 1] - ranges[:, 0]
    return bool((spans >= LEAST_SHARE * (ranges[:, 1].max() - ranges[:, 0].min())).all())


@dataclass(frozen=True, eq=False)
class Trace:
    """The points of a series by ascending step, NaN for all that is not drawn; shapes (n,).

    Attributes:
        values: on a log scale, exponents of ten.
        low, high: the least and the greatest value; NaN where there is none.
        missing: steps at which there is no number.
        not_positive: how many numbers a log scale cannot show.
        held: each value holds up to the next point, where the next is measured: of points that are drawn twice, the
            first ones, at even indices, are the measured ones.
    """

    steps: np.ndarray
    values: np.ndarray
    low: float
    high: float
    missing: np.ndarray
    not_positive: int
    held: bool = False

    def as_held(self) -> "Trace":
        """The same as a staircase: a line between two measurements would say what was never measured."""
        if not len(self.steps):
            return replace(self, held=True)
        steps, values = np.repeat(self.steps, 2)[1:], np.repeat(self.values, 2)[:-1]
        return replace(self, steps=steps, values=values, held=True)

    def scaled(self, low: float, high: float) -> "Trace":
        """The same with `low` as 0 and `high` as 1."""
        values = (self.values - low) / (high - low)
        return replace(self, values=values, low=(self.low - low) / (high - low), high=(self.high - low) / (high - low))

    @classmethod
    def of(cls, steps: np.ndarray, values: np.ndarray, missing: np.ndarray, not_positive: int) -> "Trace":
        low, high = np.fmin.reduce(values, initial=np.nan), np.fmax.reduce(values, initial=np.nan)
        return cls(steps, values, float(low), float(high), missing, not_positive)


@dataclass(frozen=True)
class Point:
    """A value, and the step at which it was measured."""

    step: float
    value: float


@dataclass(frozen=True, eq=False)
class Series:
    """One curve: values by step, NaN where a value is missing; shapes (n,).

    Attributes:
        exact: each value is a measurement and no noisy sample, so that it is never smoothed, nor joined with the next
            one: averages of scores, and lines between them, would say what was never measured.
        place: by which it keeps its look whatever else is in the chart, from 0; None is its index there.
        dotted: drawn fainter than others, every other dot of it left out.
        recorded: what it is a moving average of.

    What is derived from the points is kept, so that a chart which is drawn again costs less: the arrays must not
    change.

    Raises:
        ValueError: steps and values are not equally many.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray
    exact: bool = False
    place: int | None = None
    dotted: bool = False
    recorded: "Series | None" = None

    def __post_init__(self) -> None:
        if np.shape(self.steps) != np.shape(self.values):
            raise ValueError(f"{self.name}: {len(self.steps)} steps, but {len(self.values)} values")

    @cached_property
    def shown_name(self) -> str:
        """The name as it may reach a screen."""
        return safe_text(self.name)

    @cached_property
    def linear(self) -> Trace:
        """What a linear scale draws."""
        steps: np.ndarray = np.asarray(self.steps, dtype=np.float64)
        values: np.ndarray = np.asarray(self.values, dtype=np.float64)
        # Comparisons with NaN are false, so this finds those too; infinite steps can only be at the ends.
        if len(steps) and not ((steps[1:] >= steps[:-1]).all() and np.isfinite(steps[[0, -1]]).all()):
            order = np.argsort(steps, kind="stable")
            order = order[np.isfinite(steps[order])]
            steps, values = steps[order], values[order]
        finite = np.isfinite(values)
        missing = steps[~finite]
        if len(missing):
            values = np.where(finite, values, np.nan)
        return Trace.of(steps, np.clip(values, -LARGEST, LARGEST), missing, 0)

    @cached_property
    def logarithmic(self) -> Trace:
        """What a logarithmic scale draws."""
        linear = self.linear
        positive = linear.values > 0  # false for NaN
        values = np.log10(linear.values, where=positive, out=np.full(len(positive), np.nan))
        not_positive = len(positive) - int(positive.sum()) - len(linear.missing)
        return Trace.of(linear.steps, values, linear.missing, not_positive)

    @cached_property
    def usual_range(self) -> tuple[float, float]:
        """Between which numbers nine tenths of the values lie; NaN where there is none."""
        numbers = self.linear.values[np.isfinite(self.linear.values)]
        low, high = np.percentile(numbers, (5, 95)) if len(numbers) else (np.nan, np.nan)
        return float(low), float(high)

    @cached_property
    def _held(self) -> tuple[Trace, Trace]:
        return self.linear.as_held(), self.logarithmic.as_held()

    def trace(self, log_y: bool) -> Trace:
        """What is drawn on a scale."""
        if self.exact:
            return self._held[log_y]
        return self.logarithmic if log_y else self.linear

    def at(self, step: float | None) -> Point | None:
        """The last point up to a step; None where there is none, it is no number, or the series has ended before.

        Args:
            step: None is the end, where numbers that are missing do not count.
        """
        trace = self.linear
        if step is None:
            known = np.flatnonzero(np.isfinite(trace.values)) if len(trace.missing) else range(len(trace.values))
            place = int(known[-1]) if len(known) else -1
        else:
            place = int(np.searchsorted(trace.steps, step, side="right")) - 1
            if place >= 0 and step > trace.steps[-1]:
                return None
        if place < 0 or not np.isfinite(trace.values[place]):
            return None
        return Point(float(trace.steps[place]), float(trace.values[place]))

    def value_at(self, step: float | None) -> float | None:
        """The value recorded last up to a step, of a moving average that of what it is of; None as for `at`."""
        found = (self.recorded or self).at(step)
        return None if found is None else found.value

    def smoothed(self, weight: float) -> "Series":
        """The same series as a moving average; see `smooth`. An exact one stays as it is."""
        if self.exact:
            return self
        trace = self.linear
        smoothed = smooth(trace.values, weight)
        return Series(self.name, trace.steps, smoothed, place=self.place, dotted=self.dotted, recorded=self)
