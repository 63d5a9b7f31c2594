"""The symmetric bootstrap-t equals a plain loop over resamples, and says so where nothing is known."""

import math
from typing import Any

import numpy as np
import pytest
from made_up_predictions import compare_task, similarities
from present import present

from bertmt.comparison import bootstrap
from bertmt.comparison.bootstrap import Resampled, symmetric_interval
from bertmt.comparison.correlation import linear
from bertmt.comparison.paired import PairedPredictions
from bertmt.tasks.builtin import BUILTIN


def resampled(
    estimate: float = 0.5,
    error: float = 2.0,
    draws: tuple[float, ...] = (0.5, 1.5, -0.5, 3.5),
    errors: tuple[float, ...] = (1.0, 2.0, 1.0, 1.0),
    bound: float = 100.0,
) -> Resampled:
    return Resampled(estimate, error, np.array(draws), np.array(errors), bound)


def plain_difference(y: Any, a: Any, b: Any) -> tuple[Any, float]:
    """r_b − r_a, and its standard error from the textbook influence z_y z_x − r (z_y² + z_x²)/2 of an example on r."""
    z_y, z_a, z_b = ((values - values.mean()) / values.std() for values in (y, a, b))
    r_a, r_b = np.corrcoef(y, a)[0, 1], np.corrcoef(y, b)[0, 1]
    on_a = z_y * z_a - r_a * (z_y**2 + z_a**2) / 2
    on_b = z_y * z_b - r_b * (z_y**2 + z_b**2) / 2
    return r_b - r_a, math.sqrt(np.sum((on_b - on_a) ** 2)) / len(y)


@pytest.mark.parametrize("level", [0.05, 0.0125, 0.05 / 12])
def test_the_interval_of_correlations_is_that_of_a_plain_loop(level: float) -> None:
    resamples = linear.CHUNK + 90  # more than one chunk, the last not full
    pair = similarities(40, noise_b=0.6)
    arrays = (pair.labels, pair.predicted_a, pair.predicted_b)
    found = linear.resampled_correlation_difference(*arrays, resamples, np.random.default_rng(5))
    estimate, error = plain_difference(*arrays)
    assert (found.estimate, found.standard_error, found.bound) == pytest.approx((estimate, error, 2.0), rel=1e-9)
    distances = []
    for row, rows in enumerate(np.random.default_rng(5).integers(40, size=(resamples, 40))):
        draw, draw_error = plain_difference(*(each[rows] for each in arrays))
        assert (found.draws[row], found.draw_errors[row]) == pytest.approx((draw, draw_error), rel=1e-9)
        distances.append(abs(draw - estimate) / draw_error)
    interval = symmetric_interval(found)
    reach = sorted(distances)[math.ceil((1 - level) * (resamples - 1))] * error
    assert interval.at(level) == pytest.approx((estimate - reach, estimate + reach), rel=1e-9)
    assert interval.method == f"symmetric bootstrap-t, {resamples} resamples"


def test_the_standard_error_of_correlations_is_the_jackknifes() -> None:
    pair = similarities(150, noise_b=0.6)
    arrays = (pair.labels, pair.predicted_a, pair.predicted_b)
    left_out = [plain_difference(*(np.delete(each, i) for each in arrays))[0] for i in range(150)]
    assert compare_task(pair, 10).standard_error == pytest.approx(math.sqrt(149 * np.var(left_out)), rel=0.03)


def test_resampled_accuracies_are_those_of_a_plain_loop() -> None:
    found = bootstrap.resampled_accuracy_difference(7, 3, 40, 20, np.random.default_rng(1))
    drawn = np.random.default_rng(1).multinomial(40, [7 / 40, 3 / 40, 30 / 40], size=20)
    for draw, error, counts in zip(found.draws, found.draw_errors, drawn, strict=True):
        each = np.repeat([1, -1, 0], counts)
        assert (draw, error) == pytest.approx((each.mean(), each.std() / math.sqrt(40)))
    each = np.repeat([1, -1, 0], [7, 3, 30])
    assert (found.estimate, found.standard_error) == pytest.approx((0.1, each.std() / math.sqrt(40)))
    assert found.bound == 1.0


def test_a_weighted_sum_of_independent_statistics() -> None:
    first, second = resampled(), resampled(0.2, 1.5, (0.1, 0.2, 0.3, math.nan), (3.0, 0.5, 0.0, 1.0), 10.0)
    found = bootstrap.total([first.times(0.5), second.times(2.0)])
    assert found.estimate == pytest.approx(0.25 + 0.4)
    assert found.standard_error == pytest.approx(math.sqrt(1.0**2 + 3.0**2))
    assert found.draws == pytest.approx([0.45, 1.15, 0.35, math.nan], nan_ok=True)
    assert found.draw_errors == pytest.approx(np.sqrt([0.25 + 36, 1 + 1, 0.25, 0.25 + 4]))
    assert found.bound == 70.0


