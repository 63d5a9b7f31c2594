"""A forest plot: a row per difference, its interval about it, zero, and behind it what seeds alone make of it."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bertmt.drawing import numbers
from bertmt.drawing.charts.ticks import linear_ticks, tick_texts
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, ascii_lines, cells, cut_line, line, pad

LEAST_PLOT, MOST_PLOT = 18, 90  # cells
LONGEST_NAME = 16
TICK_SPACING = 8  # cells
GAP = 2
# An interval that reaches so many times as far as the middle one is cut: two seeds can make one of any length.
FARTHEST = 4.0
MARKS = {"better": "▲", "worse": "▼", "undecided": "≈"}
STYLES = {"better": "good", "worse": "bad", "undecided": "", "": "dim"}
BAND, ZERO, GRID, POINT = "░", "│", "┊", "●"


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """A difference; None: undefined, or not known.

    Attributes:
        name: of what is compared, such as a task; made safe here.
        low, high: the ends of its interval.
        p: corrected.
        verdict: better, worse or undecided; "": nothing was tested.
        floor: how far apart two seeds of one recipe are: a grey band from −floor to floor.
        note: behind the numbers where there is room, its text safe.
        mark: in the place of the difference: what is compared has it elsewhere too.
    """

    name: str
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: str = "undecided"
    floor: float | None = None
    note: str = ""
    mark: Span | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether there is anything to draw."""
        return self.difference is not None and math.isfinite(self.difference)

    @property
    def places(self) -> list[float]:
        """All that the axis should hold."""
        floors = () if self.floor is None else (-self.floor, self.floor)
        return [each for each in (self.difference, self.low, self.high, *floors) if each is not None]


@dataclass(frozen=True)
class ForestGroup:
    """Rows under a title, whose text is safe; an empty title takes no line."""

    title: Line
    rows: Sequence[ForestRow]


@dataclass(frozen=True)
class _Axis:
    """The range of differences that is drawn, zero in it, in so many cells."""

    low: float
    high: float
    count: int

    @classmethod
    def around(cls, rows: Iterable[ForestRow], count: int) -> "_Axis":
        """All rows, but for what reaches much farther than the others."""
        return cls(*range_of(rows), count)

    def column(self, value: float) -> int:
        """Where a difference stands; of one beyond the range, −1 or `count`."""
        place = round((value - self.low) / (self.high - self.low) * (self.count - 1))
        return max(-1, min(place, self.count))


