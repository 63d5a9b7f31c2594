"""Paired comparison of two runs, against enumeration, published values and simulation."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from bertmt.comparison import bootstrap, correlations
from bertmt.comparison.flips import flips
from bertmt.comparison.intervals import StudentInterval
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.proportions import (
    EXACT_UP_TO,
    TangoInterval,
    detectable_difference,
    mcnemar,
    mcnemar_exact_p,
    mcnemar_mid_p,
)
from bertmt.comparison.verdicts import Verdict, holm, holm_levels, judge, verdict


def compare_task(pair, resamples=10_000):
    (result,) = compare_examples({pair.task: pair}, resamples)
    return result


def compare_overall(pairs, resamples=10_000):
    return next((each for each in compare_examples(pairs, resamples) if each.task == "overall"), None)


def difference_interval(fixed, broken, n):
    return TangoInterval(fixed, broken, n).at(0.05)


def classes(task="sst", n=400, right_a=0.5, right_b=0.55, seed=0):
    """Predictions that are right, independently, in the given shares."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    return PairedPredictions(task, labels, labels ^ (rng.random(n) > right_a), labels ^ (rng.random(n) > right_b))


def similarities(n=400, noise_a=1.0, noise_b=1.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    shared = rng.normal(size=n)
    noisy = [truth + noise * (shared + rng.normal(size=n)) / math.sqrt(2) for noise in (noise_a, noise_b)]
    return PairedPredictions("sts", truth, *noisy)


def swapped(pair):
    return PairedPredictions(pair.task, pair.labels, pair.predicted_b, pair.predicted_a)


@pytest.mark.parametrize(("fixed", "broken"), [(7, 1), (0, 0), (5, 5), (0, 9), (30, 12)])
def test_mid_p_equals_the_sum_over_all_outcomes(fixed, broken):
    count, least = fixed + broken, min(fixed, broken)
    by_hand = sum(
        math.comb(count, k) / 2**count * (0.5 if k in (least, count - least) else 1)
        for k in range(count + 1)
        if k <= least or k >= count - least
    )
    assert mcnemar_mid_p(fixed, broken) == pytest.approx(by_hand if fixed != broken else 1.0)


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (5, 5), (1, 7), (7, 1), (120, 131)])
def test_the_exact_p_is_the_binomial_tests(fixed, broken):
    expected = stats.binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert mcnemar_exact_p(fixed, broken) == pytest.approx(expected)


def test_the_exact_p_is_used_up_to_250_flips_and_the_mid_p_beyond():
    assert EXACT_UP_TO == 250
    assert mcnemar(100, 150) == (mcnemar_exact_p(100, 150), "exact McNemar")
    assert mcnemar(100, 151) == (mcnemar_mid_p(100, 151), "McNemar mid-p")


def test_mid_p_of_the_airway_study_is_the_published_one():
    # Fagerland, Lydersen & Laake 2013, table 2: 1, 1, 7, 12 children; mid-p 0.039.
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.0391, abs=5e-5)


def test_the_interval_of_the_airway_study_is_the_published_one():
    # Fagerland, Lydersen & Laake 2014, Statistics in Medicine 33:2850: Tango's interval −0.517 to −0.026.
    assert difference_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize(("fixed", "broken", "n"), [(60, 31, 1101), (3, 1, 50), (1, 7, 21), (400, 320, 3000)])
def test_the_interval_solves_the_published_quartic(fixed, broken, n):
    # Yang, Sun & Hardin 2013, Statistics in Medicine 32:1336: Tango's limits as roots of a quartic.
    g = stats.norm.ppf(0.975) ** 2
    d, s = fixed - broken, fixed + broken
    quartic = [
        n**2 * (n / g + 1) ** 2,
        -n * d * (n / g + 1) * (4 * n / g + 1),
        2 * n * d**2 * (3 * n / g + 2) / g - n**2 * (s / g + 1),
        n * d * (2 * s / g + 1) - d**3 * (4 * n / g + 1) / g,
        d**2 * (d**2 / g - s) / g,
    ]
    real = sorted(root.real for root in np.roots(quartic) if abs(root.imag) < 1e-9)
    low, high = difference_interval(fixed, broken, n)
    assert min(abs(low - root) for root in real) < 1e-9
    assert min(abs(high - root) for root in real) < 1e-9


