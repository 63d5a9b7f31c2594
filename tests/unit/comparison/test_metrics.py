"""What judges F1, macro-F1, Matthews and Spearman, against loops over examples with `tasks/metrics.py`."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from made_up_predictions import A_TASK, compare_overall, compare_task, swapped
from present import present
from scipy import stats

from bench.calibration import metrics, real_predictions
from bertmt.comparison import confusions
from bertmt.comparison.confusions import cells_of, exchanged_differences, resampled_difference
from bertmt.comparison.correlation import rank
from bertmt.comparison.correlation.rank import resampled_rank_correlation_difference
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.permutation import exchanged_correlations
from bertmt.comparison.procedures import BY_METRIC, Sample
from bertmt.comparison.verdicts import Verdict, judge
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import COMPUTED, spearman
from bertmt.tasks.task import METRICS

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
OF_CLASSES = ("f1", "macro_f1", "matthews")
GOLDEN = Path(__file__).parents[2] / "fixtures" / "differences_of_builtin_tasks.json"


def classes(n: int = 150, k: int = 3, seed: int = 0) -> Arrays:
    """Labels of which the last is rare, and two runs of which the second is better."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, size=n, p=np.array([*[1] * (k - 1), 0.5]) / (k - 0.5))
    a, b = (np.where(rng.random(n) < right, labels, rng.integers(k, size=n)) for right in (0.5, 0.65))
    return labels, a, b


