"""Several seeds per arm."""

import itertools
from typing import Any

import numpy as np
import pytest
from present import present
from scipy import stats

from bertmt.comparison.intervals import StudentInterval
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.seeds import EXACT_LIMIT, compare_seeds, exchange_p, sign_flip_p, welch_p
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.tasks.builtin import BUILTIN

ARM_A = {1: 0.480, 2: 0.491, 3: 0.475, 4: 0.488}
ARM_B = {1: 0.502, 2: 0.499, 3: 0.501, 4: 0.510}


def test_shared_seeds_are_paired() -> None:
    result = compare_seeds("sst", ARM_A, ARM_B)
    assert result.seeds == (1, 2, 3, 4)
    assert result.differences == pytest.approx((0.022, 0.008, 0.026, 0.022))


def test_the_paired_interval_is_students() -> None:
    result = compare_seeds("sst", ARM_A, ARM_B)
    slow = stats.ttest_rel(list(ARM_B.values()), list(ARM_A.values())).confidence_interval()
    assert (result.low, result.high) == pytest.approx((slow.low, slow.high))


def test_the_unpaired_interval_is_welchs() -> None:
    arm_b = {seed + 10: score for seed, score in ARM_B.items()}
    result = compare_seeds("sst", ARM_A, arm_b)
    slow = stats.ttest_ind(list(ARM_B.values()), list(ARM_A.values()), equal_var=False).confidence_interval()
    assert not result.paired
    assert (result.low, result.high) == pytest.approx((slow.low, slow.high))


@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_the_sign_flip_p_equals_a_loop_over_all_signs(k: int) -> None:
    differences = np.random.default_rng(k).normal(0.3, 1, size=k)
    flipped = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=k)]
    by_hand = np.mean([value >= abs(differences.sum()) - 1e-12 for value in flipped])
    assert sign_flip_p(differences) == pytest.approx(by_hand)


@pytest.mark.parametrize(("k", "least"), [(3, 0.25), (4, 0.125), (5, 0.0625), (6, 0.03125)])
def test_a_clear_difference_reaches_the_bound_of_its_seeds(k: int, least: float) -> None:
    result = compare_seeds("sst", dict.fromkeys(range(k), 0.1), {seed: 0.5 + seed / 100 for seed in range(k)})
    assert result.p == result.smallest_p == least


def test_too_few_seeds_are_said_in_words() -> None:
    result = compare_seeds("sst", ARM_A, ARM_B)
    assert not result.can_decide
    assert result.remark == "Cannot reach 0.05 with 4 seeds: the smallest possible p is 0.125. 6 paired seeds could."
    assert judge([result])[0].verdict is Verdict.UNDECIDED


def test_six_seeds_can_decide() -> None:
    result = compare_seeds("sst", dict.fromkeys(range(6), 0.1), {seed: 0.5 + seed / 100 for seed in range(6)})
    assert judge([result])[0].verdict is Verdict.BETTER
    assert judge([result])[0].remark == "It holds for these dev examples."


def test_the_exchange_p_agrees_with_scipy() -> None:
    arm_a, arm_b = np.array([0.48, 0.49, 0.47, 0.5]), np.array([0.50, 0.51, 0.49])

    def difference(b: Any, a: Any, axis: Any) -> Any:
        return np.abs(b.mean(axis=axis) - a.mean(axis=axis)).round(12)

    slow = stats.permutation_test(
        (arm_b, arm_a), difference, vectorized=True, n_resamples=np.inf, alternative="greater"
    )
    assert exchange_p(arm_a, arm_b) == pytest.approx(slow.pvalue)


@pytest.mark.parametrize(("sizes", "least"), [((3, 3), 2 / 20), ((2, 4), 1 / 15)])
def test_the_bound_of_unpaired_arms_is_reached_where_they_are_apart(sizes: tuple[int, int], least: float) -> None:
    arm_a = {seed: 0.1 + seed / 1000 for seed in range(sizes[0])}
    arm_b = {100 + seed: 0.9 + seed / 777 for seed in range(sizes[1])}
    result = compare_seeds("sst", arm_a, arm_b)
    assert result.p == pytest.approx(least)
    assert result.smallest_p == pytest.approx(least)


