"""The interval of one run's score."""

import numpy as np
import pytest
from made_up_predictions import A_TASK
from present import present
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from bertmt.comparison.single_scores import interval_of_score, wilson
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import COMPUTED
from bertmt.tasks.task import Task


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (10, 10), (550, 1101), (1, 40_000)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_interval_of_a_share_is_statsmodels(right: int, n: int, level: float) -> None:
    expected = proportion_confint(right, n, alpha=level, method="wilson")
    assert wilson(right / n, n, level) == pytest.approx(expected, abs=1e-12)


def test_accuracy_has_the_interval_of_its_share() -> None:
    labels = np.arange(100) % 5
    predicted = np.where(np.arange(100) < 62, labels, (labels + 1) % 5)
    assert interval_of_score(BUILTIN["sst"], predicted, labels) == pytest.approx(
        proportion_confint(62, 100, method="wilson"), abs=1e-12
    )


def noisy(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.normal(size=n)
    return labels + rng.normal(size=n), labels


def test_of_normal_numbers_pearsons_interval_is_about_fishers() -> None:
    predicted, labels = noisy(800, 0)
    fisher = stats.pearsonr(predicted, labels).confidence_interval(0.95)
    assert interval_of_score(BUILTIN["sts"], predicted, labels) == pytest.approx(tuple(fisher), abs=0.008)


def test_spearmans_interval_is_about_as_wide_as_scipys_bootstrap() -> None:
    predicted, labels = noisy(400, 1)
    slow = stats.bootstrap(
        (predicted, labels), lambda x, y: stats.spearmanr(x, y).statistic, paired=True, n_resamples=1000,
        vectorized=False, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    grades = A_TASK["spearman"]
    assert interval_of_score(grades, predicted, labels) == pytest.approx((slow.low, slow.high), abs=0.02)


@pytest.mark.parametrize("metric", ["f1", "macro_f1", "matthews"])
def test_functions_of_the_confusions_have_an_interval_about_as_wide_as_a_plain_bootstrap(metric: str) -> None:
    task, rng = A_TASK[metric], np.random.default_rng(2)
    labels = rng.integers(len(task.classes), size=500)
    predicted = np.where(rng.random(500) < 0.7, labels, rng.integers(len(task.classes), size=500))
    rows = rng.integers(500, size=(2000, 500))
    draws = [present(COMPUTED[metric](predicted[row], labels[row])) for row in rows]
    low, high = present(interval_of_score(task, predicted, labels))
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.02)
    assert low < present(COMPUTED[metric](predicted, labels)) < high


@pytest.mark.parametrize("task", [BUILTIN["sst"], BUILTIN["sts"], A_TASK["f1"], A_TASK["spearman"]])
def test_the_same_run_has_the_same_interval_again_and_it_lies_within_the_bounds(task: Task) -> None:
    labels = np.arange(12) % 2
    predicted = np.where(np.arange(12) < 10, labels, 1 - labels)
    low, high = present(interval_of_score(task, predicted, labels))
    assert (low, high) == interval_of_score(task, predicted, labels)
    assert (-1 if task.metric.signed else 0) <= low < high <= 1


@pytest.mark.parametrize("task", [BUILTIN["sts"], A_TASK["spearman"], BUILTIN["sst"]])
def test_what_has_no_score_has_no_interval(task: Task) -> None:
    assert interval_of_score(task, np.array([]), np.array([])) is None
    assert interval_of_score(task, np.array([np.nan, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])) is None


def test_equal_predictions_have_no_interval_of_a_correlation() -> None:
    assert interval_of_score(BUILTIN["sts"], np.ones(9), np.arange(9.0)) is None