def range_of(rows: Iterable[ForestRow]) -> tuple[float, float]:
    """The least and the greatest difference that an axis shows, zero between them: all rows, but for what reaches much
    farther than the others."""
    drawn = [row.places for row in rows if row.is_drawn]
    most = FARTHEST * median([max(map(abs, each)) for each in drawn] or [0.0])
    low = min([max(min(each), -most) for each in drawn] + [0.0])
    high = max([min(max(each), most) for each in drawn] + [0.0])
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def draw_forest(groups: Sequence[ForestGroup], width: int, *, ascii_only: bool = False) -> list[Line]:
    """The plot with its numbers in lines of at most `width` cells; what there is no room for goes from the right."""
    rows = [row for group in groups for row in group.rows]
    name = min(max((cells(safe_text(row.name)) for row in rows), default=0), LONGEST_NAME)
    texts = [_texts(row) for row in rows]
    heads = ("Δ", "95 % interval", "p (Holm)", "verdict", "")
    wide = [max([cells(head), *(cells(each[at]) for each in texts)]) for at, head in enumerate(heads)]
    shown = _that_fit(wide, width - name - GAP)
    figures = sum(wide[at] + GAP for at in shown)
    axis = _Axis.around(rows, max(min(width - name - GAP - figures, MOST_PLOT), 1))
    ticks = linear_ticks(axis.low, axis.high, max(2, axis.count // TICK_SPACING))
    head = [_cell(heads[at], at, wide[at], "dim") for at in shown]
    lines = [line(" " * (name + GAP), Span(_tick_labels(axis, ticks), "axis"), *head)]
    for group in groups:
        lines += [group.title] if group.title else []
        for row in group.rows:
            plot = _row_plot(row, axis, ticks)
            numbers_of = _texts(row)
            style = STYLES[row.verdict] if row.is_drawn else "dim"
            behind = [_cell(numbers_of[at], at, wide[at], style if at == 3 else "dim" * (at == 4)) for at in shown]
            lines.append(line(pad(safe_text(row.name), name), " " * GAP, *plot, *behind))
    if ascii_only:  # before they are cut: a combining character has a cell there
        lines = ascii_lines(lines)
    fitting = [_without_end(cut_line(each, width)) for each in lines]
    return ascii_lines(fitting) if ascii_only else fitting


def _texts(row: ForestRow) -> tuple[str, str, str, str, str]:
    """Difference, interval, p, verdict with its mark, and the note."""
    verdict = f"{MARKS[row.verdict]} {row.verdict}" if row.is_drawn and row.verdict else numbers.MISSING
    return (
        numbers.difference(row.difference), numbers.interval(row.low, row.high), numbers.p_value(row.p), verdict,
        row.note,
    )  # fmt: skip


def _that_fit(wide: Sequence[int], room: int) -> list[int]:
    """Which columns of figures there is room for beside a plot; the verdict goes last, but for the difference."""
    shown: list[int] = []
    for at in (0, 3, 1, 2, 4):
        if wide[at] and sum(wide[each] + GAP for each in (*shown, at)) <= room - LEAST_PLOT:
            shown.append(at)
        elif wide[at]:
            break
    return sorted(shown)


def _cell(text: str, at: int, width: int, style: str) -> Span:
    return Span(" " * GAP + pad(text, width, right=at < 3), style)


def _tick_labels(axis: _Axis, ticks: Sequence[float]) -> str:
    """The ticks above the plot, each over its column where it touches no other."""
    labels = [" "] * axis.count
    end = -1
    for value, text in zip(ticks, tick_texts(list(ticks)), strict=True):
        shown = f"+{text}" if value > 0 and not text.startswith("+") else text
        shown = "0" if abs(value) < 1e-12 else shown
        start = min(max(0, axis.column(value) - len(shown) // 2), max(axis.count - len(shown), 0))
        if start > end:
            labels[start : start + len(shown)] = shown
            end = start + len(shown)
    return "".join(labels[: axis.count])


def _row_plot(row: ForestRow, axis: _Axis, ticks: Sequence[float]) -> list[Span]:
    """One row between the axis' ends: the band, the grid, zero, the interval, the point; the later over the earlier."""
    drawn: list[tuple[str, str]] = [(" ", "")] * axis.count

    def put(column: int, character: str, style: str) -> None:
        if 0 <= column < axis.count:
            drawn[column] = (character, style)

    for tick in ticks:
        put(axis.column(tick), GRID, "faint")
    if row.floor is not None:
        for column in range(axis.column(-row.floor), axis.column(row.floor) + 1):
            put(column, BAND, "faint")
    zero = axis.column(0.0)
    put(zero, ZERO, "axis")
    if row.difference is not None and row.is_drawn:
        _put_interval(row, axis, zero, put)
        mark = row.mark or Span(POINT, STYLES[row.verdict])
        put(min(max(axis.column(row.difference), 0), axis.count - 1), mark.text, mark.style)
    return _joined(drawn)


def _put_interval(row: ForestRow, axis: _Axis, zero: int, put: Callable[[int, str, str], None]) -> None:
    if row.low is None or row.high is None:
        return
    style = STYLES[row.verdict]
    first, last = axis.column(row.low), axis.column(row.high)
    for column in range(first + 1, last):
        put(column, "┼" if column == zero else "─", style)
    put(first, "├", style)
    put(last, "┤", style)
    if first < 0:
        put(0, "◂", style)
    if last >= axis.count:
        put(axis.count - 1, "▸", style)


def _without_end(text: Line) -> Line:
    """The line without spaces at its end."""
    if not text or text[-1].text.rstrip() == text[-1].text:
        return text
    last = text[-1].text.rstrip()
    return (*text[:-1], Span(last, text[-1].style)) if last else _without_end(text[:-1])


def _joined(drawn: Sequence[tuple[str, str]]) -> list[Span]:
    """Neighbours of one style as one piece."""
    spans: list[Span] = []
    for character, style in drawn:
        if spans and spans[-1].style == style:
            spans[-1] = Span(spans[-1].text + character, style)
        else:
            spans.append(Span(character, style))
    return spans
