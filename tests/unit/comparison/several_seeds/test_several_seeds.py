"""Seeds and examples resampled at once, the probability of improvement, and how many seeds would decide."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from present import present

from bertmt.comparison import bootstrap
from bertmt.comparison.effects import average_effect, influence
from bertmt.comparison.intervals import Z_POWER, upper_z
from bertmt.comparison.seeds import LEAST_TWO_WAY, TWO_WAY, SeedDifference, compare_seeds
from bertmt.comparison.several_seeds.improvement import probability_of_improvement
from bertmt.comparison.several_seeds.more_seeds import MOST_SEEDS, detectable_over, seeds_to_decide
from bertmt.comparison.several_seeds.two_way import CHUNK, over_examples_too, resampled_dev_set, weighted
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.tasks.builtin import BUILTIN


def right_answers(k: int, n: int, seed: int = 0, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Which of n examples the runs of two recipes get right, k seeds each; (k, n) of 0 and 1."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=n)
    a, b = (
        (hard + shift + 0.1 * rng.normal(size=(k, 1)) + rng.normal(size=(k, n)) > 0).astype(float)
        for shift in (0.0, gain)
    )
    return a, b


def compared(a: np.ndarray, b: np.ndarray, resamples: int = 400) -> SeedDifference:
    """Accuracies of two recipes, by seed and by example."""
    found = compare_seeds("sst", dict(enumerate(a.mean(axis=1))), dict(enumerate(b.mean(axis=1))))
    return over_examples_too(found, [resampled_dev_set("sst", influences(a, b), resamples)], 1.0)


def influences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    labels = np.ones(a.shape[1])
    of_a, of_b = ([influence(BUILTIN["sst"], labels, each) for each in side] for side in (a, b))
    added: np.ndarray = np.array(of_b) - np.array(of_a)
    return added


def slow_layout(cells: np.ndarray) -> tuple[float, float, float]:
    """Mean, variance of the mean over rows, and over columns alone; by loops over a (k, n) table with an entry for each
    drawn seed and example."""
    k, n = cells.shape
    mean = cells.mean()
    rows, columns = [row.mean() for row in cells], [column.mean() for column in cells.T]
    over_rows = sum((row - mean) ** 2 for row in rows) / (k - 1) / k
    by_column = sum((column - mean) ** 2 for column in columns) / (n - 1) / n
    rest = sum((cells[s, i] - rows[s] - columns[i] + mean) ** 2 for s in range(k) for i in range(n))
    return mean, over_rows, max(by_column - rest / ((k - 1) * (n - 1)) / (k * n), 0.0)


def test_every_resample_is_that_of_a_loop_over_drawn_seeds_and_examples() -> None:
    k, n, resamples = 5, 9, CHUNK + 3
    a, b = right_answers(k, n)
    found = resampled_dev_set("sst", influences(a, b), resamples)
    rng = np.random.default_rng([bootstrap.SEED, *b"sst"])
    counts = np.vstack([bootstrap.drawn_counts(rows, n, rng) for rows in (CHUNK, 3)]).astype(int)
    differences = (b - a).mean(axis=1)
    for row in range(resamples):
        seeds = found.drawn[row + 1].astype(int)
        assert seeds.sum() == k
        cells = np.repeat(np.repeat(b - a, seeds, axis=0), counts[row], axis=1)
        mean, over_rows, over_columns = slow_layout(cells)
        moved = differences + found.shifts[row + 1]
        assert (seeds * moved).sum() / k == pytest.approx(mean)
        assert (seeds * (moved - mean) ** 2).sum() / (k * (k - 1)) == pytest.approx(over_rows)
        assert found.variances[row + 1] == pytest.approx(over_columns)


def test_the_sample_itself_has_the_two_way_layouts_error() -> None:
    a, b = right_answers(6, 200)
    found = compared(a, b)
    layout = average_effect("sst", list(found.differences), [list(influences(a, b))])
    assert found.difference == pytest.approx((b - a).mean())
    variance = present(found.spread) ** 2 / 6 + present(found.over_examples)
    assert math.sqrt(variance) == pytest.approx(present(layout.standard_error))


def test_p_and_interval_are_those_of_the_bootstrap_and_of_students_t_whichever_claims_less() -> None:
    for seed, gain in itertools.product(range(4), (0.0, 0.3)):
        a, b = right_answers(5, 150, seed, gain)
        found = compared(a, b)
        layout = average_effect("sst", list(found.differences), [list(influences(a, b))])
        interval = present(found.interval)
        bootstrapped = interval.bootstrap  # type: ignore[attr-defined]
        assert found.p == pytest.approx(max(present(layout.p), bootstrap.p_value(bootstrapped)), rel=1e-6)
        for level in (0.05, 0.01):
            (low, high), other = bootstrapped.at(level), present(layout.interval).at(level)
            assert interval.at(level) == pytest.approx((min(low, other[0]), max(high, other[1])))
        assert found.test == TWO_WAY and "bootstrap-t" in interval.method


def test_a_bootstrapped_p_is_the_level_at_which_its_interval_just_holds_zero() -> None:
    a, b = right_answers(6, 150, 3, 0.15)
    interval = present(compared(a, b, 2000).interval).bootstrap  # type: ignore[attr-defined]
    p = bootstrap.p_value(interval)
    assert 0.001 < p < 0.5
    assert interval.at(p * 1.05)[0] > 0 >= interval.at(p * 0.95)[0]


def test_five_seeds_can_decide_by_examples_what_signs_of_five_cannot() -> None:
    a, b = right_answers(LEAST_TWO_WAY, 2000, 1, 0.6)
    by_seed = compare_seeds("sst", dict(enumerate(a.mean(axis=1))), dict(enumerate(b.mean(axis=1))))
    assert judge([by_seed])[0].verdict is Verdict.UNDECIDED and not by_seed.can_decide
    both = judge([compared(a, b, 2000)])[0]
    assert both.can_decide and both.verdict is Verdict.BETTER
    assert both.remark is None, "it holds for other examples too"
    assert both.seeds_needed == LEAST_TWO_WAY


def test_four_seeds_and_copies_of_the_same_score_stay_as_they_were() -> None:
    a, b = right_answers(LEAST_TWO_WAY - 1, 50)
    assert compared(a, b).over_examples is None and compared(a, b).test == "sign flips of paired seeds"
    a = np.repeat(right_answers(1, 50)[0], 6, axis=0)
    assert compared(a, a[:, ::-1]).over_examples is None, "other examples are right, but no more of them"


def test_pairs_that_all_differ_by_the_same_are_judged_by_their_examples() -> None:
    """Signs of six would say better, with an interval of no width."""
    a, b = (np.repeat(each[:1], 6, axis=0) for each in right_answers(1, 50, 1, 0.2))
    found = judge([compared(a, b)])[0]
    n, deltas = 50, (b - a)[0]
    assert abs(present(found.difference)) > 0.01 and found.spread == pytest.approx(0.0)
    assert found.over_examples == pytest.approx(deltas.var(ddof=1) / n)
    reach = 1.959964 * math.sqrt(deltas.var(ddof=1) / n)
    assert (found.low, found.high) == pytest.approx((deltas.mean() - reach, deltas.mean() + reach))
    assert present(found.p) > 0.05 and found.verdict is Verdict.UNDECIDED


def test_an_overall_score_is_the_weighted_sum_of_dev_sets_under_the_same_seeds() -> None:
    pairs = [right_answers(5, n, n) for n in (40, 60)]
    sets = {
        name: resampled_dev_set(name, influences(*pair), 50) for name, pair in zip(("sst", "para"), pairs, strict=True)
    }
    assert np.array_equal(sets["sst"].drawn, sets["para"].drawn)
    halves = weighted(sets, {"sst": 0.5, "para": 0.5})
    assert halves[0].shifts == pytest.approx(sets["sst"].shifts / 2)
    assert halves[1].variances == pytest.approx(sets["para"].variances / 4)
    mean_a, mean_b = (np.mean([pair[side].mean(axis=1) for pair in pairs], axis=0) for side in (0, 1))
    found = compare_seeds("overall", dict(enumerate(mean_a)), dict(enumerate(mean_b)))
    both = over_examples_too(found, halves, 1.0)
    expected = sum(each.variances[0] for each in sets.values()) / 4
    assert both.over_examples == pytest.approx(expected)


@pytest.mark.parametrize(("a", "b"), [((1, 2, 3), (2, 3, 4, 5)), ((1, 1), (1, 1)), ((5, 6, 7), (1, 2))])
def test_the_probability_of_improvement_is_that_of_a_loop_over_all_pairs(
    a: Sequence[float], b: Sequence[float]
) -> None:
    wins = [1.0 if y > x else 0.5 if y == x else 0.0 for x in a for y in b]
    assert present(probability_of_improvement(a, b)).probability == pytest.approx(np.mean(wins))


def test_the_ends_of_the_probability_of_improvement_solve_newcombes_equation() -> None:
    found = present(probability_of_improvement((1, 2, 3, 4), (2.5, 3.5, 4.5)))
    for end in (found.low, found.high):
        m, n = 4, 3
        others = ((m + n) / 2 - 1) * ((1 - end) / (2 - end) + end / (1 + end))
        error = math.sqrt(end * (1 - end) * (1 + others) / (m * n))
        assert abs(found.probability - end) == pytest.approx(1.959964 * error, rel=1e-5)


def test_a_recipe_that_always_wins_is_not_sure_to_win_and_one_seed_says_nothing() -> None:
    found = present(probability_of_improvement([1] * 5, [2] * 5))
    assert found.probability == found.high == 1 and 0.5 < found.low < 0.7
    other_way = present(probability_of_improvement([2] * 5, [1] * 5))
    assert (other_way.low, other_way.high) == pytest.approx((0, 1 - found.low), abs=1e-9)
    assert probability_of_improvement([1], [2, 3]) is None


def test_with_many_seeds_examples_are_what_limits_and_without_them_nothing_does() -> None:
    assert detectable_over(100_000, 0.02, 0.01**2, 0.05) == pytest.approx((upper_z(0.05) + Z_POWER) * 0.01, rel=1e-3)
    assert detectable_over(100_000, 0.02, 0.0, 0.05) < 0.001


@pytest.mark.parametrize("difference", [0.03, 0.012, -0.009])
def test_so_many_seeds_show_a_difference_and_one_less_does_not(difference: float) -> None:
    spread, over_examples, level = 0.02, 0.002**2, 0.0125
    needed = present(seeds_to_decide(difference, spread, over_examples, level, 2))
    assert detectable_over(needed, spread, over_examples, level) <= abs(difference)
    assert detectable_over(needed - 1, spread, over_examples, level) > abs(difference)
    assert seeds_to_decide(difference, spread, over_examples, level, needed + 7) == needed + 7


def test_where_examples_are_too_few_no_number_of_seeds_decides() -> None:
    assert seeds_to_decide(0.01, 0.001, 0.01**2, 0.05, 2) is None
    assert seeds_to_decide(0.0, 0.02, 0.0, 0.05, 2) is None
    assert detectable_over(MOST_SEEDS, 0.001, 0.01**2, 0.05) > 0.01


def test_a_difference_found_in_four_samples_of_five_is_what_is_called_detectable() -> None:
    rng = np.random.default_rng(0)
    k, spread, error = 8, 0.02, 0.01
    true = detectable_over(k, spread, error**2, 0.05)
    found = 0
    for _ in range(2000):
        deltas = true + error * rng.normal() + spread * rng.normal(size=k)
        over_seeds = deltas.var(ddof=1) / k
        reach = math.sqrt(2.3646**2 * over_seeds + 1.96**2 * error**2)  # Student's t of 7 degrees of freedom
        found += deltas.mean() > reach
    assert 0.74 <= found / 2000 <= 0.86


def test_an_undecided_difference_says_how_many_seeds_would_decide() -> None:
    a, b = right_answers(6, 3000, 2, 0.03)
    found = judge([compared(a, b)])[0]
    assert found.verdict is Verdict.UNDECIDED
    spread, over_examples = present(found.spread), present(found.over_examples)
    needed = seeds_to_decide(present(found.difference), spread, over_examples, 0.05, 7)
    assert found.enough_seeds == needed
    few = compare_seeds("sst", {1: 0.4, 2: 0.5}, {1: 0.45, 2: 0.48})
    assert few.enough_seeds == 6, "signs of six seeds can reach 0.05"
    assert dataclasses.replace(few, has_examples=True).enough_seeds == LEAST_TWO_WAY
    assert judge([compared(*right_answers(6, 3000, 2, 0.6))])[0].enough_seeds is None


def test_no_number_of_seeds_finds_a_difference_of_none() -> None:
    same = dict.fromkeys(range(6), 0.5)
    assert judge([compare_seeds("sst", same, same)])[0].enough_seeds is None
