"""Scores by slice as tables, and what they do not say."""

from collections.abc import Sequence

from bertmt.comparison.slices import DISTANCE, LEAST, SliceDifference, SliceScore
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, plain
from bertmt.drawing.styled import cells as cells_of
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.analysis.changes.slices import Sliced
from bertmt.services.analysis.comparison_formatting import STYLES
from bertmt.tasks.task import Task

_SLICE = (Column("slice", elastic=True), Column("n", True))
SCORES = (*_SLICE, Column("score", True), Column("95 %", True), Column("95 % together", True))
DIFFERENCES = (
    *_SLICE, Column("A", True), Column("B", True), Column("difference", True), Column("95 % interval", True),
    Column("p (Holm)", True), Column("verdict"),
)  # fmt: skip
COMMONEST = Column("commonest", True)
TOO_FEW = "too few"
Found = Sequence[SliceScore] | Sequence[SliceDifference]


def format_scores(found: Sequence[SliceScore], task: Task, width: int | None) -> list[Line]:
    """A row for each slice."""
    return _table(SCORES, score_rows(found, task), found, width)


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
    return _table(DIFFERENCES, difference_rows(found, task, width), found, width)


def difference_rows(found: Sequence[SliceDifference], task: Task, width: int | None = None) -> list[Row]:
    """These, for the columns `DIFFERENCES`; below a row, why it is undecided."""
    rows = []
    for each in found:
        result = each.result
        if result is None:
            rows.append(Row([_name(each, task), numbers.count(each.n), "", "", TOO_FEW, "", "", ""]))
            continue
        verdict = str(result.verdict) if each.is_judged else ""
        cells: list[str | Cell] = [
            _name(each, task), numbers.count(each.n), numbers.score(result.score_a), numbers.score(result.score_b),
            numbers.difference(result.difference), numbers.interval(result.low, result.high),
            numbers.p_value(result.p_corrected) if each.is_judged else "", Cell(verdict, STYLES.get(verdict, "")),
        ]  # fmt: skip
        why = result.why_undecided if each.is_judged else None
        below = wrapped(why, width - 2 if width else None) if why else []
        rows.append(Row(cells, [(Span(f"  {part}", "dim"),) for part in below]))
    return rows


def _table(columns: Sequence[Column], rows: Sequence[Row], found: Found, width: int | None) -> list[Line]:
    """With the share of each slice's commonest class behind its size, where there is room for that."""
    at = len(_SLICE)
    shares = [numbers.score(each.commonest) for each in found]
    fuller = [
        Row([*row.cells[:at], share, *row.cells[at:]], row.below) for row, share in zip(rows, shares, strict=True)
    ]
    if any(each.commonest is not None for each in found):
        lines = table([*columns[:at], COMMONEST, *columns[at:]], fuller, None)
        if width is None or max(cells_of(plain(each)) for each in lines) <= width:
            return lines
    return table(columns, rows, width)


def format_notes(found: Found, task: Task, made: Sliced, width: int | None) -> list[Line]:
    """By what slices are judged, over how many the correction is, and what could not be sliced."""
    said = about_slices(found, task, made)
    return [(Span(part, "dim"),) for text in said for part in wrapped(safe_text(text), width)]


def about_slices(found: Found, task: Task, made: Sliced) -> tuple[str, ...]:
    """The same in lines, not yet safe for a screen."""
    judged = sum(each.is_judged if isinstance(each, SliceDifference) else each.n >= LEAST for each in found)
    said = [f"Scores are {task.metric.title}."]
    if task.classes:
        said.append("Commonest: what always answering the slice's commonest class scores in accuracy.")
    if any(each.metric == DISTANCE for each in found):
        said.append(
            "* mean distance of the labels from the best straight line in the predictions, less is better, since a "
            "correlation within a band of labels says little; a positive difference is closer."
        )
    elif any(each.metric != task.metric.name for each in found):
        said.append("* accuracy within one true class (its recall).")
    if any(isinstance(each, SliceDifference) for each in found):
        said.append(f"Holm's correction over {numbers.counted(judged, 'slice')}; undecided is not “no effect”.")
        said.append("All examples together are judged by `bertmt compare`.")
    else:
        said.append(f"Together: all {judged} intervals are to hold at once in 95 % of samples (Bonferroni).")
    said += _methods(found)
    if any(each.n < LEAST for each in found):
        said.append(f"Slices of fewer than {LEAST} examples are too few to be judged.")
    return (" ".join(said), *made.remarks)


def _methods(found: Found) -> list[str]:
    """By what p and the intervals are computed."""
    tests, intervals = [], []
    for each in found:
        if isinstance(each, SliceScore):
            intervals.append((each.name, each.method))
        elif each.result is not None:
            tests.append((each.name, each.result.test if each.result.p is not None else ""))
            intervals.append((each.name, each.result.interval.method if each.result.interval else ""))
    said = [("p by", _used(tests)), ("95 % intervals:", _used(intervals))]
    return [f"{what} {methods}." for what, methods in said if methods]


def _used(methods: Sequence[tuple[str, str]]) -> str:
    """The methods, that of most slices first and the slices of each other one named."""
    by_method: dict[str, list[str]] = {}
    for name, method in methods:
        if method:
            by_method.setdefault(method, []).append(name)
    first, *others = sorted(by_method, key=lambda method: -len(by_method[method])) or [""]
    return "; ".join([first, *(f"{method} of {', '.join(by_method[method])}" for method in others)])


def _name(each: SliceScore | SliceDifference, task: Task) -> str:
    return f"{each.name} *" if each.metric != task.metric.name else each.name


def _ends(ends: tuple[float, float] | None) -> str:
    return f"[{numbers.score(ends[0])}, {numbers.score(ends[1])}]" if ends else ""
