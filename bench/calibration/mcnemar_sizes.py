"""Exact sizes of McNemar's tests, given the number of flips: no simulation is needed."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from bertmt.comparison.proportions import mcnemar, mcnemar_mid_p


def mid_p_size(flips: int, level: float) -> float:
    """The probability that the mid-p is at most the level, given so many flips and no true difference."""
    return _size(flips, level, mcnemar_mid_p)


def used_size(flips: int, level: float) -> float:
    """The same of the p that `compare` uses."""
    return _size(flips, level, lambda fixed, broken: mcnemar(fixed, broken)[0])


def _size(flips: int, level: float, p_of: Callable[[int, int], float]) -> float:
    chances = stats.binom.pmf(np.arange(flips + 1), flips, 0.5)
    # p falls towards both ends: it is enough to find where it crosses the level.
    fixed = 0
    while 2 * fixed < flips and p_of(fixed, flips - fixed) <= level:
        fixed += 1
    return float(2 * chances[:fixed].sum())
