"""Every metric against scikit-learn or SciPy, by hand where they have none, and where it is undefined."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from bertmt.tasks import metrics
from bertmt.tasks.metrics import COMPUTED, accuracy, f1, macro_f1, matthews, mean_squared_error, pearson, spearman
from bertmt.tasks.task import METRICS

values = st.floats(-1e6, 1e6, allow_subnormal=False)
pairs = st.lists(st.tuples(values, values), min_size=3, max_size=40)
OF_CLASSES = tuple(name for name, metric in METRICS.items() if metric.target == "classes")


def classes(most: int) -> Any:
    """Predictions and labels of up to so many classes."""
    return st.lists(st.tuples(st.integers(0, most - 1), st.integers(0, most - 1)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def reference() -> Any:
    """scikit-learn's metrics; it is slow to import."""
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed: nothing to compare with")


def test_every_metric_is_computed_and_no_other() -> None:
    assert COMPUTED.keys() == METRICS.keys()


# Against others


@given(classes(5))
def test_metrics_of_classes_equal_scikit_learns(reference: Any, data: list[tuple[int, int]]) -> None:
    found, wanted = np.array(data).T
    assert accuracy(found, wanted) == pytest.approx(reference.accuracy_score(wanted, found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one class only
        assert macro_f1(found, wanted) == pytest.approx(reference.f1_score(wanted, found, average="macro"))
        expected = reference.matthews_corrcoef(wanted, found)
    if len(set(found)) > 1 and len(set(wanted)) > 1:
        assert matthews(found, wanted) == pytest.approx(expected, abs=1e-12)


@given(classes(2))
def test_f1_equals_scikit_learns(reference: Any, data: list[tuple[int, int]]) -> None:
    found, wanted = np.array(data).T
    assume(1 in found or 1 in wanted)
    assert f1(found, wanted) == pytest.approx(reference.f1_score(wanted, found))


@given(classes(4))
def test_matthews_is_the_correlation_of_the_two_tables_of_classes(data: list[tuple[int, int]]) -> None:
    found, wanted = np.array(data).T
    assume(len(set(found)) > 1 and len(set(wanted)) > 1)
    x, y = (np.eye(4)[side] - np.eye(4)[side].mean(axis=0) for side in (found, wanted))
    assert matthews(found, wanted) == pytest.approx((x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()))


@given(pairs)
def test_correlations_equal_scipys(data: list[tuple[float, float]]) -> None:
    first, second = np.array(data).T
    for side in (first, second):
        assume(np.ptp(side) > 1e-6 * np.abs(side).max())
    assert pearson(first, second) == pytest.approx(scipy.stats.pearsonr(first, second).statistic, abs=1e-9)
    assert spearman(first, second) == pytest.approx(scipy.stats.spearmanr(first, second).statistic, abs=1e-9)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_ranks_equal_scipys(data: list[int]) -> None:
    assert metrics.ranks(np.array(data, dtype=float)).tolist() == scipy.stats.rankdata(data).tolist()


# By hand


def test_accuracy_is_the_share_of_equal_labels() -> None:
    assert accuracy([0, 1, 2, 3], [0, 1, 2, 0]) == 0.75


def test_f1_by_hand() -> None:
    # 2 hits, 1 false alarm, 1 missed: 4 / 6.
    assert f1([1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == pytest.approx(4 / 6)
    assert f1([1, 0], [0, 1]) == 0.0


def test_macro_f1_by_hand() -> None:
    # Class 0: 2·1/(1+2) = 2/3; class 1: 2·1/(2+1) = 2/3; class 4, which is predicted for none: 0; 2 and 3 are nowhere.
    assert macro_f1([0, 1, 1, 0], [0, 1, 4, 0]) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_matthews_by_hand() -> None:
    # (TP·TN − FP·FN) / √(…) = (2·1 − 1·1) / √(3·3·2·2)
    assert matthews([1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == pytest.approx(1 / 6)
    assert matthews([1, 0], [0, 1]) == -1.0


def test_mean_squared_error_by_hand() -> None:
    assert mean_squared_error([1, 2.5], [3, 2]) == pytest.approx((4 + 0.25) / 2)


def test_spearman_goes_by_ranks_and_shares_those_of_equal_values() -> None:
    assert spearman([1, 10, 100], [1, 2, 3]) == pytest.approx(1)
    assert metrics.ranks(np.array([3.0, 1, 3, 2])).tolist() == [3.5, 1, 3.5, 2]


# Where they are undefined


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("labels", [[], [None, None], [1, None]])
def test_metrics_of_classes_without_labels_are_undefined(name: str, labels: list[int | None]) -> None:
    assert COMPUTED[name]([1] * len(labels), labels) is None


@pytest.mark.parametrize(("predicted", "labels"), [([0, 1], [1, 1]), ([1, 1], [1, 1]), ([2], [2])])
def test_matthews_of_labels_of_one_class_is_undefined(predicted: list[int], labels: list[int]) -> None:
    assert matthews(predicted, labels) is None


def test_matthews_of_one_predicted_class_is_0() -> None:
    assert matthews([1, 1, 1], [0, 1, 2]) == 0.0


def test_f1_without_any_of_class_1_is_undefined() -> None:
    assert f1([0, 0], [0, 0]) is None
    assert macro_f1([0, 0], [0, 0]) == 1.0


UNDEFINED: list[tuple[list[float], Any]] = [
    ([], []),
    ([0.5], [1.0]),
    ([0.5, 0.5, 0.5], [0.0, 1.0, 2.0]),
    ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]),
    ([0.1, 0.5, 0.7], [3.0, 3.0, 3.0]),
    ([math.nan, 0.5, 0.7], [1.0, 2.0, 3.0]),
    ([math.inf, 0.5, 0.7], [1.0, 2.0, 3.0]),
    ([0.1, 0.5, 0.7], [1.0, None, 3.0]),
]


@pytest.mark.parametrize("correlation", [pearson, spearman])
@pytest.mark.parametrize(("predicted", "labels"), UNDEFINED)
def test_a_correlation_is_none_where_it_is_undefined(
    correlation: Callable[..., float | None], predicted: list[float], labels: Any
) -> None:
    assert correlation(predicted, labels) is None


@pytest.mark.parametrize(("predicted", "labels"), [([], []), ([math.nan], [1.0]), ([1.0], [math.inf]), ([1.0], [None])])
def test_a_mean_squared_error_of_what_is_missing_is_undefined(predicted: list[float], labels: Any) -> None:
    assert mean_squared_error(predicted, labels) is None


# What floats do to correlations


def test_the_rounding_noise_of_float64_is_no_variance() -> None:
    assert pearson([0.1, 0.2 - 0.1, 0.3 - 0.2], [1.0, 2.0, 3.0]) is None


@given(pairs, st.floats(0.1, 10), st.floats(-10, 10))
def test_pearson_does_not_depend_on_scale_and_shift(
    data: list[tuple[float, float]], scale: float, shift: float
) -> None:
    first, second = np.round(np.array(data).T, 2)
    expected = pearson(first, second)
    assume(expected is not None and min(np.ptp(first), np.ptp(second)) > 1e-3)
    assert pearson(first * scale + shift, second) == pytest.approx(expected, abs=1e-6)
    assert pearson(second, first) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_pearson_survives_huge_and_tiny_values(size: float) -> None:
    assert pearson(np.array([1.0, 2, 4]) * size, [1, 2, 4]) == pytest.approx(1)


@given(st.floats(0.01, 1), st.integers(0, 2**32 - 1))
def test_rounding_noise_of_float32_is_no_variance(level: float, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-1, 2, size=50)
    cosines = (np.float32(level) * (1 + noise * np.finfo(np.float32).eps)).astype(np.float32)
    assert pearson(cosines, np.arange(50)) is None


def test_small_but_real_variance_counts() -> None:
    cosines = (0.99 + 1e-4 * np.arange(50)).astype(np.float32)
    assert pearson(cosines, np.arange(50)) == pytest.approx(1, abs=1e-5)


def test_pearson_stays_within_its_bounds() -> None:
    assert pearson([1, 2, 3], [-10, -20, -30]) == -1.0


@pytest.mark.parametrize("name", METRICS)
def test_sides_of_different_length_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="one prediction per label"):
        COMPUTED[name]([1], [1, 2])
