"""Dev examples with what a run said about them, and which of them to look at."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bertmt.comparison.correlation.distances import fitted_errors
from bertmt.comparison.flips import Flips, flips
from bertmt.errors import NotFoundError, UsageError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.run_folder.predictions import Predictions
from bertmt.services.analysis.evaluations import NOW, Partial
from bertmt.services.analysis.run_predictions import compared_run, predictions_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.tasks.examples import Example
from bertmt.tasks.metrics import pearson
from bertmt.tasks.scores import on_label_scale, predicted_labels
from bertmt.tasks.task import PARTIAL, Task


@dataclass(frozen=True, kw_only=True)
class ExampleTable:
    """The dev examples of one task with a run's predictions of one epoch; arrays all (n,).

    Attributes:
        labels: classes as int64; else the numbers.
        predicted: likewise; a number on the scale of the labels, float32: of a cosine that times their range.
        confidence: probability of the predicted class; None of a task without classes.
        probabilities: as stored: of k > 2 classes (n, k); of two that of class 1; else the cosine or the head's output.
        step: of partial predictions, of which `epoch` is in progress: after so many steps. None: of all dev examples.
    """

    run: Run
    task: str
    epoch: int
    fingerprint: str
    examples: tuple[Example, ...]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray | None
    probabilities: np.ndarray
    step: int | None = None

    @property
    def place(self) -> int:
        """The epoch, or `NOW` of partial predictions."""
        return self.epoch if self.step is None else NOW

    @property
    def about(self) -> Task:
        """What the task is to the run."""
        return self.run.tasks[self.task]

    @cached_property
    def errors(self) -> np.ndarray:
        """Of a task of numbers, which a correlation judges: the prediction, by its best straight line, less the label;
        float64, NaN where a prediction is no number (`distances.fitted_errors`)."""
        return fitted_errors(self.labels, self.predicted)


def examples_of(
    database: Database, run: Run, task: str, epoch: int | None = None, like: ExampleTable | None = None
) -> ExampleTable:
    """A run's dev examples of a task.

    Args:
        epoch: by default the one whose scores are the run's.
        like: a table that was read before. It is returned itself where nothing else would be read; else its texts
            are taken over where they are the same, which saves reading tens of thousands of them for every epoch.

    Raises:
        UsageError: the run has no such task.
        NotFoundError: there are no such predictions, or their examples are not in the registry.
    """
    run = bring_up_to_date(database, run)
    if task not in run.tasks:
        raise UsageError(f"Examples are of a task: {', '.join(run.tasks)}, not {task!r}.")
    if like is not None and _would_be(like, run, task, run.scores.selected_epoch if epoch is None else epoch):
        return like
    return _table(database, run, predictions_of(database, run, task, epoch), like)


def partial_examples_of(
    database: Database, run: Run, task: str, partial: Partial, like: ExampleTable | None = None
) -> ExampleTable:
    """The dev examples of a task that a running run predicted last, between two evaluations.

    Args:
        partial: which ones, as `evaluated_tasks` found.
        like: as in `examples_of`.

    Raises:
        NotFoundError: they are no longer there.
    """
    if like is not None and _would_be(like, run, task, partial.epoch, partial.step):
        return like
    found = stored_predictions.read(database, run.key, task, partial.epoch, PARTIAL)
    if found is None:
        raise NotFoundError(f"Run {run.id} no longer has partial {task} predictions.")
    return _table(database, run, found, like, partial.step)


def _table(
    database: Database, run: Run, found: Predictions, like: ExampleTable | None, step: int | None = None
) -> ExampleTable:
    """Predictions beside the examples that they are of."""
    task = found.task
    if like is not None and like.fingerprint == found.fingerprint:
        examples = like.examples
    else:
        examples = stored_predictions.examples(database, found.fingerprint)
    labels = [example.label for example in examples if example.label is not None]
    if not labels or len(labels) != len(examples) or len(labels) != len(found.probabilities):
        raise NotFoundError(f"The {task} dev examples of run {run.id} are not in the registry.")
    about = run.tasks[task]
    has_classes = bool(about.classes)
    return ExampleTable(
        run=run,
        task=task,
        epoch=found.epoch,
        fingerprint=found.fingerprint,
        examples=examples,
        labels=np.array(labels, dtype=np.int64 if has_classes else np.float64),
        predicted=on_label_scale(about, predicted_labels(about, found.probabilities)),
        confidence=_confidence(found.probabilities) if has_classes else None,
        probabilities=found.probabilities,
        step=step,
    )


def _would_be(table: ExampleTable, run: Run, task: str, epoch: int | None, step: int | None = None) -> bool:
    """Whether a table is what would be read: what an attempt predicted in an epoch, or after a step, never changes."""
    imported = (table.run.key, table.run.imported.events_attempt, table.task, table.epoch, table.step)
    return imported == (run.key, run.imported.events_attempt, task, epoch, step)


def _confidence(probabilities: np.ndarray) -> np.ndarray:
    confidence: np.ndarray = (
        probabilities.max(axis=1) if probabilities.ndim == 2 else np.maximum(probabilities, 1 - probabilities)
    )
    return confidence


def baseline_examples(
    database: Database, own: ExampleTable, baseline: Run | None = None, known: ExampleTable | None = None
) -> ExampleTable:
    """The same examples with the predictions of the run that `own` is compared with, at its selected epoch.

    Args:
        baseline: that run, where the caller knows it; finding it reads all runs.
        known: what this returned before; it is returned itself where nothing else would be read.

    Raises:
        NotFoundError: there is no baseline, it is this run, or it has no such predictions.
        UsageError: it was evaluated on other examples, or `own` is partial.
    """
    if own.step is not None:
        raise UsageError(
            "What is predicted now is of a few examples alone; it is compared with the baseline once an epoch ends."
        )
    run = compared_run(database, own.run) if baseline is None else baseline
    other = examples_of(database, run, own.task, like=known or own)
    if other.fingerprint != own.fingerprint:
        raise UsageError(f"{other.run.id} and {own.run.id} were evaluated on different {own.task} examples.")
    return other


def wrong(table: ExampleTable) -> np.ndarray:
    """Indices of the examples whose predicted class is not the true one, ascending.

    Raises:
        UsageError: the task has no classes.
    """
    _need_classes(table)
    return np.flatnonzero(table.predicted != table.labels)


def in_cell(table: ExampleTable, true: int, predicted: int) -> np.ndarray:
    """Indices of the examples in one cell of the confusion matrix, ascending.

    Raises:
        UsageError: the task has no classes.
    """
    _need_classes(table)
    return np.flatnonzero((table.labels == true) & (table.predicted == predicted))


def flips_from(baseline: ExampleTable, table: ExampleTable) -> Flips:
    """Which examples `table`'s run fixed and broke relative to the baseline's; both are about the same examples.

    Raises:
        UsageError: the task has no classes.
    """
    _need_classes(table)
    return flips(table.labels, baseline.predicted, table.predicted)


def by_error(table: ExampleTable) -> np.ndarray:
    """Indices of all examples, the one whose label is farthest from the best fit first; ties in their order."""
    return np.argsort(-np.abs(table.errors), kind="stable")


def _need_classes(table: ExampleTable) -> None:
    if not table.about.classes:
        raise UsageError(f"{table.about.title} has no classes, so no prediction of it is right or wrong.")


@dataclass(frozen=True)
class Similarity:
    """Predicted against true numbers, both on the scale of the labels, arrays (n,); of STS the paper's Figure 10.

    Attributes:
        predicted: of a cosine that times the range, so below it where the embeddings point apart.
        rho: Pearson's; None where it is undefined.
        slope, intercept: of the least squares line of predicted on labels; None where all labels are equal.
    """

    run: Run
    epoch: int
    labels: np.ndarray
    predicted: np.ndarray
    rho: float | None
    slope: float | None
    intercept: float | None

    @property
    def fit(self) -> tuple[float, float] | None:
        """Slope and intercept of the line; None where there is none."""
        return None if self.slope is None or self.intercept is None else (self.slope, self.intercept)


def similarity_of(database: Database, run: Run, task: str, epoch: int | None = None) -> Similarity:
    """A run's predictions of a task with a number as label against the labels.

    Raises:
        UsageError, NotFoundError: as `examples_of` and `similarity_in`.
    """
    return similarity_in(examples_of(database, run, task, epoch))


def similarity_in(table: ExampleTable) -> Similarity:
    """The predictions of examples that were read before.

    Raises:
        UsageError: the task has classes.
    """
    if table.about.classes:
        raise UsageError(f"{table.about.title} has classes: its predictions are no numbers to be drawn against labels.")
    slope, intercept = _least_squares(table.labels, table.predicted.astype(np.float64))
    rho = pearson(table.predicted, table.labels)
    return Similarity(table.run, table.epoch, table.labels, table.predicted, rho, slope, intercept)


def _least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float | None, float | None]:
    """Slope and intercept of the line that fits y best: Cov(x, y) / Var(x), through both means."""
    if x.min() == x.max():
        return None, None
    deviations = x - x.mean()
    slope = float(deviations @ y) / float(deviations @ deviations)
    return slope, float(y.mean() - slope * x.mean())