@pytest.mark.parametrize(("fixed", "broken", "n"), [(0, 0, 100), (100, 0, 100), (0, 100, 100), (1, 0, 1), (5, 0, 9)])
def test_the_interval_holds_the_difference_and_stays_within_bounds_at_the_extremes(fixed, broken, n):
    low, high = difference_interval(fixed, broken, n)
    assert -1 <= low <= (fixed - broken) / n <= high <= 1
    assert low < high


@pytest.mark.parametrize(("level", "z"), [(0.05, 1.959964), (0.0125, 2.497705), (0.5, 0.674490)])
def test_the_interval_is_of_the_level_that_is_asked_for(level, z):
    # At its ends the score statistic, with `broken` at its constrained maximum of likelihood, is ±z: found here by
    # maximising the multinomial likelihood on a grid, not by the quadratic.
    fixed, broken, n = 60, 31, 400
    for end, sign in zip(TangoInterval(fixed, broken, n).at(level), (1, -1), strict=True):
        share = np.linspace(1e-6, (1 - abs(end)) / 2 - 1e-6, 400_001) + max(0.0, -end)
        likelihood = fixed * np.log(share + end) + broken * np.log(share)
        likelihood += (n - fixed - broken) * np.log(1 - 2 * share - end)
        best = share[np.argmax(likelihood)]
        statistic = (fixed - broken - n * end) / math.sqrt(n * (2 * best + end * (1 - end)))
        assert statistic == pytest.approx(sign * z, abs=2e-3)