def numbers(n: int = 40, seed: int = 0) -> Arrays:
    """Labels in steps, numbers without ties of one run, and in steps of the other."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(5, size=n).astype(float)
    return labels, labels + 2 * rng.normal(size=n), np.round(labels + rng.normal(size=n))


def difference(metric: str, labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    return present(COMPUTED[metric](b, labels)) - present(COMPUTED[metric](a, labels))


def jackknife(metric: str, arrays: Arrays) -> float:
    n = len(arrays[0])
    left_out = [difference(metric, *(np.delete(each, i) for each in arrays)) for i in range(n)]
    return math.sqrt((n - 1) * float(np.var(left_out)))


def two_or_three(metric: str) -> int:
    return 2 if metric == "f1" else 3


def test_every_metric_that_is_a_score_has_a_procedure() -> None:
    assert set(BY_METRIC) == {name for name, metric in METRICS.items() if metric.is_score}


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text(encoding="utf-8")), ids=lambda case: str(case["runs"]))
def test_the_papers_three_tasks_are_judged_as_before_there_were_others(case: dict[str, list[int]]) -> None:
    """Written by the code that knew these three tasks alone, from real predictions (bench/calibration)."""
    real, (a, b) = real_predictions.read(), case["runs"]
    names = [name for name in BUILTIN if name in {each["task"] for each in case["found"]}]  # type: ignore[index]
    pairs = {
        name: PairedPredictions(BUILTIN[name], real.labels[name], real.predicted[name][a], real.predicted[name][b])
        for name in names
    }
    for found, wanted in zip(judge(compare_examples(pairs, 3000)), case["found"], strict=True):
        interval = present(found.interval)
        assert [end for level in (0.05, 0.0125, 0.004) for end in interval.at(level)] == pytest.approx(
            wanted.pop("at"),  # type: ignore[attr-defined]
            rel=1e-9,
        )
        assert str(found.verdict) == wanted.pop("verdict")  # type: ignore[attr-defined]
        for name, value in wanted.items():  # type: ignore[attr-defined]
            assert getattr(found, name) == (pytest.approx(value, rel=1e-9) if type(value) is float else value), name


@pytest.mark.parametrize("metric", OF_CLASSES)
def test_resamples_of_cells_are_those_of_a_loop_over_examples(metric: str) -> None:
    arrays = classes(k=two_or_three(metric))
    cells = cells_of(*arrays)
    resamples = confusions.CHUNK + 30  # more than one chunk, the last not full
    found = resampled_difference(cells, metric, resamples, np.random.default_rng(5))
    assert found.estimate == pytest.approx(difference(metric, *arrays))
    assert found.standard_error == pytest.approx(jackknife(metric, arrays), rel=0.03)
    # A cell's label and predictions, so often as the same generator draws them.
    kinds = np.unique(np.stack(arrays), axis=1)
    rng = np.random.default_rng(5)
    sizes = (confusions.CHUNK, 30)
    drawn = np.vstack([rng.multinomial(150, cells.counts / 150, size=size) for size in sizes])
    for row in (0, 1, confusions.CHUNK - 1, confusions.CHUNK, resamples - 1):
        resample = tuple(np.repeat(values, drawn[row]) for values in kinds)
        assert found.draws[row] == pytest.approx(difference(metric, *resample)), row
        assert found.draw_errors[row] == pytest.approx(jackknife(metric, resample), rel=0.06), row  # type: ignore[arg-type]
    assert np.std(found.draws) == pytest.approx(found.standard_error, rel=0.15)


@pytest.mark.parametrize("metric", OF_CLASSES)
def test_all_exchanges_of_a_few_examples_are_drawn_with_the_differences_of_a_plain_loop(metric: str) -> None:
    labels = np.array([1, 1, 0, 0, 1, 2, 2, 0])
    a, b = np.array([1, 0, 0, 1, 1, 2, 0, 0]), np.array([1, 1, 1, 1, 0, 2, 2, 0])
    if metric == "f1":
        labels, a, b = labels % 2, a % 2, b % 2
    possible = []
    for swaps in itertools.product([False, True], repeat=len(labels)):
        possible.append(difference(metric, labels, np.where(swaps, b, a), np.where(swaps, a, b)))
    draws = exchanged_differences(cells_of(labels, a, b), metric, 5000, np.random.default_rng(0))
    assert set(np.round(draws, 9)) == set(np.round(possible, 9))
    for value in (0.05, 0.2, 0.4):  # each exchange as often as any other
        assert np.mean(np.abs(draws) >= value) == pytest.approx(np.mean(np.abs(possible) >= value), abs=0.03)


@pytest.mark.parametrize("metric", ["f1", "macro_f1", "matthews"])
def test_the_p_of_a_function_of_the_confusion_matrix_is_that_of_exchanging_examples(metric: str) -> None:
    labels, a, b = classes(k=two_or_three(metric), seed=7)
    found = compare_task(PairedPredictions(A_TASK[metric], labels, a, b), 20_000)
    rng = np.random.default_rng(1)
    drawn = []
    for swaps in rng.random((3000, len(labels))) < 0.5:
        drawn.append(difference(metric, labels, np.where(swaps, b, a), np.where(swaps, a, b)))
    slow = float(np.mean(np.abs(drawn) >= abs(difference(metric, labels, a, b)) - 1e-12))
    assert 0.01 < slow < 0.2
    assert found.p == pytest.approx(slow, rel=0.2)


@pytest.mark.parametrize("metric", OF_CLASSES)
def test_the_whole_result_of_a_function_of_the_confusion_matrix(metric: str) -> None:
    labels, a, b = classes(k=two_or_three(metric))
    found = compare_task(PairedPredictions(A_TASK[metric], labels, a, b), 3000)
    assert (found.task, found.n, found.test) == (A_TASK[metric].name, 150, "paired permutation")
    assert (found.score_a, found.score_b) == (COMPUTED[metric](a, labels), COMPUTED[metric](b, labels))
    assert found.difference == pytest.approx(difference(metric, labels, a, b))
    interval = present(found.interval)
    assert interval.method == "symmetric bootstrap-t, 3,000 resamples"
    assert interval.bound == (2.0 if metric == "matthews" else 1.0)  # type: ignore[attr-defined]  # no Tango interval
    assert found.standard_error == pytest.approx(jackknife(metric, (labels, a, b)), rel=0.03)
    assert (found.fixed, found.broken, found.p_williams) == (None, None, None)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * present(found.standard_error), rel=1e-6)


@pytest.mark.parametrize("metric", [*OF_CLASSES, "spearman"])
def test_swapping_the_runs_turns_the_sign_and_keeps_p(metric: str) -> None:
    arrays = numbers() if metric == "spearman" else classes(k=two_or_three(metric))
    pair = PairedPredictions(A_TASK[metric], *arrays)
    forth, back = compare_task(pair), compare_task(swapped(pair))
    assert back.difference == pytest.approx(-present(forth.difference))
    assert back.p == pytest.approx(forth.p, rel=0.1, abs=0.005)
    # Cells in another order are other draws.
    assert (back.low, back.high) == pytest.approx((-present(forth.high), -present(forth.low)), rel=0.05)


@pytest.mark.parametrize("metric", [*OF_CLASSES, "spearman"])
def test_identical_predictions_are_undecided_with_no_difference(metric: str) -> None:
    labels, a, _ = numbers() if metric == "spearman" else classes(k=two_or_three(metric))
    found = compare_task(PairedPredictions(A_TASK[metric], labels, a, a), 500)
    assert (found.difference, found.p, judge([found])[0].verdict) == (0.0, 1.0, Verdict.UNDECIDED)
    assert (found.low, found.high, found.standard_error, found.detectable) == (0.0, 0.0, 0.0, None)


@pytest.mark.parametrize(("metric", "constant"), [("f1", np.zeros(40)), ("spearman", np.full(40, 0.5))])
def test_an_undefined_score_is_compared_with_nothing(metric: str, constant: np.ndarray) -> None:
    labels = constant if metric == "f1" else np.arange(40.0) % 2
    found = compare_task(PairedPredictions(A_TASK[metric], labels, np.arange(40.0) % 2, constant), 50)
    assert (found.score_b, found.difference, found.p, found.interval) == (None, None, None, None)
    assert "undefined" in present(found.remark)


def test_matthews_of_one_predicted_class_is_0_and_is_compared() -> None:
    labels = np.arange(400) % 2
    right = np.where(np.arange(400) % 5 == 0, 1 - labels, labels)
    found = compare_task(PairedPredictions(A_TASK["matthews"], labels, np.ones(400, dtype=int), right), 500)
    assert (found.score_a, found.score_b) == (0.0, pytest.approx(0.6))
    assert present(found.p) < 0.01 and present(found.low) > 0.4 and judge([found])[0].verdict is Verdict.BETTER


def test_resamples_without_a_class_are_undefined_and_those_of_macro_f1_are_of_the_other_classes() -> None:
    # The only 1 is missing in a third of the resamples.
    labels, a, b = np.eye(3, 30, dtype=int)[0], np.eye(3, 30, dtype=int)[0], np.eye(3, 30, dtype=int)[0]
    b[1] = 1
    cells = cells_of(labels, a, b)
    for metric in ("f1", "matthews"):
        found = resampled_difference(cells, metric, 1000, np.random.default_rng(0))
        # Where the example that b alone calls 1 is there, b's F1 is 0 and a's undefined.
        assert np.isnan(found.draws).mean() == pytest.approx(math.exp(-1), abs=0.06)
    found = resampled_difference(cells, "macro_f1", 1000, np.random.default_rng(0))
    assert not np.isnan(found.draws).any()
    drawn = np.random.default_rng(0).multinomial(30, cells.counts / 30, size=confusions.CHUNK)
    kinds = np.unique(np.stack([labels, a, b]), axis=1)
    for row in range(20):
        resample = [np.repeat(values, drawn[row]) for values in kinds]
        assert found.draws[row] == pytest.approx(difference("macro_f1", *resample)), row


def test_f1_is_that_of_class_1_whatever_the_other_is_called() -> None:
    (value,), gradient = confusions.f1(np.array([[[0.2, 0.8], [0.1, 0.5], [0.4, 0.6]]]), np.array([0.0, 1.0]))
    assert value == pytest.approx(2 * 0.5 / (0.8 + 0.6))
    assert not gradient[:, :, 0].any()


def test_spearmans_resamples_are_ranked_anew() -> None:
    arrays = numbers()
    resamples = rank.CHUNK + 20
    found = resampled_rank_correlation_difference(*arrays, resamples, np.random.default_rng(5))
    assert (found.estimate, found.bound) == (pytest.approx(difference("spearman", *arrays)), 2.0)
    for row, rows in enumerate(np.random.default_rng(5).integers(40, size=(resamples, 40))):
        resample = tuple(each[rows] for each in arrays)
        assert found.draws[row] == pytest.approx(difference("spearman", *resample)), row
        if row % 10 == 0:
            assert found.draw_errors[row] == pytest.approx(jackknife("spearman", resample), rel=0.15), row


@pytest.mark.parametrize("seed", range(3))
def test_the_standard_error_of_rank_correlations_is_the_jackknifes(seed: int) -> None:
    arrays = numbers(300, seed)
    found = resampled_rank_correlation_difference(*arrays, 400, np.random.default_rng(0))
    assert found.standard_error == pytest.approx(jackknife("spearman", arrays), rel=0.02)
    assert np.std(found.draws) == pytest.approx(found.standard_error, rel=0.15)


def test_the_whole_result_of_two_rank_correlations() -> None:
    labels, a, b = numbers(60)
    found = compare_task(PairedPredictions(A_TASK["spearman"], labels, a, b), 4000)
    assert (found.task, found.n, found.test) == ("grades", 60, "paired permutation")
    assert (found.score_a, found.score_b) == (spearman(a, labels), spearman(b, labels))
    assert found.difference == pytest.approx(difference("spearman", labels, a, b))
    assert (found.fixed, found.broken, found.p_williams) == (None, None, None)
    ranks_y, ranks_a, ranks_b = (stats.rankdata(each) for each in (labels, a, b))
    z_a, z_b = ((each - each.mean()) / each.std() for each in (ranks_a, ranks_b))
    drawn = []
    for swaps in np.random.default_rng(1).random((3000, 60)) < 0.5:
        drawn.append(difference("pearson", ranks_y, np.where(swaps, z_b, z_a), np.where(swaps, z_a, z_b)))
    # Exchanges of measured ranks, as much wider as the standard error is.
    spread = jackknife("spearman", (labels, a, b)) / jackknife("pearson", (ranks_y, ranks_a, ranks_b))
    slow = float(np.mean(spread * np.abs(drawn) >= abs(present(found.difference)) - 1e-12))
    assert found.p == pytest.approx(slow, rel=0.2, abs=0.003)


def test_exchanged_ranks_vary_as_the_difference_does_where_the_noise_of_one_run_grows() -> None:
    one_run = next(each for each in metrics.populations(real_predictions.read()) if "in one run" in each.name)
    rng = np.random.default_rng(3)
    ratios, fixed = [], []
    for _ in range(10):
        drawn = one_run.draw(rng)
        first, second = drawn.predicted
        sample = Sample(drawn.labels, first, second, 0.0, 0.0)
        found = BY_METRIC["spearman"](sample, 300, (np.random.default_rng(0), np.random.default_rng(1)))
        ratios.append(np.std(found.exchanged) / present(found.standard_error))
        y, a, b = (stats.rankdata(each) for each in (drawn.labels, first, second))
        exchanged = exchanged_correlations(y, a, b, 300, np.random.default_rng(1))
        fixed.append(np.std(exchanged) / present(found.standard_error))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.03)
    assert np.mean(fixed) < 0.94, "else this sample tests nothing"


def test_only_the_order_of_predictions_matters_to_rank_correlations() -> None:
    labels, a, b = numbers()
    one = compare_task(PairedPredictions(A_TASK["spearman"], labels, a, b), 300)
    other = compare_task(PairedPredictions(A_TASK["spearman"], labels**3, np.exp(a), 5 * b - 1), 300)
    assert (one.p, one.low, one.high) == (other.p, pytest.approx(other.low), pytest.approx(other.high))


def test_the_overall_score_of_five_tasks_is_the_mean_of_their_unit_scores() -> None:
    pairs = {"sst": PairedPredictions(BUILTIN["sst"], *classes(200, 5, 1))}
    for seed, metric in enumerate(OF_CLASSES):
        task = A_TASK[metric]
        pairs[task.name] = PairedPredictions(task, *classes(150, two_or_three(metric), seed))
    pairs["grades"] = PairedPredictions(A_TASK["spearman"], *numbers(60))
    each = {name: compare_task(pair, 200) for name, pair in pairs.items()}
    found = present(compare_overall(pairs, 2000))
    signed = {A_TASK["matthews"].name, "grades"}
    weights = {name: (0.5 if name in signed else 1.0) / 5 for name in pairs}
    by_hand = sum(weight * present(each[name].difference) for name, weight in weights.items())
    assert (found.n, found.difference) == (710, pytest.approx(by_hand))
    accuracy = each.pop("sst")
    variance = (present(accuracy.fixed) + present(accuracy.broken)) / 200**2 - present(accuracy.difference) ** 2 / 200
    variance *= weights["sst"] ** 2
    variance += sum((weights[name] * present(one.standard_error)) ** 2 for name, one in each.items())
    assert found.standard_error == pytest.approx(math.sqrt(variance))
    assert present(found.interval).bound == pytest.approx(1.0)  # type: ignore[attr-defined]
