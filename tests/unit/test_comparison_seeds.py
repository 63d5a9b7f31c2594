"""Several seeds per arm."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bertmt.comparison.seeds import compare_seeds, exchange_p, sign_flip_p
from bertmt.comparison.verdicts import Verdict, judge

ARM_A = {1: 0.480, 2: 0.491, 3: 0.475, 4: 0.488}
ARM_B = {1: 0.502, 2: 0.499, 3: 0.501, 4: 0.510}


def test_shared_seeds_are_paired():
    result = compare_seeds("sst", ARM_A, ARM_B)
    assert result.seeds == (1, 2, 3, 4)
    assert result.differences == pytest.approx((0.022, 0.008, 0.026, 0.022))


def test_the_paired_interval_is_students():
    result = compare_seeds("sst", ARM_A, ARM_B)
    slow = stats.ttest_rel(list(ARM_B.values()), list(ARM_A.values())).confidence_interval()
    assert (result.low, result.high) == pytest.approx((slow.low, slow.high))


def test_the_unpaired_interval_is_welchs():
    arm_b = {seed + 10: score for seed, score in ARM_B.items()}
    result = compare_seeds("sst", ARM_A, arm_b)
    slow = stats.ttest_ind(list(ARM_B.values()), list(ARM_A.values()), equal_var=False).confidence_interval()
    assert not result.paired
    assert (result.low, result.high) == pytest.approx((slow.low, slow.high))


@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_the_sign_flip_p_equals_a_loop_over_all_signs(k):
    differences = np.random.default_rng(k).normal(0.3, 1, size=k)
    flipped = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=k)]
    by_hand = np.mean([value >= abs(differences.sum()) - 1e-12 for value in flipped])
    assert sign_flip_p(differences) == pytest.approx(by_hand)


@pytest.mark.parametrize(("k", "least"), [(3, 0.25), (4, 0.125), (5, 0.0625), (6, 0.03125)])
def test_a_clear_difference_reaches_the_bound_of_its_seeds(k, least):
    result = compare_seeds("sst", dict.fromkeys(range(k), 0.1), {seed: 0.5 + seed / 100 for seed in range(k)})
    assert result.p == result.smallest_p == least


def test_too_few_seeds_are_said_in_words():
    result = compare_seeds("sst", ARM_A, ARM_B)
    assert not result.can_decide
    assert result.remark == "Cannot reach 0.05 with 4 seeds: the smallest possible p is 0.125. 6 paired seeds could."
    assert judge([result])[0].verdict is Verdict.UNDECIDED


def test_six_seeds_can_decide():
    result = compare_seeds("sst", dict.fromkeys(range(6), 0.1), {seed: 0.5 + seed / 100 for seed in range(6)})
    assert judge([result])[0].verdict is Verdict.BETTER
    assert judge([result])[0].remark is None


def test_the_exchange_p_agrees_with_scipy():
    arm_a, arm_b = np.array([0.48, 0.49, 0.47, 0.5]), np.array([0.50, 0.51, 0.49])

    def difference(b, a, axis):
        return np.abs(b.mean(axis=axis) - a.mean(axis=axis)).round(12)

    slow = stats.permutation_test(
        (arm_b, arm_a), difference, vectorized=True, n_resamples=np.inf, alternative="greater"
    )
    assert exchange_p(arm_a, arm_b) == pytest.approx(slow.pvalue)


@pytest.mark.parametrize(("sizes", "least"), [((3, 3), 2 / 20), ((2, 4), 1 / 15)])
def test_the_bound_of_unpaired_arms_is_reached_where_they_are_apart(sizes, least):
    arm_a = {seed: 0.1 + seed / 1000 for seed in range(sizes[0])}
    arm_b = {100 + seed: 0.9 + seed / 777 for seed in range(sizes[1])}
    result = compare_seeds("sst", arm_a, arm_b)
    assert result.p == pytest.approx(least)
    assert result.smallest_p == pytest.approx(least)


def test_with_many_seeds_the_drawn_p_is_near_the_t_tests():
    differences = np.random.default_rng(0).normal(0.5, 1, size=24)
    assert sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_unpaired_p_values_are_uniform_under_no_difference():
    rng = np.random.default_rng(4)
    p_values = [exchange_p(rng.normal(size=6), rng.normal(size=6)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.035)


def test_missing_scores_and_lone_seeds_are_left_out_and_listed():
    result = compare_seeds("sts", {1: 0.8, 2: None, 3: 0.7}, {1: 0.9, 2: 0.6, 3: 0.8, 4: 0.5})
    assert result.seeds == (1, 3)
    assert result.left_out == (2, 4)
    assert result.difference == pytest.approx(0.1)


def test_one_seed_says_nothing_about_others():
    result = compare_seeds("sst", {1: 0.48}, {1: 0.52})
    assert result.difference == pytest.approx(0.04)
    assert (result.low, result.p, result.spread) == (None, None, None)
    assert "--seed" in result.remark


def test_an_arm_without_scores_has_no_difference():
    result = compare_seeds("sts", {1: None}, {1: 0.5})
    assert result.difference is None
    assert "nothing to compare" in result.remark


def test_seeds_without_any_spread_have_an_interval_of_no_width():
    result = compare_seeds("sst", {1: 0.5, 2: 0.5}, {3: 0.6, 4: 0.6})
    assert (result.low, result.high) == pytest.approx((0.1, 0.1))