def test_the_interval_excludes_zero_where_mcnemar_z_does():
    for fixed in range(40):
        z = (fixed - 20) / math.sqrt(fixed + 20)
        low, high = difference_interval(fixed, 20, 500)
        assert (low > 0 or high < 0) == (abs(z) > stats.norm.ppf(0.975))


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(300, [0.12, 0.06, 0.82], size=600)
    intervals = [difference_interval(int(fixed), int(broken), 300) for fixed, broken, _ in drawn]
    assert np.mean([low <= 0.06 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(
    ("n", "disagreement", "points"), [(1101, 0.10, 2.7), (1101, 0.20, 3.8), (3000, 0.05, 1.1), (40429, 0.30, 0.76)]
)
def test_detectable_differences_are_those_of_the_design_table(n, disagreement, points):
    assert 100 * detectable_difference(disagreement, n, 0.05) == pytest.approx(points, abs=0.06)


def test_the_detectable_difference_is_found_in_about_80_percent_of_samples():
    n, disagreement = 1101, 0.15
    size = detectable_difference(disagreement, n, 0.05)
    shares = [(disagreement + size) / 2, (disagreement - size) / 2, 1 - disagreement]
    drawn = np.random.default_rng(2).multinomial(n, shares, size=2000)
    found = np.mean([mcnemar_mid_p(int(fixed), int(broken)) <= 0.05 for fixed, broken, _ in drawn])
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("level", [0.05, 0.0125])
def test_the_detectable_difference_solves_connors_equation(level):
    n, disagreement = 1101, 0.15
    size = detectable_difference(disagreement, n, level)
    z, z_power = stats.norm.ppf(1 - level / 2), stats.norm.ppf(0.8)
    assert size * math.sqrt(n) == pytest.approx(
        z * math.sqrt(disagreement) + z_power * math.sqrt(disagreement - size**2)
    )
    one_sided = detectable_difference(0.001, n, level)  # more than the disagreement: all of it one-sided
    assert math.sqrt(n * one_sided) == pytest.approx(z + z_power * math.sqrt(1 - one_sided))


def test_the_detectable_difference_grows_as_the_level_of_a_family_falls():
    sizes = [detectable_difference(0.2, 1101, 0.05 / rows) for rows in (1, 4, 12)]
    assert sizes == pytest.approx([0.0376, 0.0449, 0.0499], abs=1.5e-4)


@pytest.mark.parametrize(("n", "possible"), [(3, False), (4, True)])
def test_with_no_more_examples_than_the_square_of_z_nothing_can_be_found(n, possible):
    assert (detectable_difference(0.5, n, 0.05) is not None) == possible


def test_a_detectable_difference_needs_no_more_disagreement_than_there_can_be():
    size = detectable_difference(0.0, 1101, 0.05)  # identical predictions: any difference is one-sided
    drawn = np.random.default_rng(3).binomial(1101, size, size=2000)
    assert np.mean([mcnemar_mid_p(int(fixed), 0) <= 0.05 for fixed in drawn]) == pytest.approx(0.85, abs=0.06)


def test_accuracies_differ_by_fixed_minus_broken():
    pair = classes()
    result, flipped = compare_task(pair), flips(pair.labels, pair.predicted_a, pair.predicted_b)
    assert result.difference == pytest.approx(result.score_b - result.score_a)
    assert (result.fixed, result.broken) == (len(flipped.fixed), len(flipped.broken))


def test_flips_are_the_examples_where_exactly_one_run_is_right():
    flipped = flips(np.array([0, 1, 2, 3]), np.array([0, 0, 2, 0]), np.array([1, 1, 2, 4]))
    assert (flipped.fixed.tolist(), flipped.broken.tolist()) == ([1], [0])
    assert (flipped.both_right, flipped.both_wrong, flipped.n) == (1, 1, 4)


def test_flips_of_different_splits_are_refused():
    with pytest.raises(ValueError, match="not of one split"):
        flips(np.zeros(3), np.zeros(3), np.zeros(4))


@pytest.mark.parametrize(
    ("n", "r_a", "r_b", "r_ab", "t", "p"),
    [
        (103, 0.5, 0.4, 0.1, -0.89, 0.37),  # Steiger 1980's case A as in R's psych::r.test: t 0.89, p < 0.37
        (100, 0.20, 0.45, 0.80, 4.56, 1e-05),  # R's bruceR::cor_diff: t(97) = −4.56, p = 1e-05
    ],
)
def test_williams_t_equals_published_examples(n, r_a, r_b, r_ab, t, p):
    result = correlations.williams(r_a, r_b, r_ab, n)
    assert result.t == pytest.approx(t, abs=0.005)
    assert result.p == pytest.approx(p, rel=0.5 if p < 0.01 else 0.02)


def test_swapping_the_runs_turns_the_sign_and_keeps_p():
    for pair in (classes(), similarities()):
        forth, back = compare_task(pair), compare_task(swapped(pair))
        assert back.difference == pytest.approx(-forth.difference)
        assert back.p == pytest.approx(forth.p)
        assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=2e-3)


def test_resampled_correlations_equal_those_of_a_plain_loop():
    pair = similarities(50)
    draws = correlations.correlation_differences(
        pair.labels, pair.predicted_a, pair.predicted_b, 7, np.random.default_rng(5)
    )
    drawn = np.random.default_rng(5).integers(50, size=(7, 50))
    for difference, rows in zip(draws, drawn, strict=True):
        y, a, b = pair.labels[rows], pair.predicted_a[rows], pair.predicted_b[rows]
        assert difference == pytest.approx(np.corrcoef(y, b)[0, 1] - np.corrcoef(y, a)[0, 1], abs=1e-12)


def test_the_bootstrap_agrees_with_scipy():
    pair = similarities(200, noise_b=0.8)

    def difference(y, a, b):
        return stats.pearsonr(y, b).statistic - stats.pearsonr(y, a).statistic

    slow = stats.bootstrap(
        (pair.labels, pair.predicted_a, pair.predicted_b),
        difference,
        paired=True,
        vectorized=False,
        n_resamples=1500,
        method="BCa",
        rng=np.random.default_rng(0),
    )
    result = compare_task(pair)
    assert result.low == pytest.approx(slow.confidence_interval.low, abs=0.012)
    assert result.high == pytest.approx(slow.confidence_interval.high, abs=0.012)


def test_the_bootstrap_interval_covers_the_true_difference_about_as_often_as_it_says():
    # ρ = 1/√(1 + noise²) for each run.
    truth = 1 / math.sqrt(1 + 0.7**2) - 1 / math.sqrt(2)
    results = [compare_task(similarities(150, noise_b=0.7, seed=seed), resamples=600) for seed in range(300)]
    assert np.mean([each.low <= truth <= each.high for each in results]) == pytest.approx(0.95, abs=0.035)


def test_the_interval_of_a_difference_is_the_same_on_every_day():
    once, again = (compare_task(similarities()) for _ in range(2))
    assert (once.low, once.high, once.p) == (again.low, again.high, again.p)


def test_the_whole_result_of_two_classifiers():
    labels = np.repeat([0, 1], 50)
    predicted_a, predicted_b = labels.copy(), labels.copy()
    predicted_a[:30] ^= 1
    predicted_b[25:35] ^= 1
    (found,) = compare_examples({"para": PairedPredictions("para", labels, predicted_a, predicted_b)}, 10)
    assert (found.task, found.n, found.score_a, found.score_b) == ("para", 100, 0.7, 0.9)
    assert (found.fixed, found.broken, found.difference, found.test) == (25, 5, 0.2, "exact McNemar")
    assert found.p == mcnemar_exact_p(25, 5)
    assert (found.low, found.high) == TangoInterval(25, 5, 100).at(0.05)
    assert found.interval.method == "Tango score"
    assert found.detectable == detectable_difference(0.3, 100, 0.05)
    assert (found.p_williams, found.p_corrected, found.family, found.level) == (None, None, 1, 0.05)
    assert (found.smallest_p, found.smallest_corrected) == (0.0, None)


def test_the_whole_result_of_two_similarities():
    pair = similarities(200, noise_b=0.8)
    found = compare_task(pair, 3000)
    r_a, r_b = (stats.pearsonr(pair.labels, each).statistic for each in (pair.predicted_a, pair.predicted_b))
    assert (found.task, found.n, found.test) == ("sts", 200, "paired permutation")
    assert (found.score_a, found.score_b, found.difference) == pytest.approx((r_a, r_b, r_b - r_a))
    r_ab = stats.pearsonr(pair.predicted_a, pair.predicted_b).statistic
    assert found.p_williams == pytest.approx(correlations.williams(r_a, r_b, r_ab, 200).p)
    assert found.interval.method == "BCa bootstrap, 3,000 resamples"
    assert found.standard_error == pytest.approx(found.interval.draws.std(), rel=0.1)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * found.standard_error, rel=1e-6)
    assert (found.fixed, found.broken) == (None, None)


