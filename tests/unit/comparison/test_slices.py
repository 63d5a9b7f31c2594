"""Scores by slice: against other programs, by hand, and corrected for how many slices there are."""

import msgspec
import numpy as np
import pytest
from present import present
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from bertmt.comparison.correlation.distances import fitted_distances
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.permutation import exchanged_means
from bertmt.comparison.slices import DISTANCE, LEAST, Slice, compare_slices, score_slices
from bertmt.comparison.verdicts import Verdict, holm
from bertmt.tasks.builtin import BUILTIN

SST, STS = BUILTIN["sst"], BUILTIN["sts"]
RNG = np.random.default_rng(5)
N = 400
CLASSES = RNG.integers(5, size=N)
A = np.where(RNG.random(N) < 0.6, CLASSES, (CLASSES + 1) % 5)
B = np.where(RNG.random(N) < 0.7, CLASSES, (CLASSES + 2) % 5)
NUMBERS = RNG.uniform(0, 5, N)
NEAR, FAR = NUMBERS / 5 + RNG.normal(0, 0.1, N), 0.3 + NUMBERS / 20 + RNG.normal(0, 0.05, N)


def first(count: int, by_label: bool = False) -> Slice:
    return Slice(f"first {count}", np.arange(N) < count, by_label)


def test_a_slice_is_judged_as_its_examples_alone_would_be() -> None:
    [found] = compare_slices(PairedPredictions(SST, CLASSES, A, B), [first(150)])
    [alone] = compare_examples({"sst": PairedPredictions(SST, CLASSES[:150], A[:150], B[:150])}, 100)
    result = present(found.result)
    assert (found.n, result.fixed, result.broken, result.p) == (150, alone.fixed, alone.broken, alone.p)
    assert (result.low, result.high) == (alone.low, alone.high)


def test_p_values_are_corrected_over_the_slices_that_are_judged_and_no_others() -> None:
    slices = [first(300), first(200), first(60), first(LEAST - 1)]
    found = compare_slices(PairedPredictions(SST, CLASSES, A, B), slices)
    assert found[3].result is None and found[3].n == LEAST - 1, "too few are told, not judged"
    results = [present(each.result) for each in found[:3]]
    assert [each.p_corrected for each in results] == list(holm([each.p for each in results]))
    assert {each.family for each in results} == {3}


def test_all_examples_are_measured_but_judged_by_compare_alone() -> None:
    pair = PairedPredictions(SST, CLASSES, A, B)
    whole, part = compare_slices(pair, [first(N), first(200)])
    [alone] = compare_examples({"sst": pair}, 100)
    assert (whole.is_judged, part.is_judged) == (False, True)
    assert present(whole.result).p == alone.p and present(whole.result).p_corrected is None
    assert present(part.result).family == 1, "a family of parts"


def test_the_interval_of_one_accuracy_is_wilsons() -> None:
    [found] = score_slices(SST, CLASSES, A, [first(150)])
    right = int((A[:150] == CLASSES[:150]).sum())
    assert found.score == right / 150
    np.testing.assert_allclose(present(found.interval), proportion_confint(right, 150, method="wilson"), atol=1e-9)


def test_intervals_together_are_those_of_a_level_divided_by_the_slices() -> None:
    slices = [first(N), first(150), first(50), first(3)]
    found = score_slices(SST, CLASSES, A, slices)[1]
    right = int((A[:150] == CLASSES[:150]).sum())
    expected = proportion_confint(right, 150, alpha=0.05 / 3, method="wilson")
    np.testing.assert_allclose(present(found.together), expected, atol=1e-9)


def test_the_interval_of_one_correlation_is_about_that_of_fisher() -> None:
    # Both are bivariate normal here, where Fisher's z is right.
    rng = np.random.default_rng(1)
    labels = rng.normal(size=2000)
    predicted = 0.8 * labels + 0.6 * rng.normal(size=2000)
    [found] = score_slices(STS, labels, predicted, [Slice("all", np.ones(2000, dtype=bool))], 4000)
    ends = stats.pearsonr(labels, predicted).confidence_interval(0.95)
    np.testing.assert_allclose(present(found.interval), ends, atol=0.004)


