"""Average effects: intervals by hand and against other procedures, and what each example adds to every score."""

import msgspec
import numpy as np
import pytest
from present import present
from scipy import stats

from bertmt.comparison.correlation.linear import resampled_correlation_difference
from bertmt.comparison.effects import OVER_PAIRS, TWO_WAY, average_effect, influence
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import COMPUTED
from bertmt.tasks.task import Task

RNG = np.random.default_rng(3)
N = 300
CLASSES = RNG.integers(3, size=N)
PREDICTED = np.where(RNG.random(N) < 0.6, CLASSES, RNG.integers(3, size=N))
NUMBERS = np.round(RNG.uniform(0, 5, N), 1)
GUESSED = NUMBERS + RNG.normal(0, 1, N)


def task_of(metric: str) -> Task:
    if metric in ("pearson", "spearman"):
        return msgspec.structs.replace(BUILTIN["sts"], metrics=(metric,))
    names = ("a", "b") if metric == "f1" else ("a", "b", "c")
    return Task(name="t", title="T", inputs="single", classes=names, metrics=(metric,))


@pytest.mark.parametrize("metric", ["accuracy", "f1", "macro_f1", "matthews", "pearson", "spearman"])
def test_an_influence_is_what_a_little_more_of_an_example_adds(metric: str) -> None:
    labels, predicted = (NUMBERS, GUESSED) if metric in ("pearson", "spearman") else (CLASSES, PREDICTED)
    if metric == "f1":
        labels, predicted = labels % 2, predicted % 2
    found = influence(task_of(metric), labels, predicted)
    assert found.shape == (N,) and abs(found.mean()) < 1e-9
    # The whole sample twenty times over, with one example once more: Δ is about its influence / (20 n + 1).
    times = 20
    before = COMPUTED[metric](np.tile(predicted, times), np.tile(labels, times))
    for at in (0, 7, 50):
        more = COMPUTED[metric](np.append(np.tile(predicted, times), predicted[at]),
                                np.append(np.tile(labels, times), labels[at]))  # fmt: skip
        assert (present(more) - present(before)) * (times * N + 1) == pytest.approx(found[at], abs=2e-3)


def test_over_pairs_alone_the_interval_is_students() -> None:
    differences = [0.02, 0.035, -0.01, 0.04, 0.015]
    found = average_effect("sst", differences)
    expected = stats.ttest_1samp(differences, 0.0)
    assert (found.test, found.pairs) == (OVER_PAIRS, 5)
    assert found.p == pytest.approx(expected.pvalue)
    np.testing.assert_allclose((present(found.low), present(found.high)), expected.confidence_interval(0.95))


def layout(rng: np.random.Generator, pairs: int, n: int, of_pair: float, of_example: float) -> np.ndarray:
    """Differences of pair and example: an effect of each, and noise of size 1."""
    rows, columns = rng.normal(0, of_pair, (pairs, 1)), rng.normal(0, of_example, n)
    return rows + columns + rng.normal(size=(pairs, n))


def test_the_variance_is_that_of_the_two_way_layout() -> None:
    cells = layout(RNG, 4, 50, 0.5, 1.5)
    k, n = cells.shape
    means = cells.mean(axis=1)
    found = average_effect("sst", list(means), [list(cells - means[:, None])])
    # By the mean squares of the textbook's analysis of variance without replication.
    of_rows = n * cells.mean(axis=1).var(ddof=1)
    of_columns = k * cells.mean(axis=0).var(ddof=1)
    rest = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    of_rest = (rest**2).sum() / ((k - 1) * (n - 1))
    assert present(found.standard_error) ** 2 == pytest.approx((of_rows + of_columns - of_rest) / (k * n))
    assert found.test == TWO_WAY


def test_examples_that_move_all_pairs_alike_widen_the_interval_and_noise_does_not() -> None:
    shared, alone = RNG.normal(size=200), RNG.normal(size=(6, 200))
    differences = [0.01, 0.012, 0.009, 0.011, 0.01, 0.0105]
    over_pairs = present(average_effect("sst", differences).standard_error)
    same = present(average_effect("sst", differences, [[shared - shared.mean()] * 6]).standard_error)
    assert same == pytest.approx(np.hypot(over_pairs, shared.std(ddof=1) / np.sqrt(200)))
    own = alone - alone.mean(axis=1, keepdims=True)
    assert present(average_effect("sst", differences, [list(own)]).standard_error) < same / 2


def test_dev_sets_of_their_own_are_independent() -> None:
    one, other = RNG.normal(size=(2, 100))
    differences = [0.01, 0.02]
    found = average_effect("overall", differences, [[one - one.mean()] * 2, [other - other.mean()] * 2])
    squares = np.var(differences, ddof=1) / 2 + (one.var(ddof=1) + other.var(ddof=1)) / 100
    assert present(found.standard_error) ** 2 == pytest.approx(squares)


def test_with_one_dev_example_set_and_equal_pairs_it_is_the_error_of_compare() -> None:
    other = NUMBERS + RNG.normal(0, 1.2, N)
    by_compare = resampled_correlation_difference(NUMBERS, GUESSED, other, 0, RNG).standard_error
    task = task_of("pearson")
    difference = influence(task, NUMBERS, other) - influence(task, NUMBERS, GUESSED)
    found = average_effect("sts", [0.01, 0.0101], [[difference, difference]])
    assert found.standard_error == pytest.approx(by_compare, rel=0.01)


def test_one_pair_has_no_interval_and_decides_nothing() -> None:
    [found] = judge([average_effect("sst", [0.3])])
    assert (found.difference, found.p, found.interval) == (pytest.approx(0.3), None, None)
    assert found.verdict is Verdict.UNDECIDED and "One pair" in present(found.remark)


def test_pairs_that_are_copies_of_each_other_are_no_sample() -> None:
    [found] = judge([average_effect("sst", [0.25, 0.25, 0.25])])
    assert (found.p, found.interval, found.verdict) == (None, None, Verdict.UNDECIDED)