def test_what_is_detectable_is_computed_at_the_level_that_decides():
    alone = compare_task(similarities())
    several = judge([dataclasses.replace(alone, p=0.9)] * 12)
    z, in_twelve = stats.norm.ppf([0.975, 1 - 0.05 / 24]) + stats.norm.ppf(0.8)
    assert several[0].detectable == pytest.approx(alone.detectable * in_twelve / z)


def test_the_influence_is_the_jackknifes():
    pair = similarities(12)
    arrays = (pair.labels, pair.predicted_a, pair.predicted_b)

    def difference(keep):
        y, a, b = (each[keep] for each in arrays)
        return np.corrcoef(y, b)[0, 1] - np.corrcoef(y, a)[0, 1]

    left_out = np.array([difference(np.arange(12) != i) for i in range(12)])
    assert correlations.correlation_influence(*arrays) == pytest.approx(11 * (left_out.mean() - left_out))


def test_identical_predictions_are_undecided_with_no_difference():
    for pair in (classes(), similarities()):
        result = compare_task(PairedPredictions(pair.task, pair.labels, pair.predicted_a, pair.predicted_a))
        assert (result.difference, result.p, judge([result])[0].verdict) == (0.0, 1.0, Verdict.UNDECIDED)


@pytest.mark.parametrize("constant", [np.full(40, 0.5), np.full(40, np.nan)], ids=["without variance", "not a number"])
def test_an_undefined_correlation_is_compared_with_nothing(constant):
    pair = similarities(40)
    result = compare_task(PairedPredictions("sts", pair.labels, pair.predicted_a, constant))
    assert result.score_a is not None
    assert (result.score_b, result.difference, result.p) == (None, None, None)
    assert "undefined" in result.remark


