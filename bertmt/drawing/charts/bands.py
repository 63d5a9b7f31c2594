"""Several curves of one thing as one: their mean, and a band from the lowest to the highest of them."""

from collections.abc import Sequence
from dataclasses import dataclass
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


def mean_and_band(name: str, members: Sequence[Series], place: int, of: int) -> tuple[Series, Band]:
    """The mean of curves at the steps that all have, and a band from the least to the greatest value there.

    Where one is no number there is neither.

    Args:
        place, of: as `Series` and `Band` have them.
    """
    exact = all(each.exact for each in members)
    steps = reduce(np.intersect1d, [each.steps for each in members])
    values = np.stack([each.values[np.searchsorted(each.steps, steps)] for each in members])
    # Not np.nanmean: a mean over fewer seeds than before would be a step that no seed made.
    mean, low, high = (
        Series(name, steps, each, exact=exact, place=place)
        for each in (values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    )
    return mean, Band(low, high, of)
