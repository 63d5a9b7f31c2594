"""One example in full: its sentences, what a run makes of them, and what the baseline does."""

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line, pad, wrap_parts
from bertmt.registry.records import Run
from bertmt.services.analysis.examples import ExampleTable
from bertmt.services.analysis.run_predictions import predicted_by
from bertmt.tasks.task import Task
from tui.formatting.run_signs import bar

BAR_CELLS = 12
MOST_BARS = 8  # of an example: of more classes, the most probable ones


def task_in(table: ExampleTable) -> Task:
    """The task that a table's examples are of, as its run was submitted with it."""
    return table.run.tasks[table.task]


def class_name(task: Task, label: int) -> str:
    """Number and name, as in the confusion matrix."""
    return f"{label} {safe_text(task.classes[label])}"


def scale_words(run: Run, task: Task) -> str:
    """How what is predicted of a number becomes a label: "5 × cosine", "1 + 4 × output"."""
    what = predicted_by(run, task)
    return f"{f'{task.minimum:g} + ' if task.minimum else ''}{task.maximum - task.minimum:g} × {what}"


def format_example(table: ExampleTable, index: int, baseline: ExampleTable | None, width: int) -> list[Line]:
    """The example at an index, in lines of a width.

    Args:
        baseline: the same examples with the predictions of the run compared with.
    """
    example = table.examples[index]
    texts = [example.first] if example.second is None else [example.first, example.second]
    lines: list[Line] = []
    for number, text in enumerate(texts, 1):
        lead = f"{number}  " if len(texts) > 1 else ""
        for place, part in enumerate(wrapped(safe_text(text.strip()), width - cells(lead))):
            lines.append(line(Span(lead if not place else " " * cells(lead), "dim"), part))
    if table.confidence is None:
        lines += wrap_parts(_similarity(table, index, baseline), width)
    else:
        lines += [cut_line(each, width) for each in _classes(table, index, baseline)]
    return [*lines, cut_line(line(Span(f"id {safe_text(example.id)}", "dim")), width)]


def _classes(table: ExampleTable, index: int, baseline: ExampleTable | None) -> list[Line]:
    """A bar per class; behind it whose class it is."""
    probability = table.probabilities[index]
    shares = probability if np.ndim(probability) else np.array([1 - probability, probability])
    true, predicted = int(table.labels[index]), int(table.predicted[index])
    of_baseline = None if baseline is None else int(baseline.predicted[index])
    drawn = _drawn_classes(shares, {true, predicted, of_baseline})
    names = {label: class_name(task_in(table), label) for label in drawn}
    lines = []
    for label, name in names.items():
        marks: list[Span] = []
        if label == true:
            marks.append(Span("  true"))
        if label == predicted:
            marks.append(Span("  ✓ predicted", "good") if predicted == true else Span("  ✗ predicted", "bad"))
        if label == of_baseline and baseline is not None:
            marks.append(Span(f"  baseline {baseline.run.id}", "dim"))
        share = float(shares[label])
        title = Span(pad(name, max(map(cells, names.values()))), "" if label in (true, predicted) else "dim")
        filled = Span(bar(share if np.isfinite(share) else 0, BAR_CELLS), "series0")
        lines.append(line(title, "  ", filled, f" {numbers.score(share)}", *marks))
    rest = len(shares) - len(drawn)
    if rest:
        others = float(np.delete(shares, drawn).sum())
        lines.append(
            line(Span(f"{numbers.counted(rest, 'other class', 'other classes')}: {numbers.score(others)}", "dim"))
        )
    return lines


def _drawn_classes(shares: np.ndarray, marked: set[int | None]) -> list[int]:
    """The classes that have a bar, ascending: all, or of many those that are marked and the most probable others."""
    by_share = np.argsort(-np.nan_to_num(shares), kind="stable").tolist()
    wanted = sorted(by_share, key=lambda label: label not in marked)
    return sorted(wanted[:MOST_BARS])


def _similarity(table: ExampleTable, index: int, baseline: ExampleTable | None) -> list[Line]:
    """Label, prediction and how far it is from it, in parts that stay whole."""
    label, predicted = float(table.labels[index]), float(table.predicted[index])
    output = float(table.probabilities[index])
    parts = [
        line(Span("label ", "dim"), numbers.score(label, 2)),
        line(
            Span("predicted ", "dim"), numbers.score(predicted, 2),
            Span(f" = {scale_words(table.run, task_in(table))} {numbers.score(output)}", "dim"),
        ),
        line(Span("error of the best fit ", "dim"), numbers.difference(float(table.errors[index]), 2)),
    ]  # fmt: skip
    if baseline is not None:
        of_baseline = numbers.score(float(baseline.predicted[index]), 2)
        parts.append(line(Span(f"baseline {baseline.run.id} ", "dim"), of_baseline))
    return parts