def test_a_correlation_is_never_said_to_be_above_1() -> None:
    labels = np.arange(30.0)
    [found] = score_slices(STS, labels, labels + RNG.normal(0, 0.01, 30), [Slice("all", np.ones(30, dtype=bool))], 500)
    assert present(found.interval)[1] <= 1.0


def test_distances_are_those_from_the_line_that_polyfit_finds() -> None:
    slope, intercept = np.polyfit(FAR, NUMBERS, 1)
    np.testing.assert_allclose(fitted_distances(NUMBERS, FAR), np.abs(NUMBERS - slope * FAR - intercept), atol=1e-9)
    np.testing.assert_allclose(fitted_distances(NUMBERS, 7 - 3 * FAR), fitted_distances(NUMBERS, FAR), atol=1e-9)
    np.testing.assert_allclose(fitted_distances(NUMBERS, np.ones(N)), np.abs(NUMBERS - NUMBERS.mean()))


def test_a_band_of_labels_is_judged_by_distances_and_others_by_the_score() -> None:
    band = Slice("label 2 to below 3", (NUMBERS >= 2) & (NUMBERS < 3), by_label=True)
    in_band, of_all = compare_slices(PairedPredictions(STS, NUMBERS, FAR, NEAR), [band, first(N)], 2000)
    assert (in_band.metric, of_all.metric) == (DISTANCE, "pearson")
    a, b = (fitted_distances(NUMBERS, each)[band.chosen] for each in (FAR, NEAR))
    result = present(in_band.result)
    assert result.difference == pytest.approx(a.mean() - b.mean())
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose((present(result.low), present(result.high)), expected, atol=1e-12)
    assert result.verdict is Verdict.BETTER, "closer is better"


def test_a_band_of_classes_is_judged_by_its_recall_whatever_the_score_is() -> None:
    task = msgspec.structs.replace(SST, metrics=("macro_f1",))
    [found] = score_slices(task, CLASSES, A, [Slice("true 1", CLASSES == 1, by_label=True)])
    assert found.metric == "accuracy" and found.score == pytest.approx((A[CLASSES == 1] == 1).mean())


def test_means_under_exchange_have_the_spread_of_all_signs() -> None:
    differences = np.array([0.3, -0.1, 0.25, 0.05, 0.4, -0.2])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    every = signs @ differences / 6
    drawn = exchanged_means(differences, 20_000, np.random.default_rng(0))
    assert set(np.round(drawn, 9)) == set(np.round(every, 9))
    assert drawn.std() == pytest.approx(every.std(), rel=0.02)


def test_a_slice_tells_what_always_answering_its_commonest_class_scores() -> None:
    slices = [first(150), first(LEAST - 1), Slice("true 1", CLASSES == 1, by_label=True)]
    expected = [np.bincount(CLASSES[each.chosen]).max() / each.n for each in slices]
    scored = score_slices(SST, CLASSES, A, slices)
    compared = compare_slices(PairedPredictions(SST, CLASSES, A, B), slices, 100)
    assert [each.commonest for each in scored] == [each.commonest for each in compared] == expected
    assert expected[2] == 1.0 and score_slices(STS, NUMBERS, NEAR, [first(150)], 100)[0].commonest is None


def test_a_slice_without_a_score_is_undecided() -> None:
    same = Slice("one label", np.arange(N) < 30)
    labels = np.where(same.chosen, 2.0, NUMBERS)
    [found] = compare_slices(PairedPredictions(STS, labels, NEAR, FAR), [same], 100)
    result = present(found.result)
    assert (result.difference, result.p, result.verdict) == (None, None, Verdict.UNDECIDED)
    [score] = score_slices(STS, labels, NEAR, [same], 100)
    assert (score.score, score.interval) == (None, None)