def test_the_reach_is_the_distance_that_at_most_a_share_of_the_resamples_exceeds() -> None:
    # 0, 1/2, 1 and 3 standard errors of their own away from 0.5, whose standard error is 2.
    interval = symmetric_interval(resampled())
    assert interval.at(0.001) == (0.5 - 6, 0.5 + 6)
    assert interval.at(0.34) == (0.5 - 2, 0.5 + 2)
    assert interval.at(0.67) == (0.5 - 1, 0.5 + 1)
    assert interval.at(1.0) == (0.5, 0.5)


def test_no_end_is_beyond_what_is_possible() -> None:
    assert symmetric_interval(resampled(bound=3.0)).at(0.001) == (-3.0, 3.0)
    assert symmetric_interval(resampled(bound=6.0)).at(0.001) == (-5.5, 6.0)
    assert symmetric_interval(resampled(estimate=-0.5, bound=6.0)).at(0.001)[0] == -6.0


@pytest.mark.parametrize(
    ("draw", "error"), [(math.nan, 1.0), (0.4, math.nan), (0.4, 0.0)], ids=["undefined", "undefined error", "no error"]
)
def test_resamples_of_which_nothing_is_known_count_as_infinitely_far(draw: float, error: float) -> None:
    interval = symmetric_interval(resampled(draws=(0.5, 0.6, 0.7, draw), errors=(1.0, 1.0, 1.0, error)))
    assert interval.at(0.34) == pytest.approx((0.5 - 0.4, 0.5 + 0.4))
    assert interval.at(0.3) == (-100.0, 100.0)


def test_what_no_resample_changes_has_no_width() -> None:
    # But for rounding, and whatever its standard error is then.
    interval = symmetric_interval(resampled(0.5, 0.0, (0.5, 0.5 + 1e-15, 0.5, 0.5), (0.0, 0.0, math.nan, 1e-17)))
    assert interval.at(0.001) == (0.5, 0.5)


def test_an_undefined_value_of_a_statistic_without_error_leaves_everything_possible() -> None:
    interval = symmetric_interval(resampled(0.5, 0.0, (0.5, math.nan), (0.0, 0.0), 2.0))
    assert interval.at(0.05) == (-2.0, 2.0)


def test_correlations_that_are_equal_but_for_scale_differ_by_nothing() -> None:
    pair = similarities(50)
    for factor in (1.0, 3.0):
        result = compare_task(
            PairedPredictions(BUILTIN["sts"], pair.labels, pair.predicted_a, factor * pair.predicted_a), 200
        )
        assert (result.low, result.high) == pytest.approx((0.0, 0.0), abs=1e-12)
        assert (result.standard_error, result.detectable) == (0.0, None)


@pytest.mark.parametrize("different", [1, 2, 3, 8])
def test_runs_that_differ_in_a_few_examples_are_not_known_to_differ_by_little(different: int) -> None:
    # A resample without any of them has no difference and no error: e^-3 of the resamples are more than 5 %.
    pair = similarities(200)
    predicted = pair.predicted_a.copy()
    predicted[:different] += np.linspace(0.5, 1.0, different)
    result = compare_task(PairedPredictions(BUILTIN["sts"], pair.labels, pair.predicted_a, predicted), 2000)
    known = different > 3
    assert ((result.low, result.high) != (-2.0, 2.0)) == known
    assert present(result.low) < present(result.difference) < present(result.high)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_of_a_handful_of_examples_nothing_is_known(n: int) -> None:
    pair = similarities(n)
    result = compare_task(PairedPredictions(BUILTIN["sts"], pair.labels, pair.labels**2, pair.predicted_b), 2000)
    assert (result.low, result.high) == (-2.0, 2.0)


def test_resamples_without_variance_are_undefined_whatever_rounding_leaves() -> None:
    # 9 of 10 predictions are the same number, so that about a third of the resamples have no other.
    y, a = np.arange(10.0), np.sin(np.arange(10.0))
    b = np.where(y == 3, 0.7, 0.1)
    found = linear.resampled_correlation_difference(y, a, b, 1000, np.random.default_rng(2))
    drawn = np.random.default_rng(2).integers(10, size=(1000, 10))
    assert np.array_equal(np.isnan(found.draws), ~(drawn == 3).any(axis=1))


def test_the_interval_covers_also_where_there_are_few_examples() -> None:
    # Where BCa holds a true difference of 0 in 90 % of samples.
    results = [compare_task(similarities(30, 0.6, 0.6, seed), resamples=300) for seed in range(300)]
    assert np.mean([present(each.low) <= 0 <= present(each.high) for each in results]) >= 0.95
    assert np.mean([present(each.high) - present(each.low) for each in results]) < 0.3
