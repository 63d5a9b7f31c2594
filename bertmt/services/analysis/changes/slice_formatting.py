"""Scores by slice as tables, and what they do not say."""

from collections.abc import Sequence

from bertmt.comparison.slices import DISTANCE, LEAST, SliceDifference, SliceScore
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.analysis.changes.slices import Sliced
from bertmt.services.analysis.comparison_formatting import STYLES
from bertmt.tasks.task import Task

SCORES = (
    Column("slice", elastic=True), Column("n", True), Column("score", True), Column("95 %", True),
    Column("95 % together", True),
)  # fmt: skip
DIFFERENCES = (
    Column("slice", elastic=True), Column("n", True), Column("A", True), Column("B", True), Column("difference", True),
    Column("95 % interval", True), Column("p (Holm)", True), Column("verdict"),
)  # fmt: skip
TOO_FEW = "too few"


def format_scores(found: Sequence[SliceScore], task: Task, width: int | None) -> list[Line]:
    """A row for each slice."""
    return table(SCORES, score_rows(found, task), width)


def score_rows(found: Sequence[SliceScore], task: Task) -> list[Row]:
    """These, for the columns `SCORES`."""
    rows = []
    for each in found:
        few = each.n < LEAST
        cells = [
            _name(each, task), numbers.count(each.n), TOO_FEW if few else numbers.score(each.score),
            _ends(each.interval), _ends(each.together),
        ]  # fmt: skip
        rows.append(Row(cells))
    return rows


def format_differences(found: Sequence[SliceDifference], task: Task, width: int | None) -> list[Line]:
    """A row for each slice."""
    return table(DIFFERENCES, difference_rows(found, task), width)


def difference_rows(found: Sequence[SliceDifference], task: Task) -> list[Row]:
    """These, for the columns `DIFFERENCES`."""
    rows = []
    for each in found:
        result = each.result
        if result is None:
            rows.append(Row([_name(each, task), numbers.count(each.n), "", "", TOO_FEW, "", "", ""]))
            continue
        verdict = str(result.verdict)
        cells: list[str | Cell] = [
            _name(each, task), numbers.count(each.n), numbers.score(result.score_a), numbers.score(result.score_b),
            numbers.difference(result.difference), numbers.interval(result.low, result.high),
            numbers.p_value(result.p_corrected), Cell(verdict, STYLES[verdict]),
        ]  # fmt: skip
        rows.append(Row(cells))
    return rows


def format_notes(
    found: Sequence[SliceScore] | Sequence[SliceDifference], task: Task, made: Sliced, width: int | None
) -> list[Line]:
    """By what slices are judged, over how many the correction is, and what could not be sliced."""
    said = about_slices(found, task, made)
    return [(Span(part, "dim"),) for text in said for part in wrapped(safe_text(text), width)]


def about_slices(found: Sequence[SliceScore] | Sequence[SliceDifference], task: Task, made: Sliced) -> tuple[str, ...]:
    """The same in lines, not yet safe for a screen."""
    judged = sum(each.n >= LEAST for each in found)
    said = [f"Scores are {task.metric.title}."]
    if any(each.metric == DISTANCE for each in found):
        said.append(
            "* mean distance of the labels from the best straight line in the predictions, less is better, since a "
            "correlation within a band of labels says little; a positive difference is closer."
        )
    elif any(each.metric != task.metric.name for each in found):
        said.append("* accuracy within one true class (its recall).")
    if any(isinstance(each, SliceDifference) for each in found):
        said.append(f"Holm's correction over {numbers.counted(judged, 'slice')}; undecided is not “no effect”.")
    else:
        said.append(f"Together: all {judged} intervals are to hold at once in 95 % of samples (Bonferroni).")
    if judged < len(found):
        said.append(f"Slices of fewer than {LEAST} examples are too few to be judged.")
    return (" ".join(said), *made.remarks)


def _name(each: SliceScore | SliceDifference, task: Task) -> str:
    return f"{each.name} *" if each.metric != task.metric.name else each.name


def _ends(ends: tuple[float, float] | None) -> str:
    return f"[{numbers.score(ends[0])}, {numbers.score(ends[1])}]" if ends else ""
