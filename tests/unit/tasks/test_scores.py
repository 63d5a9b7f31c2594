"""From probabilities to labels, and from labels to the scores of a task and of several."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import accuracy, matthews
from bertmt.tasks.scores import all_scores, confusion, on_label_scale, overall, predicted_labels, score, unit_scores
from bertmt.tasks.task import Task

PAPERS = {"sst": 0.531, "para": 0.861, "sts": 0.858}  # its Figure 1
COLA = Task(name="cola", title="CoLA", inputs="single", classes=("no", "yes"), metrics=("matthews", "accuracy"))
FIVE = Task(name="five", title="5", inputs="pair", classes=("a", "b", "c", "d", "e"), metrics=("macro_f1",))
SICK = Task(
    name="sick", title="SICK", inputs="pair", range=(1, 5), prediction="cosine", metrics=("spearman", "pearson", "mse")
)
MIXED = {**BUILTIN, "cola": COLA, "five": FIVE, "sick": SICK}


def test_of_many_classes_the_most_probable_is_predicted() -> None:
    shares = np.array([[0.1, 0.2, 0.4, 0.2, 0.1], [0, 0, 0, 0, 1]], dtype=np.float32)
    assert predicted_labels(FIVE, shares).tolist() == [2, 4]


def test_of_two_classes_1_is_predicted_from_one_half_on() -> None:
    assert predicted_labels(COLA, np.array([0.49999, 0.5, 1.0], dtype=np.float32)).tolist() == [0, 1, 1]


def test_of_a_number_the_output_itself_is_predicted() -> None:
    cosines = np.array([-1.0, 0.25], dtype=np.float32)
    assert predicted_labels(SICK, cosines).tolist() == [-1.0, 0.25]


def test_numbers_are_put_on_the_range_of_the_labels_and_classes_left_alone() -> None:
    outputs = np.array([0.0, 0.5, 1.0, -0.5], dtype=np.float32)
    assert on_label_scale(SICK, outputs).tolist() == [1, 3, 5, -1]
    assert on_label_scale(BUILTIN["sts"], outputs).tolist() == [0, 2.5, 5, -2.5]
    assert {on_label_scale(MIXED[name], outputs).dtype for name in ("sick", "sts")} == {np.dtype("float32")}
    assert on_label_scale(COLA, np.array([0, 1])).tolist() == [0, 1]


def test_each_task_is_judged_by_the_first_of_its_metrics() -> None:
    assert score(BUILTIN["sst"], [4, 0], [4, 1]) == 0.5
    assert score(BUILTIN["para"], [1, 0], [1, 0]) == 1.0
    assert score(BUILTIN["sts"], [0.1, 0.5, 0.2], [1, 5, 2]) == pytest.approx(1)
    assert score(COLA, [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == pytest.approx(1 / 6)
    assert score(FIVE, [0, 1, 1, 0], [0, 1, 4, 0]) == pytest.approx((1 + 2 / 3) / 3)
    assert score(SICK, [1, 10, 100], [1, 2, 3]) == pytest.approx(1)


def test_all_metrics_of_a_task_are_told_by_name() -> None:
    found = all_scores(SICK, [1.0, 2, 4], [1.0, 2, 3])
    assert list(found) == ["spearman", "pearson", "mse"]
    assert found["spearman"] == pytest.approx(1) and found["mse"] == pytest.approx(1 / 3)


def test_the_overall_score_maps_correlations_to_the_unit_interval() -> None:
    # With S = (1 + ρ)/2, as decision 4 works out: 0.774.
    assert overall(PAPERS, BUILTIN) == pytest.approx(0.774, abs=5e-4)
    assert unit_scores(PAPERS, BUILTIN) == {"sst": 0.531, "para": 0.861, "sts": pytest.approx(0.929)}


def test_the_overall_score_of_any_tasks_is_the_mean_of_their_parts() -> None:
    scores = {"sst": 0.5, "cola": -0.2, "five": 0.3, "sick": 1.0}
    assert unit_scores(scores, MIXED) == {"sst": 0.5, "cola": 0.4, "five": 0.3, "sick": 1.0}
    assert overall(scores, MIXED) == pytest.approx((0.5 + 0.4 + 0.3 + 1.0) / 4)


@pytest.mark.parametrize("missing", ["sst", "para", "sts"])
@pytest.mark.parametrize("value", [None, float("nan")])
def test_the_overall_score_needs_the_scores_of_all(missing: str, value: float | None) -> None:
    assert overall({**PAPERS, missing: value}, BUILTIN) is None


@pytest.mark.parametrize("scores", [{}, {"sst": 0.5}, {"cola": 0.5}])
def test_fewer_than_two_tasks_have_no_overall_score(scores: dict[str, float]) -> None:
    assert overall(scores, MIXED) is None


def test_a_confusion_matrix_counts_true_by_predicted() -> None:
    assert confusion(BUILTIN["para"], [1, 0, 1, 1], [1, 1, 0, 1]).tolist() == [[0, 1], [1, 2]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_a_confusion_matrix_agrees_with_accuracy_and_counts(data: list[Any]) -> None:
    predicted, labels = zip(*data, strict=True)
    matrix = confusion(FIVE, predicted, labels)
    assert matrix.shape == (5, 5)
    assert matrix.trace() / matrix.sum() == pytest.approx(accuracy(predicted, labels))
    assert matrix.sum(axis=1).tolist() == [labels.count(each) for each in range(5)]
    assert matrix.sum(axis=0).tolist() == [predicted.count(each) for each in range(5)]


def test_a_confusion_matrix_of_two_classes_gives_matthews() -> None:
    predicted, labels = [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]
    (tn, fp), (fn, tp) = confusion(COLA, predicted, labels).tolist()
    expected = (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    assert matthews(predicted, labels) == pytest.approx(expected)


def test_examples_without_a_label_are_not_in_a_confusion_matrix() -> None:
    assert confusion(COLA, [1, 0], [None, 0]).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(("task", "predicted"), [("sick", [0.5]), ("sst", [5]), ("sst", [1.5]), ("para", [-1])])
def test_a_confusion_matrix_of_something_else_is_refused(task: str, predicted: list[float]) -> None:
    with pytest.raises(ValueError, match="class"):
        confusion(MIXED[task], predicted, [1])
