"""Paired comparison of two runs, against enumeration, published values and simulation."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from made_up_predictions import classes, compare_overall, compare_task, similarities, swapped
from present import present
from scipy import stats

from bertmt.comparison.correlation import linear
from bertmt.comparison.flips import flips
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.proportions import TangoInterval, detectable_difference, mcnemar_exact_p
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.tasks.builtin import BUILTIN


def test_accuracies_differ_by_fixed_minus_broken() -> None:
    pair = classes()
    result, flipped = compare_task(pair), flips(pair.labels, pair.predicted_a, pair.predicted_b)
    assert result.difference == pytest.approx(present(result.score_b) - present(result.score_a))
    assert (result.fixed, result.broken) == (len(flipped.fixed), len(flipped.broken))


def test_flips_are_the_examples_where_exactly_one_run_is_right() -> None:
    flipped = flips(np.array([0, 1, 2, 3]), np.array([0, 0, 2, 0]), np.array([1, 1, 2, 4]))
    assert (flipped.fixed.tolist(), flipped.broken.tolist()) == ([1], [0])
    assert (flipped.both_right, flipped.both_wrong, flipped.n) == (1, 1, 4)


def test_what_both_runs_get_wrong_is_neither_fixed_nor_broken() -> None:
    flipped = flips(np.zeros(6), np.array([1, 1, 1, 0, 0, 0]), np.array([1, 1, 0, 0, 1, 0]))
    assert (len(flipped.fixed), len(flipped.broken), flipped.both_right, flipped.both_wrong) == (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("r_a", "r_b", "r_ab", "n", "p"),
    [(0.5, 0.5, 1.0, 50, 1.0), (0.5, 0.6, 1.0, 50, None), (0.5, -0.5, -1.0, 50, None), (0.5, 0.4, 0.1, 3, None)],
)
def test_where_williams_t_is_undefined(r_a: float, r_b: float, r_ab: float, n: int, p: float | None) -> None:
    found = linear.williams(r_a, r_b, r_ab, n)
    assert (found.t, found.p) == (None, p)


def test_williams_t_has_n_minus_3_degrees_of_freedom() -> None:
    found = linear.williams(0.6, 0.2, 0.3, 4)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(present(found.t)), 1))


def test_where_the_labels_lie_does_not_matter() -> None:
    pair = similarities(40)
    moved = [1e6 + values for values in (pair.labels, pair.predicted_a, pair.predicted_b)]
    here, there = compare_task(pair, 50), compare_task(PairedPredictions(BUILTIN["sts"], *moved), 50)
    assert (there.low, there.high) == pytest.approx((here.low, here.high), abs=1e-7)


def test_flips_of_different_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="not of one split"):
        flips(np.zeros(3), np.zeros(3), np.zeros(4))


@pytest.mark.parametrize(
    ("n", "r_a", "r_b", "r_ab", "t", "p"),
    [
        (103, 0.5, 0.4, 0.1, -0.89, 0.37),  # Steiger 1980's case A as in R's psych::r.test: t 0.89, p < 0.37
        (100, 0.20, 0.45, 0.80, 4.56, 1e-05),  # R's bruceR::cor_diff: t(97) = −4.56, p = 1e-05
    ],
)
def test_williams_t_equals_published_examples(n: int, r_a: float, r_b: float, r_ab: float, t: float, p: float) -> None:
    result = linear.williams(r_a, r_b, r_ab, n)
    assert result.t == pytest.approx(t, abs=0.005)
    assert result.p == pytest.approx(p, rel=0.5 if p < 0.01 else 0.02)


def test_swapping_the_runs_turns_the_sign_and_keeps_p() -> None:
    for pair in (classes(), similarities()):
        forth, back = compare_task(pair), compare_task(swapped(pair))
        assert back.difference == pytest.approx(-present(forth.difference))
        assert back.p == pytest.approx(forth.p)
        assert (back.low, back.high) == pytest.approx((-present(forth.high), -present(forth.low)), abs=1e-9)


def test_the_bootstrap_agrees_with_scipy() -> None:
    pair = similarities(200, noise_b=0.8)

    def difference(y: Any, a: Any, b: Any) -> Any:
        return stats.pearsonr(y, b).statistic - stats.pearsonr(y, a).statistic

    slow = stats.bootstrap(
        (pair.labels, pair.predicted_a, pair.predicted_b),
        difference,
        paired=True,
        vectorized=False,
        n_resamples=1500,
        rng=np.random.default_rng(0),
    )
    result = compare_task(pair)
    assert result.standard_error == pytest.approx(slow.standard_error, rel=0.06)
    assert result.low == pytest.approx(slow.confidence_interval.low, abs=0.012)
    assert result.high == pytest.approx(slow.confidence_interval.high, abs=0.012)


def test_the_bootstrap_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    # ρ = 1/√(1 + noise²) for each run.
    truth = 1 / math.sqrt(1 + 0.7**2) - 1 / math.sqrt(2)
    results = [compare_task(similarities(150, noise_b=0.7, seed=seed), resamples=600) for seed in range(300)]
    assert np.mean([present(each.low) <= truth <= present(each.high) for each in results]) == pytest.approx(
        0.95, abs=0.035
    )


def test_the_interval_of_a_difference_is_the_same_on_every_day() -> None:
    once, again = (compare_task(similarities()) for _ in range(2))
    assert (once.low, once.high, once.p) == (again.low, again.high, again.p)


def test_the_whole_result_of_two_classifiers() -> None:
    labels = np.repeat([0, 1], 50)
    predicted_a, predicted_b = labels.copy(), labels.copy()
    predicted_a[:30] ^= 1
    predicted_b[25:35] ^= 1
    (found,) = compare_examples({"para": PairedPredictions(BUILTIN["para"], labels, predicted_a, predicted_b)}, 10)
    assert (found.task, found.n, found.score_a, found.score_b) == ("para", 100, 0.7, 0.9)
    assert (found.fixed, found.broken, found.difference, found.test) == (25, 5, 0.2, "exact McNemar")
    assert found.p == mcnemar_exact_p(25, 5)
    assert (found.low, found.high) == TangoInterval(25, 5, 100).at(0.05)
    assert present(found.interval).method == "Tango score"
    assert found.detectable == detectable_difference(0.3, 100, 0.05)
    assert (found.p_williams, found.p_corrected, found.family, found.level) == (None, None, 1, 0.05)
    assert (found.smallest_p, found.smallest_corrected) == (0.0, None)


def test_the_whole_result_of_two_similarities() -> None:
    pair = similarities(200, noise_b=0.8)
    found = compare_task(pair, 3000)
    r_a, r_b = (stats.pearsonr(pair.labels, each).statistic for each in (pair.predicted_a, pair.predicted_b))
    assert (found.task, found.n, found.test) == ("sts", 200, "paired permutation")
    assert (found.score_a, found.score_b, found.difference) == pytest.approx((r_a, r_b, r_b - r_a))
    r_ab = stats.pearsonr(pair.predicted_a, pair.predicted_b).statistic
    assert found.p_williams == pytest.approx(linear.williams(r_a, r_b, r_ab, 200).p)
    assert present(found.interval).method == "symmetric bootstrap-t, 3,000 resamples"
    assert (present(found.low) + present(found.high)) / 2 == pytest.approx(found.difference)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * present(found.standard_error), rel=1e-6)
    assert (found.fixed, found.broken) == (None, None)


def test_what_is_detectable_is_computed_at_the_level_that_decides() -> None:
    alone = compare_task(similarities())
    several = judge([dataclasses.replace(alone, p=0.9)] * 12)
    z, in_twelve = stats.norm.ppf([0.975, 1 - 0.05 / 24]) + stats.norm.ppf(0.8)
    assert several[0].detectable == pytest.approx(alone.detectable * in_twelve / z)


def test_identical_predictions_are_undecided_with_no_difference() -> None:
    for pair in (classes(), similarities()):
        result = compare_task(PairedPredictions(pair.task, pair.labels, pair.predicted_a, pair.predicted_a))
        assert (result.difference, result.p, judge([result])[0].verdict) == (0.0, 1.0, Verdict.UNDECIDED)


@pytest.mark.parametrize("constant", [np.full(40, 0.5), np.full(40, np.nan)], ids=["without variance", "not a number"])
def test_an_undefined_correlation_is_compared_with_nothing(constant: np.ndarray) -> None:
    pair = similarities(40)
    result = compare_task(PairedPredictions(BUILTIN["sts"], pair.labels, pair.predicted_a, constant))
    assert result.score_a is not None
    assert (result.score_b, result.difference, result.p) == (None, None, None)
    assert "undefined" in present(result.remark)


def test_an_empty_split_has_no_difference() -> None:
    nothing = np.empty(0)
    assert compare_task(PairedPredictions(BUILTIN["sst"], nothing, nothing, nothing)).difference is None


@pytest.mark.parametrize("task", ["sst", "sts"])
def test_what_a_diverged_run_predicted_has_no_score_and_is_compared_with_nothing(task: str) -> None:
    labels, good = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 3.0, 2.0])
    diverged = np.array([0.0, 1.0, math.nan, 3.0])
    [result] = compare_examples({task: PairedPredictions(BUILTIN[task], labels, good, diverged)}, 100)
    assert (result.task, result.n, result.score_b, result.difference, result.p) == (task, 4, None, None, None)
    assert result.score_a is not None


def test_predictions_of_different_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in number"):
        PairedPredictions(BUILTIN["sst"], np.zeros(3), np.zeros(3), np.zeros(4))


def overall_pairs(seed: int = 0) -> dict[Any, Any]:
    return {
        "sst": classes("sst", 300, 0.45, 0.5, seed),
        "para": classes("para", 500, 0.8, 0.8, seed + 1),
        "sts": similarities(200, seed=seed + 2),
    }


def test_the_overall_difference_is_that_of_the_courses_score() -> None:
    pairs = overall_pairs()
    each = {task: compare_task(pair, resamples=50) for task, pair in pairs.items()}
    by_hand = (
        present(each["sst"].difference) + present(each["para"].difference) + present(each["sts"].difference) / 2
    ) / 3
    result = compare_overall(pairs)
    assert present(result).difference == pytest.approx(by_hand)
    assert present(present(result).low) < present(present(result).difference) < present(present(result).high)


def test_the_whole_result_of_two_overall_scores() -> None:
    pairs = overall_pairs()
    each = {task: compare_task(pair) for task, pair in pairs.items()}
    result = compare_overall(pairs)
    assert (present(result).task, present(result).n, present(result).test) == ("overall", 1000, "paired permutation")
    for side in ("score_a", "score_b"):
        scores = {task: getattr(found, side) for task, found in each.items()}
        assert getattr(result, side) == pytest.approx((scores["sst"] + scores["para"] + (1 + scores["sts"]) / 2) / 3)
    flipped = [(each[task].fixed, each[task].broken, each[task].n) for task in ("sst", "para")]
    variances = [
        ((present(fixed) + present(broken)) / n - ((present(fixed) - present(broken)) / n) ** 2) / n
        for fixed, broken, n in flipped
    ]
    by_hand = math.sqrt(sum(variances) / 9 + present(each["sts"].standard_error) ** 2 / 36)
    assert present(result).standard_error == pytest.approx(by_hand)
    assert present(present(result).interval).bound == pytest.approx(1.0)  # type: ignore[attr-defined]  # a Tango interval
    assert present(present(result).interval).method == "symmetric bootstrap-t, 10,000 resamples"


def test_the_overall_variance_is_the_sum_of_the_tasks_variances() -> None:
    pairs = overall_pairs()
    each = {task: compare_task(pair) for task, pair in pairs.items()}
    widths = {task: (present(result.high) - present(result.low)) ** 2 for task, result in each.items()}
    expected = math.sqrt(widths["sst"] / 9 + widths["para"] / 9 + widths["sts"] / 36)
    result = compare_overall(pairs)
    assert present(present(result).high) - present(present(result).low) == pytest.approx(expected, rel=0.03)


def test_tasks_are_resampled_and_exchanged_independently_of_each_other() -> None:
    # Two tasks of the same flips: the same generator for both would double the variance that they add.
    pairs = overall_pairs()
    pairs["para"] = dataclasses.replace(pairs["sst"], task=BUILTIN["para"])
    sst = compare_task(pairs["sst"])
    variances = (
        (present(sst.high) - present(sst.low)) ** 2,
        (present(compare_task(pairs["sts"]).high) - present(compare_task(pairs["sts"]).low)) ** 2,
    )
    result = compare_overall(pairs)
    assert (present(present(result).high) - present(present(result).low)) ** 2 == pytest.approx(
        2 * variances[0] / 9 + variances[1] / 36, rel=0.06
    )
    # The normal approximation of the permutation's p, whose variance is that of independent flips too.
    z = present(present(result).difference) / present(present(result).standard_error)
    assert present(result).p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.02)


def test_the_overall_score_of_two_tasks_weighs_each_by_half() -> None:
    pairs = overall_pairs()
    del pairs["para"]
    each = {task: compare_task(pair) for task, pair in pairs.items()}
    result = present(compare_overall(pairs))
    by_hand = present(each["sst"].difference) / 2 + present(each["sts"].difference) / 4
    assert (result.n, result.difference) == (500, pytest.approx(by_hand))
    variance = present(result.standard_error) ** 2 - present(each["sts"].standard_error) ** 2 / 16
    share = (present(each["sst"].fixed) + present(each["sst"].broken)) / 300
    assert variance == pytest.approx((share - present(each["sst"].difference) ** 2) / 300 / 4)


def test_one_task_has_no_overall_score_nor_have_some_of_the_tasks() -> None:
    pairs = overall_pairs()
    assert [each.task for each in compare_examples(pairs, 10, with_overall=False)] == ["sst", "para", "sts"]
    assert [each.task for each in compare_examples({"sst": pairs["sst"]}, 10)] == ["sst"]


def test_the_overall_score_is_undefined_where_a_part_is() -> None:
    pairs = overall_pairs()
    pairs["sts"] = PairedPredictions(BUILTIN["sts"], pairs["sts"].labels, pairs["sts"].predicted_a, np.zeros(200))
    result = compare_overall(pairs)
    assert present(result).score_a is not None
    assert (present(result).n, present(result).score_b, present(result).difference, present(result).p) == (
        1000,
        None,
        None,
        None,
    )
    swap = compare_overall({task: swapped(pair) for task, pair in pairs.items()})
    assert (present(swap).score_a, present(swap).score_b, present(swap).difference) == (
        None,
        present(result).score_a,
        None,
    )
