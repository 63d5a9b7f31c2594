"""From one run to another: which dev examples were fixed and broken, by cell, or came closer to their label."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from bertmt.comparison.bootstrap import resamples_for
from bertmt.comparison.flips import FlipCells, flip_cells, flips, in_either_cell
from bertmt.comparison.paired import PairedDifference, PairedPredictions, compare_examples
from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.examples import ExampleTable, examples_of
from bertmt.tasks.task import Task

Cell = tuple[int, int]
CLASS_KINDS = ("fixed", "broken", "wrong")
NUMBER_KINDS = ("closer", "farther")
SAME = 1e-6  # of a label: two fits round differently, and float32 predictions are no more exact


@dataclass(frozen=True, eq=False)
class TwoRuns:
    """The same dev examples of one task with the predictions of two runs.

    Attributes:
        a: the run that is compared with; `b`: the one that is judged.
    """

    a: ExampleTable
    b: ExampleTable

    @property
    def about(self) -> Task:
        """What the task is."""
        return self.b.about

    @cached_property
    def kinds(self) -> Mapping[str, np.ndarray]:
        """Indices of the examples of each kind, those to look at first in front.

        Of classes fixed, broken, and wrong in both runs, the surest mistake first (of two mistakes run b's). Of numbers
        those that run b predicts closer to their label and those farther from it (`ExampleTable.errors`), the largest
        change first.
        """
        a, b, labels = self.a.predicted, self.b.predicted, self.b.labels
        if self.a.confidence is None or self.b.confidence is None:
            changes = self.changes
            order = np.argsort(changes, kind="stable")
            return {"closer": order[changes[order] < 0], "farther": order[::-1][changes[order[::-1]] > 0]}
        found = flips(labels, a, b)
        both_wrong = np.flatnonzero((a != labels) & (b != labels))
        surest = {
            "fixed": (found.fixed, self.a.confidence),
            "broken": (found.broken, self.b.confidence),
            "wrong": (both_wrong, self.b.confidence),
        }
        return {kind: chosen[np.argsort(-sure[chosen], kind="stable")] for kind, (chosen, sure) in surest.items()}

    @cached_property
    def cells(self) -> FlipCells | None:
        """What became of each mistake; None of a task without classes."""
        if not self.about.classes:
            return None
        return flip_cells(self.b.labels, self.a.predicted, self.b.predicted, len(self.about.classes))

    @cached_property
    def changes(self) -> np.ndarray:
        """Of numbers: how much farther from its label run b's prediction of each example is, on the labels' scale."""
        changes: np.ndarray = np.abs(self.b.errors) - np.abs(self.a.errors)
        return np.where(np.abs(changes) < SAME, 0.0, changes)

    @property
    def errors(self) -> tuple[float, float]:
        """Of numbers: how far from the labels the predictions of either run are on average."""
        mean_a, mean_b = (float(np.abs(each.errors).mean()) for each in (self.a, self.b))
        return mean_a, mean_b

    def of_kind(self, kind: str, cell: Cell | None = None) -> np.ndarray:
        """The examples of a kind; with a cell, those that either run puts into it.

        Raises:
            UsageError: the task has no such kind of examples, or no classes and so no cells.
        """
        if kind not in self.kinds:
            raise UsageError(f"{self.about.title} has examples that are {' or '.join(self.kinds)}, not {kind}.")
        chosen = self.kinds[kind]
        if cell is None:
            return chosen
        if not self.about.classes:
            raise UsageError(f"{self.about.title} has no classes, so it has no cells; leave --cell out.")
        found: np.ndarray = chosen[in_either_cell(self.b.labels, self.a.predicted, self.b.predicted, cell)[chosen]]
        return found

    @cached_property
    def measured(self) -> PairedDifference:
        """The difference that the examples add up to: of classes that of accuracies, which fixed and broken examples
        are; of numbers that of the task's score. It has no verdict: `compare` gives one, in the family of all tasks."""
        task = msgspec.structs.replace(self.about, metrics=("accuracy",)) if self.about.classes else self.about
        pair = PairedPredictions(task, self.b.labels, self.a.predicted, self.b.predicted)
        [found] = compare_examples({task.name: pair}, resamples_for(1), with_overall=False)
        return found


def two_runs(database: Database, first: Run, second: Run, task: str | None = None) -> TwoRuns:
    """What two runs predicted in the epochs whose scores are theirs.

    Args:
        first: the one compared with.
        task: by default the first that both trained.

    Raises:
        UsageError: they are one run, have no such task in common, or it is not the same task, or not on the same
            examples.
        NotFoundError: predictions or examples are not there.
    """
    if first.key == second.key:
        raise UsageError(f"Name two runs: {first.id} has no difference from itself.")
    shared = [name for name in first.tasks if name in second.tasks]
    if not shared:
        raise UsageError(f"{first.id} and {second.id} trained no task in common.")
    if task is not None and task not in shared:
        raise UsageError(f"Both runs trained {', '.join(shared)}, not {task!r}; name one of these with --task.")
    name = task or shared[0]
    a = examples_of(database, first, name)
    b = examples_of(database, second, name, like=a)
    if a.about.asked != b.about.asked:
        raise UsageError(f"{a.run.id} and {b.run.id} define {name} differently: `bertmt compare` says in what.")
    if a.fingerprint != b.fingerprint:
        raise UsageError(f"{a.run.id} and {b.run.id} were evaluated on different {name} examples.")
    if not all(np.isfinite(each.probabilities).all() for each in (a, b)):
        raise NotFoundError(f"Some {name} predictions of {a.run.id} or {b.run.id} are not numbers.")
    return TwoRuns(a, b)


def parse_cell(text: str, about: Task) -> Cell:
    """A cell as people type it: two classes, true and predicted, each its number or its name.

    Raises:
        UsageError: it is no cell of the task's confusion matrix.
    """
    if not about.classes:
        raise UsageError(f"{about.title} has no classes, so it has no cells; leave --cell out.")
    words = text.split(",")
    for cut in range(1, len(words)):  # a name may have commas of its own
        true, predicted = (_class(",".join(part), about) for part in (words[:cut], words[cut:]))
        if true is not None and predicted is not None:
            return true, predicted
    named = ", ".join(f"{number} ({name})" for number, name in enumerate(about.classes[:12]))
    raise UsageError(f"--cell expects the true and the predicted class, as in 2,3, but found {text[:40]!r}: {named}.")


def _class(word: str, about: Task) -> int | None:
    word = word.strip()
    if word.isascii() and word.isdigit() and len(word) < 6:
        return int(word) if int(word) < len(about.classes) else None
    return next((at for at, name in enumerate(about.classes) if name.casefold() == word.casefold()), None)


def prediction_text(table: ExampleTable, index: int) -> str:
    """What a run predicts for an example: a class and its confidence, or a number; not yet safe for a screen."""
    value = table.predicted[index]
    if table.confidence is None:
        return f"{float(value):.2f}" if math.isfinite(value) else "–"
    return f"{table.about.classes[int(value)]} {float(table.confidence[index]):.2f}"


def label_text(table: ExampleTable, index: int) -> str:
    """The true label of an example: a class, or a number; not yet safe for a screen."""
    label = table.labels[index]
    return table.about.classes[int(label)] if table.about.classes else f"{float(label):.2f}"