def test_an_empty_split_has_no_difference():
    nothing = np.empty(0)
    assert compare_task(PairedPredictions("sst", nothing, nothing, nothing)).difference is None


def test_predictions_of_different_splits_are_refused():
    with pytest.raises(ValueError, match="differ in number"):
        PairedPredictions("sst", np.zeros(3), np.zeros(3), np.zeros(4))


def overall_pairs(seed=0):
    return {
        "sst": classes("sst", 300, 0.45, 0.5, seed),
        "para": classes("para", 500, 0.8, 0.8, seed + 1),
        "sts": similarities(200, seed=seed + 2),
    }


def test_the_overall_difference_is_that_of_the_courses_score():
    pairs = overall_pairs()
    each = {task: compare_task(pair, resamples=50) for task, pair in pairs.items()}
    by_hand = (each["sst"].difference + each["para"].difference + each["sts"].difference / 2) / 3
    result = compare_overall(pairs)
    assert result.difference == pytest.approx(by_hand)
    assert result.low < result.difference < result.high


def test_the_overall_variance_is_the_sum_of_the_tasks_variances():
    pairs = overall_pairs()
    each = {task: compare_task(pair) for task, pair in pairs.items()}
    widths = {task: (result.high - result.low) ** 2 for task, result in each.items()}
    expected = math.sqrt(widths["sst"] / 9 + widths["para"] / 9 + widths["sts"] / 36)
    result = compare_overall(pairs)
    assert result.high - result.low == pytest.approx(expected, rel=0.03)


def test_the_overall_score_needs_all_three_tasks():
    pairs = overall_pairs()
    del pairs["para"]
    assert compare_overall(pairs) is None


def test_the_overall_score_is_undefined_where_a_part_is():
    pairs = overall_pairs()
    pairs["sts"] = PairedPredictions("sts", pairs["sts"].labels, pairs["sts"].predicted_a, np.zeros(200))
    result = compare_overall(pairs)
    assert result.score_a is not None
    assert (result.score_b, result.difference) == (None, None)


def test_resamples_without_variance_do_not_spoil_the_interval():
    labels = np.array([0.0, 1.0, 2.0, 3.0])
    result = compare_task(PairedPredictions("sts", labels, labels**2, np.array([0.0, 0.0, 0.0, 1.0])))
    assert result.low <= result.high


def test_a_bootstrap_that_is_mostly_undefined_gives_no_interval():
    assert bootstrap.bca(bootstrap.Resampled(0.1, np.array([0.1, np.nan, np.nan]), np.array([0.1]))) is None


def test_holm_multiplies_the_smallest_p_by_the_size_of_the_family():
    # Worked by hand: sorted .005, .01, .03, .04 times 4, 3, 2, 1, then the running maximum.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_a_missing_p_does_not_count_in_the_family():
    assert holm([0.02, None, 0.5]) == pytest.approx((0.04, None, 0.5))


def test_holm_never_claims_more_than_the_raw_p_and_keeps_their_order():
    p_values = np.random.default_rng(6).random(20)
    corrected = np.array(holm(list(p_values)))
    assert (corrected >= p_values).all() and corrected.max() <= 1
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()


def test_a_difference_that_stands_alone_may_fall_in_a_family():
    clear = dataclasses.replace(compare_task(classes(right_b=0.6)), p=0.02)
    assert judge([clear])[0].verdict is Verdict.BETTER
    many = judge([clear] + [dataclasses.replace(clear, p=0.9)] * 9)
    assert many[0].verdict is Verdict.UNDECIDED
    assert many[0].p_corrected == pytest.approx(10 * 0.02)


@dataclasses.dataclass
class Fixed:
    """An interval with the same ends at every level."""

    low: float
    high: float
    method: str = "fixed"

    def at(self, level):
        return self.low, self.high


def interval(low, high):
    """A normal interval with these ends at level 0.05."""
    return StudentInterval((low + high) / 2, (high - low) / 2 / stats.norm.ppf(0.975), 1e9, "normal")


