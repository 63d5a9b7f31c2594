"""The paired permutation, against enumeration, scipy and a plain loop."""

import itertools
from typing import Any

import numpy as np
import pytest
from present import present
from scipy import stats

from bertmt.comparison.bootstrap import LEAST_RESAMPLES, resamples_for
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.permutation import exchanged_accuracies, exchanged_correlations, permutation_p
from bertmt.tasks.builtin import BUILTIN


def predictions(n: int = 60, seed: int = 0, noise_b: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels, shared = rng.normal(size=n), rng.normal(size=n)
    return labels, labels + shared + rng.normal(size=n), labels + shared + noise_b * rng.normal(size=n)


def standardised(values: np.ndarray) -> Any:
    return (values - values.mean()) / values.std()


def correlation(x: np.ndarray, y: Any) -> Any:
    return stats.pearsonr(x, y).statistic


def test_all_exchanges_of_a_few_examples_are_drawn_with_the_differences_of_a_plain_loop() -> None:
    labels, a, b = predictions(7)
    z_a, z_b = standardised(a), standardised(b)
    possible = []
    for swaps in itertools.product([False, True], repeat=7):
        possible.append(correlation(labels, np.where(swaps, z_a, z_b)) - correlation(labels, np.where(swaps, z_b, z_a)))
    draws = exchanged_correlations(labels, a, b, 5000, np.random.default_rng(0))
    assert set(np.round(draws, 9)) == set(np.round(possible, 9))
    for value in (0.1, 0.3, 0.6):  # each exchange as often as any other
        assert np.mean(np.abs(draws) >= value) == pytest.approx(np.mean(np.abs(possible) >= value), abs=0.03)


def test_the_p_is_scipys() -> None:
    labels, a, b = predictions(60, noise_b=0.5)

    def difference(z_a: Any, z_b: Any) -> Any:
        return correlation(labels, z_b) - correlation(labels, z_a)

    slow = stats.permutation_test(
        (standardised(a), standardised(b)),
        difference,
        permutation_type="samples",
        vectorized=False,
        n_resamples=4000,
        rng=np.random.default_rng(1),
    )
    (found,) = compare_examples({"sts": PairedPredictions(BUILTIN["sts"], labels, a, b)}, 20_000)
    assert found.test == "paired permutation"
    assert 0.005 < present(found.p) < 0.5
    assert found.p == pytest.approx(slow.pvalue, rel=0.12)


def test_the_scale_of_the_predictions_does_not_matter() -> None:
    labels, a, b = predictions()
    draws = exchanged_correlations(labels, a, b, 100, np.random.default_rng(0))
    other = exchanged_correlations(labels, 5 * a - 3, 0.2 * b + 1, 100, np.random.default_rng(0))
    assert other == pytest.approx(draws, abs=1e-12)


def test_the_p_counts_draws_as_far_on_either_side_and_the_observed_one() -> None:
    assert permutation_p(0.5, np.array([0.1, -0.5, 0.6, -0.2])) == pytest.approx(3 / 5)
    assert permutation_p(-0.5, np.array([0.1, -0.5, 0.6, -0.2])) == pytest.approx(3 / 5)
    assert permutation_p(9.0, np.zeros(99)) == pytest.approx(0.01)


def test_undefined_draws_count_as_far() -> None:
    assert permutation_p(0.5, np.array([0.1, np.nan, 0.2])) == pytest.approx(0.5)


def test_exchanged_accuracies_are_those_of_coins() -> None:
    draws = exchanged_accuracies(30, 12, 400, 20_000, np.random.default_rng(0))
    assert np.std(draws) == pytest.approx(np.sqrt(42) / 400, rel=0.03)
    assert permutation_p(18 / 400, draws) == pytest.approx(stats.binomtest(30, 42).pvalue, rel=0.2)


def test_the_overall_p_is_that_of_exchanging_in_every_task() -> None:
    rng = np.random.default_rng(3)
    labels, a, b = predictions(80, seed=4, noise_b=0.6)
    pairs = {"sts": PairedPredictions(BUILTIN["sts"], labels, a, b)}
    for task, n in (("sst", 150), ("para", 250)):
        right = rng.random((2, n)) < np.array([[0.6], [0.65]])
        pairs[task] = PairedPredictions(BUILTIN[task], np.ones(n, int), right[0].astype(int), right[1].astype(int))
    found = {each.task: each for each in compare_examples(pairs, 20_000)}["overall"]

    def overall(swaps: dict[Any, Any]) -> float:
        total = 0.0
        for task, pair in pairs.items():
            first, second = pair.predicted_a, pair.predicted_b
            if task == "sts":
                first, second = standardised(first), standardised(second)
            one, two = np.where(swaps[task], second, first), np.where(swaps[task], first, second)
            score = correlation if task == "sts" else lambda x, y: np.mean(x == y)
            total += (1 / 6 if task == "sts" else 1 / 3) * (score(two, pair.labels) - score(one, pair.labels))
        return total

    observed = overall({task: np.zeros(len(pair.labels), bool) for task, pair in pairs.items()})
    drawn = [overall({task: rng.random(len(pair.labels)) < 0.5 for task, pair in pairs.items()}) for _ in range(3000)]
    slow = np.mean(np.abs(drawn) >= abs(observed))
    assert found.difference == pytest.approx(observed)
    assert 0.02 < slow < 0.6
    assert found.p == pytest.approx(slow, rel=0.12)


@pytest.mark.parametrize("rows", [1, 4, 12, 100])
def test_resamples_grow_with_the_family_so_that_its_smallest_threshold_is_in_reach(rows: int) -> None:
    resamples = resamples_for(rows)
    assert resamples >= LEAST_RESAMPLES
    assert 1 / (resamples + 1) < 0.05 / rows / 15
