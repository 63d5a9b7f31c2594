"""The symmetric bootstrap-t, for one sample or for several independent ones.

How far the true value lies from the estimate, in standard errors, is taken from how far the resamples' values lie from
the estimate, each in standard errors of its own. Sizes alone are compared: where a few examples carry most of the
statistic, its skewness is estimated so badly that intervals which follow it (BCa, the bootstrap-t with two tails) cover
less than those which do not (docs/methods.md has what each covers).

Source: Hall 1988, "On symmetric bootstrap confidence intervals", J. R. Statist. Soc. B 50:35; Efron & Tibshirani 1993,
section 12.5, on the bootstrap-t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEED = 0  # of all resampling: the same two runs give the same numbers on every day
LEAST_RESAMPLES = 10_000
# A p from resamples is a multiple of 1 / (resamples + 1). With 400 per row of the family, some 20 of them lie below
# the smallest of Holm's thresholds, 0.05 / rows, and as many beyond the ends of the interval at that level.
RESAMPLES_PER_ROW = 400
ROUNDING = 1e-12  # sums of the same numbers in another order differ in their last bits


def resamples_for(rows: int) -> int:
    """How many resamples a family of so many comparisons needs."""
    return max(LEAST_RESAMPLES, RESAMPLES_PER_ROW * rows)


@dataclass(frozen=True, eq=False)
class Resampled:
    """A statistic of a sample and of resamples of it.

    Attributes:
        estimate, standard_error: of the sample.
        draws, draw_errors: the same two of each resample, shape (resamples,); NaN where they are undefined.
        bound: the largest size that the statistic can have.
    """

    estimate: float
    standard_error: float
    draws: np.ndarray
    draw_errors: np.ndarray
    bound: float

    def times(self, weight: float) -> "Resampled":
        """The statistic times a positive constant."""
        return Resampled(
            weight * self.estimate,
            weight * self.standard_error,
            weight * self.draws,
            weight * self.draw_errors,
            weight * self.bound,
        )


def total(parts: Sequence[Resampled]) -> Resampled:
    """The sum of statistics of independent samples, each resampled on its own."""
    return Resampled(
        math.fsum(each.estimate for each in parts),
        math.hypot(*(each.standard_error for each in parts)),
        np.sum([each.draws for each in parts], axis=0),
        np.sqrt(np.sum([each.draw_errors**2 for each in parts], axis=0)),
        math.fsum(each.bound for each in parts),
    )


def drawn_counts(resamples: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n examples is in each resample; (resamples, n)."""
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def resampled_accuracy_difference(
    fixed: int, broken: int, n: int, resamples: int, rng: np.random.Generator
) -> Resampled:
    """(fixed − broken) / n in resamples of the n examples, drawn as counts."""
    drawn = rng.multinomial(n, [fixed / n, broken / n, (n - fixed - broken) / n], size=resamples)
    counts = np.vstack([[fixed, broken], drawn[:, :2]])
    differences, flips = (counts[:, 0] - counts[:, 1]) / n, (counts[:, 0] + counts[:, 1]) / n
    errors = np.sqrt((flips - differences**2) / n)
    return Resampled(float(differences[0]), float(errors[0]), differences[1:], errors[1:], 1.0)


@dataclass(frozen=True, eq=False)
class SymmetricInterval:
    """The symmetric bootstrap-t interval.

    Attributes:
        distances: of the resamples' values from the estimate, in standard errors of their own, ascending.
        bound: beyond ± so much the statistic cannot lie.
    """

    estimate: float
    standard_error: float
    distances: np.ndarray
    bound: float

    @property
    def method(self) -> str:
        """Its name, with the number of resamples."""
        return f"symmetric bootstrap-t, {len(self.distances):,} resamples"

    def at(self, level: float) -> tuple[float, float]:
        """estimate ∓ the distance that a share `level` of the resamples exceeds, or all that is possible.

        That is where it is infinite: so many resamples are undefined, or have another value and no error at all (a
        handful of examples, or two runs that differ in no more than three).
        """
        distance = float(np.quantile(self.distances, 1 - level, method="higher"))
        if math.isinf(distance):
            return -self.bound, self.bound
        reach = distance * self.standard_error
        return max(self.estimate - reach, -self.bound), min(self.estimate + reach, self.bound)


def symmetric_interval(resampled: Resampled) -> SymmetricInterval:
    """The interval of a resampled statistic; undefined resamples count as infinitely far from it."""
    away = np.abs(resampled.draws - resampled.estimate)
    with np.errstate(invalid="ignore", divide="ignore"):
        distances = np.where(away <= ROUNDING, 0.0, away / resampled.draw_errors)
    distances = np.sort(np.nan_to_num(distances, nan=np.inf, posinf=np.inf))
    return SymmetricInterval(resampled.estimate, resampled.standard_error, distances, resampled.bound)


def p_value(interval: SymmetricInterval) -> float:
    """Two-sided p that goes with a symmetric bootstrap-t interval: the share of resamples at least as far from the
    estimate as that is from 0, the sample itself counted among them."""
    away = abs(interval.estimate) / interval.standard_error if interval.standard_error else math.inf
    away = 0.0 if abs(interval.estimate) <= ROUNDING else away
    nearer = int(np.searchsorted(interval.distances, away - ROUNDING))
    return (1 + len(interval.distances) - nearer) / (1 + len(interval.distances))
