"""Scores against independent references."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from bertmt.tasks.scores import accuracy, confusion, overall, pearson, score

values = st.floats(-1e6, 1e6, allow_subnormal=False)
pairs = st.lists(st.tuples(values, values), min_size=3, max_size=40)


def test_accuracy_is_the_share_of_equal_labels() -> None:
    assert accuracy([0, 1, 2, 3], [0, 1, 2, 0]) == 0.75


@pytest.mark.parametrize("labels", [[], [None, None], [1, None]])
def test_accuracy_without_labels_is_undefined(labels: list[None] | list[int | None]) -> None:
    assert accuracy([1] * len(labels), labels) is None


@given(pairs)
def test_pearson_equals_scipys(data: list[tuple[float, float]]) -> None:
    first, second = np.array(data).T
    for side in (first, second):
        assume(np.ptp(side) > 1e-6 * np.abs(side).max())
    assert pearson(first, second) == pytest.approx(scipy.stats.pearsonr(first, second).statistic, abs=1e-9)


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


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [
        ([], []),
        ([0.5], [1.0]),
        ([0.5, 0.5, 0.5], [0.0, 1.0, 2.0]),
        ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]),
        ([0.1, 0.5, 0.7], [3.0, 3.0, 3.0]),
        ([0.1, 0.2 - 0.1, 0.3 - 0.2], [1.0, 2.0, 3.0]),
        ([math.nan, 0.5, 0.7], [1.0, 2.0, 3.0]),
        ([math.inf, 0.5, 0.7], [1.0, 2.0, 3.0]),
        ([0.1, 0.5, 0.7], [1.0, None, 3.0]),
    ],
)
def test_pearson_is_none_where_it_is_undefined(
    predicted: list[float], labels: list[float] | list[float | None]
) -> None:
    assert pearson(predicted, labels) is None


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


def test_each_task_has_its_own_score() -> None:
    assert score("sst", [4, 0], [4, 1]) == 0.5
    assert score("para", [1, 0], [1, 0]) == 1.0
    assert score("sts", [0.1, 0.5, 0.2], [1, 5, 2]) == pytest.approx(1)


def test_the_overall_score_maps_rho_to_the_unit_interval() -> None:
    # The paper's Figure 1 with S = (1 + ρ)/2, as decision 4 works out: 0.774.
    assert overall({"sst": 0.531, "para": 0.861, "sts": 0.858}) == pytest.approx(0.774, abs=5e-4)


@pytest.mark.parametrize("missing", ["sst", "para", "sts"])
def test_the_overall_score_needs_all_three(missing: str) -> None:
    scores = {"sst": 0.5, "para": 0.8, "sts": 0.4}
    assert overall({**scores, missing: None}) is None
    assert overall({name: value for name, value in scores.items() if name != missing}) is None


def test_a_confusion_matrix_counts_true_by_predicted() -> None:
    assert confusion("para", [1, 0, 1, 1], [1, 1, 0, 1]).tolist() == [[0, 1], [1, 2]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_a_confusion_matrix_agrees_with_accuracy_and_counts(data: list[Any]) -> None:
    predicted, labels = zip(*data, strict=True)
    matrix = confusion("sst", predicted, labels)
    assert matrix.shape == (5, 5)
    assert matrix.trace() / matrix.sum() == pytest.approx(accuracy(predicted, labels))
    assert matrix.sum(axis=1).tolist() == [labels.count(each) for each in range(5)]
    assert matrix.sum(axis=0).tolist() == [predicted.count(each) for each in range(5)]


def test_examples_without_a_label_are_not_in_a_confusion_matrix() -> None:
    assert confusion("para", [1, 0], [None, 0]).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(("task", "predicted"), [("sts", [0.5]), ("sst", [5]), ("sst", [1.5]), ("para", [-1])])
def test_a_confusion_matrix_of_something_else_is_refused(task: str, predicted: list[float] | list[int]) -> None:
    with pytest.raises(ValueError, match="class"):
        confusion(task, predicted, [1])


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one prediction per label"):
        accuracy([1], [1, 2])
