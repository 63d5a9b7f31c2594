"""Confusion matrices of stored predictions."""

from dataclasses import dataclass

import numpy as np

from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.examples import ExampleTable
from bertmt.services.analysis.labels import labels_of
from bertmt.services.analysis.run_predictions import compared_run, epochs_of, predictions_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.tasks.scores import confusion, predicted_labels
from bertmt.tasks.task import Task


@dataclass(frozen=True)
class Confusion:
    """How often class j was predicted where i is true, on the dev split.

    Attributes:
        counts: (k, k) ints; rows true, columns predicted.
    """

    run: Run
    task: str
    epoch: int
    classes: tuple[str, ...]
    counts: np.ndarray
    fingerprint: str


def confusion_of(database: Database, run: Run, task: str | None = None, epoch: int | None = None) -> Confusion:
    """A run's confusion matrix.

    Args:
        task: by default the first that the run trained and that has classes.
        epoch: by default the one whose scores are the run's.

    Raises:
        UsageError: the run has no such task with classes.
        NotFoundError: there are no such predictions; the sentence names those there are.
    """
    run = bring_up_to_date(database, run)
    chosen = task or _first_task(database, run)
    about = _with_classes(run, chosen)
    found = predictions_of(database, run, chosen, epoch)
    labels = labels_of(database, found.fingerprint)
    if labels is None or len(labels) != len(found.probabilities):
        raise NotFoundError(f"The {chosen} dev examples of run {run.id} are not in the registry.")
    counts = confusion(about, predicted_labels(about, found.probabilities), labels)
    return Confusion(run, chosen, found.epoch, about.classes, counts, found.fingerprint)


def class_tasks(run: Run) -> tuple[str, ...]:
    """The tasks of a run that a confusion matrix can be made of, in their order."""
    return tuple(name for name, task in run.tasks.items() if task.classes)


def _with_classes(run: Run, name: str) -> Task:
    """Raises: UsageError: the run has no such task with classes."""
    known = class_tasks(run)
    if name not in known:
        instead = f"use {' or '.join(known)}" if known else f"run {run.id} trained no task that has some"
        raise UsageError(f"A confusion matrix needs classes: {instead}, not {name!r}.")
    return run.tasks[name]


def counts_of(table: ExampleTable) -> np.ndarray:
    """How often class j was predicted where i is true, in examples that were read before; (k, k) ints.

    Raises:
        UsageError: the task has no classes.
    """
    return confusion(_with_classes(table.run, table.task), table.predicted, table.labels)


def most_mistaken(counts: np.ndarray) -> tuple[int, int]:
    """The true and the predicted class that were mistaken most often; where none was, the class that was found most."""
    beside = counts * ~np.eye(len(counts), dtype=bool)
    true, predicted = np.unravel_index(int(np.argmax(beside if beside.any() else counts)), counts.shape)
    return int(true), int(predicted)


def baseline_confusion(database: Database, own: Confusion) -> Confusion:
    """The confusion matrix, on the same examples, of the run that `own` is compared with.

    Raises:
        NotFoundError: there is no baseline, it is this run, or it has no such predictions.
        UsageError: it was evaluated on other examples.
    """
    other = confusion_of(database, compared_run(database, own.run), own.task)
    if other.fingerprint != own.fingerprint:
        raise UsageError(f"{other.run.id} and {own.run.id} were evaluated on different {own.task} examples.")
    return other


def _first_task(database: Database, run: Run) -> str:
    trained = class_tasks(run)
    if not trained:
        raise UsageError(f"Run {run.id} trained no task with classes, but a confusion matrix needs some.")
    return next((name for name in trained if epochs_of(database, run, name)), trained[0])
