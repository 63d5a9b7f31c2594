"""The BCa interval equals scipy's on the same draws, to the last digits."""

import numpy as np
import pytest
from scipy import stats

from bertmt.comparison import bootstrap


def jackknife_influence(values, statistic):
    """(n − 1)(mean of the leave-one-out values − its own) / n, as `Resampled` wants it."""
    n = len(values)
    left_out = np.array([statistic(np.delete(values, i)) for i in range(n)])
    return (n - 1) * (left_out.mean() - left_out) / n


@pytest.mark.parametrize("level", [0.05, 0.0125, 0.05 / 12])
def test_of_one_skewed_sample(level):
    values = np.random.default_rng(0).exponential(size=30) ** 1.5
    slow = stats.bootstrap(
        (values,), np.mean, confidence_level=1 - level, n_resamples=3000, method="BCa", rng=np.random.default_rng(1)
    )
    resampled = bootstrap.Resampled(
        float(values.mean()), slow.bootstrap_distribution, jackknife_influence(values, np.mean)
    )
    found = bootstrap.bca(resampled).at(level)
    assert found == pytest.approx((slow.confidence_interval.low, slow.confidence_interval.high), rel=1e-9)
    # It is far from what a simpler interval would be: percentiles, or without bias or acceleration.
    percentiles = np.quantile(slow.bootstrap_distribution, [level / 2, 1 - level / 2])
    assert abs(found[1] - percentiles[1]) > 0.03


@pytest.mark.parametrize("part", ["bias", "acceleration"])
def test_both_corrections_move_the_ends_to_the_right_side(part):
    values = np.random.default_rng(2).exponential(size=25)
    draws = np.sort(np.random.default_rng(3).choice(values, size=(4000, 25)).mean(axis=1))
    plain = {"bias": 0.0, "acceleration": 0.0}
    low, high = bootstrap.BcaInterval(draws, **plain).at(0.05)
    # More than half of the draws below the estimate, or a spread that grows with it: the interval moves up.
    corrected_low, corrected_high = bootstrap.BcaInterval(draws, **{**plain, part: 0.1}).at(0.05)
    assert corrected_low > low and corrected_high > high


def test_of_two_independent_samples():
    rng = np.random.default_rng(4)
    first, second = rng.exponential(size=20), rng.normal(size=35)

    def difference(x, y, axis=-1):
        return x.mean(axis=axis) - y.mean(axis=axis)

    slow = stats.bootstrap((first, second), difference, n_resamples=3000, method="BCa", rng=np.random.default_rng(5))
    parts = [
        bootstrap.Resampled(float(first.mean()), slow.bootstrap_distribution, jackknife_influence(first, np.mean)),
        bootstrap.Resampled(-float(second.mean()), np.zeros(3000), -jackknife_influence(second, np.mean)),
    ]
    found = bootstrap.bca(bootstrap.total(parts)).at(0.05)
    # scipy weights the samples' accelerations by their sizes in its own way; of a few thousandths here.
    assert found == pytest.approx((slow.confidence_interval.low, slow.confidence_interval.high), abs=0.01)


def test_the_standard_error_is_that_of_the_draws():
    rng = np.random.default_rng(6)
    resampled = bootstrap.resampled_accuracy_difference(60, 40, 500, 20_000, rng)
    assert resampled.standard_error == pytest.approx(resampled.draws.std(), rel=0.02)
    assert resampled.times(3).standard_error == pytest.approx(3 * resampled.standard_error)


def test_a_weighted_sum_has_the_sum_of_the_parts():
    rng = np.random.default_rng(7)
    parts = [bootstrap.resampled_accuracy_difference(30, 20, 200, 5, rng) for _ in range(2)]
    together = bootstrap.total([parts[0].times(0.5), parts[1].times(0.25)])
    assert together.estimate == pytest.approx(0.75 * 0.05)
    assert together.draws == pytest.approx(0.5 * parts[0].draws + 0.25 * parts[1].draws)
    assert len(together.influence) == 400


def test_an_interval_near_a_pole_of_the_formula_ends_at_the_most_extreme_draw():
    draws = np.arange(100.0)
    low, high = bootstrap.BcaInterval(draws, bias=3.0, acceleration=1 / 6).at(0.001)
    assert low <= high == 99.0
