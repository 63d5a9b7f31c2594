"""Two rank correlations with the same labels: the pieces of their paired bootstrap.

Spearman's ρ is Pearson's of the ranks, equal values sharing their mean rank. A resample of the examples is ranked anew,
as another sample would be; what an example does to the ranks of the others is in the standard error too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bertmt.comparison.bootstrap import ROUNDING, Resampled

CHUNK = 50  # resamples counted at a time, as in `linear`


@dataclass(frozen=True, eq=False)
class _Order:
    """How examples are ordered by one of their values.

    Attributes:
        order: the examples from the least value to the greatest, (n,); `starts`: where in it another value begins.
        places: of each example, the number of its value, (n,).
    """

    order: np.ndarray
    starts: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "_Order":
        _, starts, places = np.unique(np.sort(values), return_index=True, return_inverse=True)
        order = np.argsort(values, kind="stable")
        by_example = np.empty_like(places)
        by_example[order] = places
        return cls(order, starts, by_example)

    def up_to(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each example, the sums of amounts over those with a lower value, and with no greater one; (n, k) each."""
        of_value = np.add.reduceat(amounts[self.order], self.starts)
        up_to = np.cumsum(of_value, axis=0)
        return (up_to - of_value)[self.places], up_to[self.places]


def resampled_rank_correlation_difference(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, resamples: int, rng: np.random.Generator
) -> Resampled:
    """ρ_b − ρ_a in resamples of the examples, each ranked anew; NaN where all its values are equal."""
    orders = [_Order.of(np.asarray(values)) for values in (labels, predicted_a, predicted_b)]
    return _in_resamples(_differences, orders, resamples, rng, bound=2.0)


def resampled_rank_correlation(
    labels: np.ndarray, predicted: np.ndarray, resamples: int, rng: np.random.Generator
) -> Resampled:
    """ρ in resamples of the examples, each ranked anew; NaN where all its values are equal."""
    orders = [_Order.of(np.asarray(values)) for values in (labels, predicted)]
    return _in_resamples(_single, orders, resamples, rng, bound=1.0)


def _in_resamples(
    valued: Callable[[np.ndarray, list[_Order]], tuple[np.ndarray, np.ndarray]],
    orders: list[_Order],
    resamples: int,
    rng: np.random.Generator,
    bound: float,
) -> Resampled:
    n = len(orders[0].order)
    estimate, error = valued(np.ones((n, 1)), orders)
    draws, errors = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).T.astype(np.float64, order="C")
        draws[start : start + rows], errors[start : start + rows] = valued(counts, orders)
    return Resampled(float(estimate[0]), float(error[0]), draws, errors, bound)


def influence(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """What each example adds to Spearman's ρ of one run, to first order; (n,)."""
    shares = np.full((len(labels), 1), 1 / len(labels))
    of_labels, own = (_Ranked.of(_Order.of(np.asarray(values)), shares) for values in (labels, predicted))
    values: np.ndarray = _correlations(shares, of_labels, own)[1][:, 0]
    return values


@dataclass(frozen=True, eq=False)
class _Ranked:
    """One of the values of all examples, ranked in each resample; arrays (n, k), a column for each resample.

    Attributes:
        centred: the share of examples with a lower value, those with the same counted half, less ½.
        variance: of `centred` over the examples, (k,).
        on_variance: what an example adds to the variance, through its own rank and those of the others.
    """

    order: _Order
    centred: np.ndarray
    variance: np.ndarray
    on_variance: np.ndarray

    @classmethod
    def of(cls, order: _Order, shares: np.ndarray) -> "_Ranked":
        below, up_to = (each - 0.5 for each in order.up_to(shares))
        centred = (below + up_to) / 2
        variance = (shares * centred**2).sum(axis=0)
        # Of the others' ranks: ∫ (t − ½) dt above the example's own, as a mean rank is the mean over its interval of t.
        raised = 1 / 8 - (below**2 + up_to**2) / 4
        return cls(order, centred, variance, centred**2 - variance + 2 * (raised - variance))

    def raised(self, amounts: np.ndarray) -> np.ndarray:
        """The sum of amounts over the examples with a higher value, those with the same counted half; (n, k)."""
        below, up_to = self.order.up_to(amounts)
        above: np.ndarray = amounts.sum(axis=0) - (below + up_to) / 2
        return above


def _differences(counts: np.ndarray, orders: list[_Order]) -> tuple[np.ndarray, np.ndarray]:
    """ρ_b − ρ_a where each example is there so many times, and its standard error; (n, k) → (k,), (k,)."""
    shares = counts / len(counts)
    of_labels, of_a, of_b = (_Ranked.of(order, shares) for order in orders)
    (rho_a, influence_a), (rho_b, influence_b) = (_correlations(shares, of_labels, each) for each in (of_a, of_b))
    errors = np.sqrt((shares * (influence_b - influence_a) ** 2).sum(axis=0) / len(counts))
    return rho_b - rho_a, np.where(errors <= ROUNDING, 0.0, errors)


def _single(counts: np.ndarray, orders: list[_Order]) -> tuple[np.ndarray, np.ndarray]:
    """ρ where each example is there so many times, and its standard error; (n, k) → (k,), (k,)."""
    shares = counts / len(counts)
    rho, influence = _correlations(shares, *(_Ranked.of(order, shares) for order in orders))
    errors = np.sqrt((shares * influence**2).sum(axis=0) / len(counts))
    return rho, np.where(errors <= ROUNDING, 0.0, errors)


def _correlations(shares: np.ndarray, one: _Ranked, other: _Ranked) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's ρ, (k,), and what each example adds to it, (n, k), by the delta method.

    An example adds to the covariance by its own two ranks, and by raising those of all examples above it by one.
    """
    covariance = (shares * one.centred * other.centred).sum(axis=0)
    on_covariance = one.centred * other.centred + one.raised(shares * other.centred) + other.raised(
        shares * one.centred
    ) - 3 * covariance  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.sqrt(one.variance * other.variance)
        scale[np.minimum(one.variance, other.variance) <= ROUNDING] = np.nan  # all examples the same
        rho = covariance * scale
        on_variances = one.on_variance / one.variance + other.on_variance / other.variance
        return rho, on_covariance * scale - rho / 2 * on_variances