def test_with_many_seeds_the_drawn_p_is_near_the_t_tests() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, size=24)
    assert sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_unpaired_p_values_are_uniform_under_no_difference() -> None:
    rng = np.random.default_rng(4)
    p_values = [exchange_p(rng.normal(size=6), rng.normal(size=6)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.035)


def test_missing_scores_and_lone_seeds_are_left_out_and_listed() -> None:
    result = compare_seeds("sts", {1: 0.8, 2: None, 3: 0.7}, {1: 0.9, 2: 0.6, 3: 0.8, 4: 0.5})
    assert result.seeds == (1, 3)
    assert result.left_out == (2, 4)
    assert result.difference == pytest.approx(0.1)


def test_one_seed_says_nothing_about_others() -> None:
    result = compare_seeds("sst", {1: 0.48}, {1: 0.52})
    assert result.difference == pytest.approx(0.04)
    assert (result.low, result.p, result.spread) == (None, None, None)
    assert "--seed" in present(result.remark)


def test_one_seed_needs_as_many_as_signs_of_one_comparison_do() -> None:
    """With no p at all the family counts no comparison."""
    [found] = judge([compare_seeds("sst", {1: 0.48}, {1: 0.52})])
    assert (found.family, found.seeds_needed, found.enough_seeds) == (0, 6, 6)


def test_an_arm_without_scores_has_no_difference() -> None:
    result = compare_seeds("sts", {1: None}, {1: 0.5})
    assert result.difference is None
    assert "nothing to compare" in present(result.remark)


def test_seeds_without_any_spread_have_an_interval_of_no_width() -> None:
    result = compare_seeds("sst", {1: 0.5, 2: 0.5}, {3: 0.6, 4: 0.6})
    assert (result.low, result.high) == pytest.approx((0.1, 0.1))


def test_the_whole_result_of_paired_arms() -> None:
    found = compare_seeds("para", {**ARM_A, 9: 0.5}, {**ARM_B, 7: None})
    assert (found.task, found.seeds, found.left_out) == ("para", (1, 2, 3, 4), (7, 9))
    assert (found.seeds_a, found.seeds_b) == (found.seeds, found.seeds)
    assert (found.scores_a, found.scores_b) == (tuple(ARM_A.values()), tuple(ARM_B.values()))
    assert (found.mean_a, found.mean_b) == pytest.approx((0.4835, 0.503))
    assert found.difference == pytest.approx(0.0195)
    assert found.spread == pytest.approx(np.std(found.differences, ddof=1))
    assert (found.p, found.smallest_p, found.test) == (0.125, 0.125, "sign flips of paired seeds")
    assert (present(found.interval).method, found.paired) == ("Student's t", True)
    assert (found.p_corrected, found.family, found.smallest_corrected, found.level) == (None, 1, None, 0.05)


def test_the_whole_result_of_unpaired_arms() -> None:
    found = compare_seeds("para", ARM_A, {**{seed + 10: score for seed, score in ARM_B.items()}, 20: None})
    assert (found.task, found.seeds, found.left_out, found.differences) == ("para", (), (20,), ())
    assert (found.seeds_a, found.seeds_b) == ((1, 2, 3, 4), (11, 12, 13, 14))
    assert (found.scores_a, found.scores_b) == (tuple(ARM_A.values()), tuple(ARM_B.values()))
    assert found.difference == pytest.approx(0.0195)
    a, b = np.array(found.scores_a), np.array(found.scores_b)
    assert found.spread == pytest.approx(np.sqrt(a.var(ddof=1) + b.var(ddof=1)))
    assert found.p == max(exchange_p(a, b), welch_p(a, b))
    assert (present(found.interval).method, found.paired) == ("Welch's t", False)
    assert found.test == "Welch's t and exchange of seeds, the larger p"


def test_unpaired_arms_need_both_the_exchange_and_welchs_t() -> None:
    rng = np.random.default_rng(0)
    larger = set()
    for _ in range(30):
        a, b = rng.normal(size=3) * 3, 2 + rng.normal(size=9)
        found = compare_seeds("sst", dict(enumerate(a)), {100 + seed: score for seed, score in enumerate(b)})
        assert present(found.p) >= exchange_p(a, b) and present(found.p) >= welch_p(a, b)
        larger.add(exchange_p(a, b) > welch_p(a, b))
    assert larger == {True, False}


@pytest.mark.parametrize(
    ("arm_a", "arm_b", "paired"),
    [
        ({1: 0.1, 2: 0.2}, {1: 0.3, 2: 0.4}, True),  # two shared seeds
        ({1: 0.1}, {1: 0.3, 2: 0.4}, True),  # the only seed of an arm is shared
        ({1: 0.1, 2: 0.2}, {2: 0.3, 3: 0.4}, False),  # one shared seed of several: more is known of the arms unpaired
        ({1: 0.1, 2: 0.2}, {3: 0.3}, False),
    ],
)
def test_when_arms_are_paired(arm_a: dict[int, float], arm_b: dict[int, float], paired: bool) -> None:
    assert compare_seeds("sst", arm_a, arm_b).paired is paired


def test_two_paired_seeds_have_an_interval_and_a_p() -> None:
    found = compare_seeds("sst", {1: 0.1, 2: 0.2}, {1: 0.3, 2: 0.35})
    assert (found.p, found.smallest_p) == (0.5, 0.5)
    assert isinstance(found.interval, StudentInterval) and found.interval.freedom == 1


def test_scores_that_are_no_numbers_are_left_out() -> None:
    found = compare_seeds("sst", {1: 0.1, 2: float("nan"), 3: 0.2}, {4: 0.3, 5: 0.4, 6: float("inf"), 7: 0.5})
    assert (found.left_out, found.scores_a, found.scores_b) == ((2, 6), (0.1, 0.2), (0.3, 0.4, 0.5))
    assert compare_seeds("sst", {1: 0.1, 2: 0.2, 3: float("nan")}, {1: 0.3, 2: 0.4, 3: 0.5}).left_out == (3,)


def test_more_seeds_than_can_be_enumerated_are_drawn_the_same_on_every_day() -> None:
    differences = np.random.default_rng(1).normal(0.4, 1, size=20)
    assert EXACT_LIMIT < 2**20
    first = sign_flip_p(differences)
    assert first == sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)
    assert sign_flip_p(np.ones(20)) == 1 / (EXACT_LIMIT + 1)  # no draw is as far, but the observed one counts


