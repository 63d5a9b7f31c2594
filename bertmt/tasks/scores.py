"""A task's scores from predictions, the overall score of several, and the confusion matrix."""

import math
from collections.abc import Mapping

import numpy as np

from bertmt.tasks.metrics import COMPUTED, Values, aligned
from bertmt.tasks.task import Task


def predicted_labels(task: Task, probabilities: np.ndarray) -> np.ndarray:
    """What is predicted: the most probable class; of two, 1 where p ≥ 0.5 (section 4.1); else the number itself.

    Args:
        probabilities: as predictions are stored: (n, k) of k > 2 classes; (n,) of class 1 of two; (n,) of a number: the
            cosine, or the head's output, which both stand for the range from 0 to 1.
    """
    if not task.classes:
        return probabilities
    if task.outputs == 1:
        return (probabilities >= 0.5).astype(np.int64)
    most_probable: np.ndarray = probabilities.argmax(axis=1)
    return most_probable


def on_label_scale(task: Task, predicted: np.ndarray) -> np.ndarray:
    """Predicted labels on the scale of the labels: numbers times the range (decision 5), classes as they are.

    float32 stays float32.
    """
    if task.classes:
        return predicted
    low, high = task.range
    scaled: np.ndarray = predicted * np.float32(high - low)
    return scaled + np.float32(low) if low else scaled


def score(task: Task, predicted: Values, labels: Values) -> float | None:
    """The score that a task is judged by; None where it is undefined.

    Args:
        predicted: of `predicted_labels`; a correlation is the same on the scale of the labels.
    """
    return COMPUTED[task.metrics[0]](predicted, labels)


def all_scores(task: Task, predicted: Values, labels: Values) -> dict[str, float | None]:
    """Every metric of a task, by name; the first is its score.

    Args:
        predicted: on the scale of the labels (`on_label_scale`).
    """
    return {name: COMPUTED[name](predicted, labels) for name in task.metrics}


def measured(task: Task, probabilities: np.ndarray, labels: Values) -> dict[str, float | None]:
    """Every metric of a task from stored predictions; the first is its score.

    Args:
        probabilities: as in `predicted_labels`.
    """
    predicted = predicted_labels(task, probabilities)
    # A correlation of float32 shares is the same on the scale of the labels but for the last bits, which stay as they
    # were before there were other metrics.
    return all_scores(task, on_label_scale(task, predicted), labels) | {task.metrics[0]: score(task, predicted, labels)}


def unit_scores(scores: Mapping[str, float | None], tasks: Mapping[str, Task]) -> dict[str, float | None]:
    """Each score's part in the overall score, 0 to 1."""
    return {name: None if scores[name] is None else tasks[name].unit(scores[name]) for name in scores}  # type: ignore[arg-type]


def overall(scores: Mapping[str, float | None], tasks: Mapping[str, Task]) -> float | None:
    """The mean of the unit scores of several tasks.

    Of the course's three it is (acc_SST + acc_PARA + (1 + ρ_STS)/2) / 3, as the course computes it. Source: section 5.2
    for S = (1 + ρ)/2, decisions 3 and 4.

    Args:
        scores: of all tasks that a run trains.

    Returns:
        None where one of them is undefined, and for fewer than two: it would only repeat the score.
    """
    units = list(unit_scores(scores, tasks).values())
    known = [value for value in units if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if len(units) == len(known) > 1 else None


def commonest_class(task: Task, labels: Values) -> tuple[int, float] | None:
    """The class that most of the labels are, and its share: what always answering it scores in accuracy.

    Returns:
        None of a task without classes, or where nothing has a label. Of classes equally common the first.
    """
    found = np.asarray(labels, dtype=np.float64)
    found = found[~np.isnan(found)]
    if not task.classes or not len(found):
        return None
    counts = np.bincount(found.astype(np.int64))
    return int(counts.argmax()), float(counts.max() / len(found))


def confusion(task: Task, predicted: Values, labels: Values) -> np.ndarray:
    """How often class j was predicted where i is true: (k, k) ints, rows true, columns predicted.

    Examples without a label are left out.

    Raises:
        ValueError: the task has no classes, or a value is none of them.
    """
    classes = len(task.classes)
    if not classes:
        raise ValueError(f"{task.name} has no classes")
    found, wanted = aligned(predicted, labels)
    labelled = ~np.isnan(wanted)
    found, wanted = found[labelled], wanted[labelled]
    if not np.isin(np.concatenate([found, wanted]), np.arange(classes)).all():
        raise ValueError(f"predictions and labels of {task.name} are classes from 0 to {classes - 1}")
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (wanted.astype(np.int64), found.astype(np.int64)), 1)
    return matrix
