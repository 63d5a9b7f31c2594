"""The bias-corrected and accelerated bootstrap, for one sample or for several independent ones.

Source: Efron 1987, JASA 82:171; Efron & Tibshirani 1993, chapter 14, the acceleration summed over the samples.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import special

SEED = 0  # of all resampling: the same two runs give the same numbers on every day
LEAST_RESAMPLES = 10_000
# A p from resamples is a multiple of 1 / (resamples + 1). With 400 per row of the family, some 20 of them lie below
# the smallest of Holm's thresholds, 0.05 / rows, and 10 beyond each end of the interval at that level.
RESAMPLES_PER_ROW = 400


def resamples_for(rows: int) -> int:
    """How many resamples a family of so many comparisons needs."""
    return max(LEAST_RESAMPLES, RESAMPLES_PER_ROW * rows)


@dataclass(frozen=True)
class Resampled:
    """A statistic in resamples of the data it was computed from.

    Attributes:
        estimate: the statistic itself.
        draws: its values in the resamples.
        influence: of every example on it, divided by the number of examples.
    """

    estimate: float
    draws: np.ndarray
    influence: np.ndarray

    @property
    def standard_error(self) -> float:
        """Of the estimate, by the delta method: the root of the summed squares of all influences."""
        return float(np.sqrt(np.nansum(self.influence**2)))

    def times(self, weight: float) -> "Resampled":
        """The statistic times a constant."""
        return Resampled(weight * self.estimate, weight * self.draws, weight * self.influence)

    def plus(self, other: "Resampled") -> "Resampled":
        """The sum of two statistics of independent samples."""
        together = np.concatenate([self.influence, other.influence])
        return Resampled(self.estimate + other.estimate, self.draws + other.draws, together)


@dataclass(frozen=True, eq=False)
class BcaInterval:
    """The bias-corrected and accelerated interval.

    Attributes:
        draws: the statistic in resamples, ascending; `acceleration`: how its standard error changes with its value.
        bias: z of the share of draws below the estimate.
    """

    draws: np.ndarray
    bias: float
    acceleration: float

    @property
    def method(self) -> str:
        """Its name, with the number of resamples."""
        return f"BCa bootstrap, {len(self.draws):,} resamples"

    def at(self, level: float) -> tuple[float, float]:
        """The ends, as quantiles of the draws (Efron 1987, equation 3.8)."""
        shifted = self.bias + special.ndtri(np.array([level / 2, 1 - level / 2]))
        # At a pole, which only a few examples with an outlier come near, the end is the most extreme draw.
        stretched = shifted / np.maximum(1 - self.acceleration * shifted, 1e-9)
        low, high = np.quantile(self.draws, special.ndtr(self.bias + stretched))
        return float(low), float(high)


def total(parts: list[Resampled]) -> Resampled:
    """The sum of statistics of independent samples."""
    return reduce(Resampled.plus, parts)


def resampled_accuracy_difference(
    fixed: int, broken: int, n: int, resamples: int, rng: np.random.Generator
) -> Resampled:
    """(fixed − broken) / n in resamples of the n examples, drawn as counts."""
    estimate = (fixed - broken) / n
    drawn = rng.multinomial(n, [fixed / n, broken / n, (n - fixed - broken) / n], size=resamples)
    each = np.repeat([1.0, -1.0, 0.0], [fixed, broken, n - fixed - broken])
    return Resampled(estimate, (drawn[:, 0] - drawn[:, 1]) / n, (each - estimate) / n)


def bca(resampled: Resampled) -> BcaInterval | None:
    """The interval of a resampled statistic; None where most resamples leave it undefined."""
    draws = np.sort(resampled.draws[np.isfinite(resampled.draws)])
    if not len(draws) or 2 * len(draws) < len(resampled.draws):
        return None
    influence = resampled.influence[np.isfinite(resampled.influence)]
    squares = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares else 0.0
    return BcaInterval(draws, float(special.ndtri(_share_below(draws, resampled.estimate))), acceleration)


def _share_below(draws: np.ndarray, value: float) -> float:
    """Share of the draws below a value, ties half, never quite 0 or 1."""
    count = len(draws)
    share = ((draws < value).sum() + (draws == value).sum() / 2) / count
    return float(np.clip(share, 1 / (count + 1), count / (count + 1)))