def test_more_arrangements_than_can_be_enumerated_are_drawn_the_same_on_every_day() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=12), rng.normal(0.8, 1, size=11)
    first = exchange_p(a, b)
    assert first == exchange_p(a, b) == pytest.approx(stats.ttest_ind(b, a).pvalue, abs=0.01)
    assert exchange_p(np.zeros(12), np.ones(11)) == 1 / (EXACT_LIMIT + 1)


@pytest.mark.parametrize(("k", "exact"), [(16, True), (17, False)])
def test_signs_are_enumerated_up_to_16_seeds(k: int, exact: bool) -> None:
    p = sign_flip_p(np.linspace(0.1, 0.2, k))
    assert (p == 2 / 2**k) is exact


def test_whole_numbers_are_flipped_and_exchanged_like_others() -> None:
    assert sign_flip_p(np.array([1, 2, 4])) == 0.25
    assert exchange_p(np.array([1, 2, 2]), np.array([4, 5, 7])) == pytest.approx(0.1)


def test_arms_without_any_spread_differ_or_do_not() -> None:
    assert welch_p(np.array([0.5, 0.5]), np.array([0.6, 0.6])) == 0.0
    assert welch_p(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 1.0


@pytest.mark.parametrize(
    ("seeds", "rows", "least", "needed"), [(6, 4, 0.125, 8), (7, 4, 0.0625, 8), (6, 12, 0.375, 9), (4, 1, 0.125, 6)]
)
def test_the_bound_of_seeds_counts_the_family_and_says_how_many_would_do(
    seeds: int, rows: int, least: float, needed: int
) -> None:
    scores = {seed: 0.5 + seed / 100 for seed in range(seeds)}
    clear = compare_seeds("sst", dict.fromkeys(range(seeds), 0.1), scores)
    judged = judge([clear] * rows)
    assert [each.smallest_corrected for each in judged] == [least] * rows
    assert not any(each.can_decide for each in judged)
    assert f"the smallest possible p is {least:.3g}. {needed} paired seeds could." in present(judged[0].remark)
    enough = {seed: 0.5 + seed / 100 for seed in range(needed)}
    decided = judge([compare_seeds("sst", dict.fromkeys(range(needed), 0.1), enough)] * rows)
    assert {each.verdict for each in decided} == {Verdict.BETTER}
    assert all(each.can_decide and each.remark == "It holds for these dev examples." for each in decided)


def test_unpaired_seeds_say_how_many_in_each_arm_would_do() -> None:
    arm_a, arm_b = {1: 0.1, 2: 0.2, 3: 0.15}, {11: 0.5, 12: 0.6, 13: 0.7}
    judged = judge([compare_seeds("sst", arm_a, arm_b)] * 4)[0]
    assert judged.remark == (
        "Cannot reach 0.05 with 3 and 3 seeds in a family of 4 comparisons: the smallest possible p is 0.4. "
        "5 seeds in each arm could."
    )


def test_rows_that_more_than_seeds_decide_about_do_not_count_in_the_bound() -> None:
    # With eight seeds, three rows by seed beside two rows by example: these can be as small as they like.
    clear = compare_seeds("sst", dict.fromkeys(range(8), 0.1), {seed: 0.5 + seed / 100 for seed in range(8)})
    by_example = compare_examples(
        {"sst": PairedPredictions(BUILTIN["sst"], np.ones(50), np.zeros(50), np.ones(50))}, 10
    )[0]
    judged = judge([clear, by_example, clear, by_example, clear])
    assert judged[0].smallest_corrected == pytest.approx(3 * 2 / 2**8)


@pytest.mark.parametrize(("sizes", "said"), [((3, 9), True), ((9, 4), True), ((5, 5), False)])
def test_small_unpaired_arms_are_named_beside_their_figures(sizes: tuple[int, int], said: bool) -> None:
    arm_a = {seed: 0.1 + seed / 500 for seed in range(sizes[0])}
    arm_b = {100 + seed: 0.9 + seed / 400 for seed in range(sizes[1])}
    remark = judge([compare_seeds("sst", arm_a, arm_b)])[0].remark
    assert ("With fewer than 5 seeds in an arm" in (remark or "")) is said


def test_small_paired_arms_need_no_such_word() -> None:
    found = judge([compare_seeds("sst", dict.fromkeys(range(6), 0.1), {seed: seed / 9 for seed in range(6)})])[0]
    assert "fewer" not in (found.remark or "")
