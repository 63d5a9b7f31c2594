"""The bias-corrected and accelerated bootstrap, for one sample or for several independent ones.

Source: Efron 1987, JASA 82:171; Efron & Tibshirani 1993, chapter 14, the acceleration summed over the samples.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import special

RESAMPLES = 10_000
SEED = 0  # of the resampling: the same two runs give the same interval on every day


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

    def times(self, weight: float) -> "Resampled":
        """The statistic times a constant."""
        return Resampled(weight * self.estimate, weight * self.draws, weight * self.influence)

    def plus(self, other: "Resampled") -> "Resampled":
        """The sum of two statistics of independent samples."""
        together = np.concatenate([self.influence, other.influence])
        return Resampled(self.estimate + other.estimate, self.draws + other.draws, together)


@dataclass(frozen=True)
class BootstrapResult:
    """95 % interval, the two-sided p that agrees with it, and the standard error."""

    low: float
    high: float
    p: float
    standard_error: float


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


def bca(resampled: Resampled) -> BootstrapResult | None:
    """Interval and p of a resampled statistic; None where most resamples leave it undefined."""
    draws = resampled.draws[np.isfinite(resampled.draws)]
    influence = resampled.influence[np.isfinite(resampled.influence)]
    if 2 * len(draws) < len(resampled.draws) or not len(influence):
        return None
    spread = float(draws.std(ddof=1))
    squares = float((influence**2).sum())
    if spread == 0 or squares == 0:
        certain = 1.0 if resampled.estimate == 0 else 2 / (len(draws) + 1)
        return BootstrapResult(resampled.estimate, resampled.estimate, certain, 0.0)
    bias = float(special.ndtri(_share_below(draws, resampled.estimate)))
    acceleration = float((influence**3).sum()) / (6 * squares**1.5)
    shifted = bias + special.ndtri(np.array([0.025, 0.975]))
    low, high = np.quantile(draws, special.ndtr(bias + shifted / (1 - acceleration * shifted)))
    # The level at which an end of the interval would be 0: the same formula solved for the level.
    at_zero = float(special.ndtri(_share_below(draws, 0.0))) - bias
    one_sided = float(special.ndtr(at_zero / (1 + acceleration * at_zero) - bias))
    p = max(2 * min(one_sided, 1 - one_sided), 2 / (len(draws) + 1))
    return BootstrapResult(float(low), float(high), min(p, 1.0), spread)


def _share_below(draws: np.ndarray, value: float) -> float:
    """Share of the draws below a value, ties half, never quite 0 or 1."""
    count = len(draws)
    share = ((draws < value).sum() + (draws == value).sum() / 2) / count
    return float(np.clip(share, 1 / (count + 1), count / (count + 1)))
