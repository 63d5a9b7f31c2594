"""A forest: a row per difference, its interval about it, zero, and in grey what two seeds of one recipe differ by."""

from collections.abc import Sequence

from bertmt.drawing import numbers
from bertmt.drawing.charts.forest import MARKS, ForestGroup, ForestRow, range_of
from bertmt.drawing.figures.marks import TEXT, Dot, Figure, Mark, Rule, Words, box
from bertmt.drawing.figures.plot import TICK, TICK_SPACING, Span, shortened
from bertmt.drawing.styled import plain

WIDTH, NAMES, FIGURES = 400.0, 70.0, 132.0
ROW, TITLE = 22.0, 26.0
ZERO = 1e-12  # a tick below is that of no difference
COLOURS = {"better": "good", "worse": "bad", "undecided": "ink", "": "dim"}


def draw_forest(groups: Sequence[ForestGroup], said: str) -> Figure:
    """The plot.

    Args:
        said: what it compares, for whoever does not see it.
    """
    rows = [row for group in groups for row in group.rows]
    axis = Span(*range_of(rows), NAMES, WIDTH - FIGURES)
    bottom = 6 + len(rows) * ROW + sum(TITLE for group in groups if group.title)
    marks: list[Mark] = []
    ticks = axis.ticks(int((axis.end - axis.start) // TICK_SPACING))
    for value, text in ticks:
        shown = "0" if abs(value) < ZERO else f"+{text}" if value > 0 else text
        marks.append(Words((axis.place(value), bottom + TICK + 4), shown, "dim", "middle", TICK))
    top = 6.0
    for group in groups:
        if group.title:
            title = shortened(plain(group.title), WIDTH)
            marks.append(Words((0, top + 18), title, bold=True))
            top += TITLE
        for value in (value for value, _ in ticks):
            ends = ((axis.place(value), top), (axis.place(value), top + len(group.rows) * ROW))
            marks.append(Rule(ends, "dim" if abs(value) < ZERO else "grid"))
        for row in group.rows:
            marks += _row(row, axis, top)
            top += ROW
    return Figure(WIDTH, bottom + TICK + 12, marks, said)


def _row(row: ForestRow, axis: Span, top: float) -> list[Mark]:
    middle, base = top + ROW / 2, top + ROW / 2 + TEXT / 3
    colour = COLOURS[row.verdict]
    marks: list[Mark] = [Words((0, base), shortened(row.name, NAMES - 6))]
    if row.floor is not None:
        left, right = axis.place(-row.floor), axis.place(row.floor)
        marks.append(box(left, top + 3, right - left, ROW - 6, "dim", 0.22))
    figures = WIDTH - FIGURES + 10
    marks.append(Words((figures, base), numbers.difference(row.difference), colour if row.verdict else "ink"))
    if not row.is_drawn or row.difference is None:
        return marks
    if row.low is not None and row.high is not None:
        marks.append(Rule(((axis.place(row.low), middle), (axis.place(row.high), middle)), colour, 1.6))
        ends = [each for each in (row.low, row.high) if axis.low <= each <= axis.high]  # one beyond has no end here
        marks += [Rule(((axis.place(each), middle - 4), (axis.place(each), middle + 4)), colour, 1.6) for each in ends]
    marks.append(Dot((axis.place(row.difference), middle), 3.4, colour))
    if row.verdict:
        marks.append(Words((figures + 48, base), f"{MARKS[row.verdict]} {row.verdict}", colour))
    return marks
