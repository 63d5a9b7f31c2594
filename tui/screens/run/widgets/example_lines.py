"""One example in full: its sentences, what a run makes of them, and what the baseline does."""

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line, pad, wrap_parts
from bertmt.services.analysis.examples import ExampleTable
from bertmt.tasks.task import STS, TASKS
from tui.formatting.run_signs import bar

BAR_CELLS = 12


def class_name(task: str, label: int) -> str:
    """Number and name, as in the confusion matrix."""
    return f"{label} {TASKS[task].classes[label]}"


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
    names = [class_name(table.task, label) for label in range(len(shares))]
    true, predicted = int(table.labels[index]), int(table.predicted[index])
    of_baseline = None if baseline is None else int(baseline.predicted[index])
    lines = []
    for label, (name, share) in enumerate(zip(names, shares.tolist(), strict=True)):
        marks: list[Span] = []
        if label == true:
            marks.append(Span("  true"))
        if label == predicted:
            marks.append(Span("  ✓ predicted", "good") if predicted == true else Span("  ✗ predicted", "bad"))
        if label == of_baseline and baseline is not None:
            marks.append(Span(f"  baseline {baseline.run.id}", "dim"))
        title = Span(pad(name, max(map(cells, names))), "" if label in (true, predicted) else "dim")
        drawn = Span(bar(share if np.isfinite(share) else 0, BAR_CELLS), "series0")
        lines.append(line(title, "  ", drawn, f" {numbers.score(share)}", *marks))
    return lines


def _similarity(table: ExampleTable, index: int, baseline: ExampleTable | None) -> list[Line]:
    """Label, prediction and how far it is from it, in parts that stay whole."""
    label, predicted = float(table.labels[index]), float(table.predicted[index])
    cosine = float(table.probabilities[index])
    parts = [
        line(Span("label ", "dim"), numbers.score(label, 2)),
        line(
            Span("predicted ", "dim"), numbers.score(predicted, 2),
            Span(f" = {STS.maximum:g} × cosine {numbers.score(cosine)}", "dim"),
        ),
        line(Span("error ", "dim"), numbers.difference(predicted - label, 2)),
    ]  # fmt: skip
    if baseline is not None:
        of_baseline = numbers.score(float(baseline.predicted[index]), 2)
        parts.append(line(Span(f"baseline {baseline.run.id} ", "dim"), of_baseline))
    return parts
