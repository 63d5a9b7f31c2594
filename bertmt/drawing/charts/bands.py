"""Bands behind curves: from the lowest to the highest of several, whose mean is the curve, or so far about one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from bertmt.drawing.charts.series import Series


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two curves.

    Attributes:
        low, high: its edges.
        of: the index in its panel of the series that it belongs to, whose colour it has.
    """

    low: Series
    high: Series
    of: int

    def smoothed(self, weight: float) -> "Band":
        """As the series is; see `Series.smoothed`."""
        return Band(self.low.smoothed(weight), self.high.smoothed(weight), self.of)


def mean_and_band(
    name: str, members: Sequence[Series], place: int, of: int, between: bool = False
) -> tuple[Series, Band]:
    """The mean of curves at the steps that all have, and a band from the least to the greatest value there.

    Where one is no number there is neither.

    Args:
        place, of: as `Series` and `Band` have them.
        between: steps are places that curves need not share, such as times: from where all have begun to where the
            first ends, at every place that one has, the others in a straight line between two of theirs; of exact
            ones what was measured last.
    """
    exact = all(each.exact for each in members)
    if between:
        begin, end = max(each.steps[0] for each in members), min(each.steps[-1] for each in members)
        steps = reduce(np.union1d, [each.steps for each in members])
        steps = steps[(steps >= begin) & (steps <= end)]
        values = np.stack([_between(each, steps) for each in members])
    else:
        steps = reduce(np.intersect1d, [each.steps for each in members])
        values = np.stack([each.values[np.searchsorted(each.steps, steps)] for each in members])
    # Not np.nanmean: a mean over fewer seeds than before would be a step that no seed made.
    mean, low, high = (
        Series(name, steps, each, exact=exact, place=place)
        for each in (values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    )
    return mean, Band(low, high, of)


def band_around(curve: Series, reach: float, of: int) -> Band:
    """A band that lies so far about a curve, above and below.

    Args:
        of: as `Band` has it.
    """
    return Band(replace(curve, values=curve.values - reach), replace(curve, values=curve.values + reach), of)


def _between(series: Series, steps: np.ndarray) -> np.ndarray:
    """Its values at places within it."""
    if series.exact:
        held: np.ndarray = series.values[np.searchsorted(series.steps, steps, side="right") - 1]
        return held
    joined: np.ndarray = np.interp(steps, series.steps, series.values)
    return joined