def test_a_verdict_has_the_sign_of_the_difference():
    assert verdict(-0.1, 0.01, interval(-0.2, -0.05), 0.05) is Verdict.WORSE
    assert verdict(0.1, 0.01, interval(0.05, 0.2), 0.05) is Verdict.BETTER
    assert verdict(None, None, None, 0.05) is Verdict.UNDECIDED


def test_a_verdict_needs_both_p_and_the_interval():
    assert verdict(0.1, 0.04, interval(-0.01, 0.2), 0.05) is Verdict.UNDECIDED
    assert verdict(0.1, 0.06, interval(0.01, 0.2), 0.05) is Verdict.UNDECIDED
    assert verdict(0.1, 0.05, interval(0.01, 0.2), 0.05) is Verdict.BETTER


def test_the_interval_that_guards_a_verdict_has_the_level_of_holms_step():
    # At 95 % it excludes 0, at 98.75 %, the first step of four rows, it does not.
    narrow = dataclasses.replace(compare_task(classes()), interval=interval(0.001, 0.2), p=0.0001)
    assert judge([narrow])[0].verdict is Verdict.BETTER
    first, *_ = judge([narrow] + [dataclasses.replace(narrow, p=0.9)] * 3)
    assert (first.level, first.p_corrected <= 0.05, first.verdict) == (0.0125, True, Verdict.UNDECIDED)


def test_the_shown_interval_stays_the_95_percent_one():
    alone = compare_task(classes())
    first, *_ = judge([alone] * 4)
    assert (first.low, first.high) == (alone.low, alone.high) == alone.interval.at(0.05)


def test_levels_are_those_of_holms_steps_up_to_where_it_stops():
    # .001 ≤ .05/4 and .01 ≤ .05/3 are rejected; .03 > .05/2 is not, and with it the last.
    assert holm_levels([0.03, 0.001, 0.04, 0.01]) == pytest.approx((0.025, 0.0125, 0.025, 0.05 / 3))
    assert holm_levels([None, 0.2]) == pytest.approx((0.05, 0.05))


def test_holm_levels_reject_what_the_corrected_p_rejects():
    rng = np.random.default_rng(7)
    for _ in range(200):
        p_values = list(rng.random(5) ** 3)
        by_level = [p <= step for p, step in zip(p_values, holm_levels(p_values), strict=True)]
        assert by_level == [p <= 0.05 for p in holm(p_values)]


def test_near_copies_do_not_promise_to_find_a_difference_of_nothing():
    pair = similarities(863)
    result = judge([compare_task(dataclasses.replace(pair, predicted_b=pair.predicted_a + 1e-6 * pair.labels**2))])[0]
    assert 0 < result.detectable < 0.0005
    assert "a true difference of less than 0.001 is found" in result.remark


@pytest.mark.parametrize("missing", ["difference", "p", "interval"])
def test_what_is_undefined_is_undecided(missing):
    clear = compare_task(classes(right_b=0.7))
    assert judge([clear])[0].verdict is Verdict.BETTER
    assert judge([dataclasses.replace(clear, **{missing: None})])[0].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.2), (-0.2, 0.0)])
def test_an_interval_that_ends_at_zero_decides_nothing(low, high):
    assert verdict((low + high) / 2, 0.001, Fixed(low, high), 0.05) is Verdict.UNDECIDED


def test_the_family_is_counted_where_p_is_known():
    known, unknown = compare_task(classes()), dataclasses.replace(compare_task(classes()), p=None)
    judged = judge([known, unknown, known])
    assert [each.family for each in judged] == [2, 2, 2]
    assert [each.smallest_corrected for each in judged] == [0.0, None, 0.0]
    assert judge([]) == ()


def test_a_p_that_equals_its_step_is_rejected_by_p_and_by_level():
    p_values = [0.025, 0.04]
    assert [p <= 0.05 for p in holm(p_values)] == [True, True]
    assert holm_levels(p_values) == pytest.approx((0.025, 0.05))


def test_an_undecided_result_says_what_could_have_been_seen():
    result = judge([compare_task(classes(n=1101, right_b=0.5))])[0]
    assert "not “no effect”" in result.remark
    assert f"{result.detectable:.3f}" in result.remark
