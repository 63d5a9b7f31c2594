"""Points: predicted against true values as a cloud with its line of best fit, as in the paper's Figure 10, and the
scores of few recipes against the values of a setting."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.drawing.charts.axes import Frame, beside_y_axis, with_room
from bertmt.drawing.charts.canvas import Canvas, column_ranges
from bertmt.drawing.charts.ticks import linear_ticks, log_ticks, tick_texts, value_text
from bertmt.drawing.looks import SYMBOLS, Look
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import SERIES, Line, Span, ascii_lines, cut, cut_line, line

LEAST_WIDTH, LEAST_HEIGHT = 24, 8
X_TICK_SPACING = 6  # cells per tick at least: the numbers are short
FIT = Look("title", SYMBOLS[0])  # in no colour of a run
FIT_MARK = "─"


@dataclass(frozen=True, eq=False)
class Cloud:
    """Pairs of a true and a predicted value; shapes (n,).

    Attributes:
        fit: slope and intercept of the line of best fit; None where there is none.
        style: of the points: that of the run whose they are.
        scale: both axes reach from the one to the other, or farther where values do.

    Raises:
        ValueError: there are not as many predicted values as true ones.
    """

    true: np.ndarray
    predicted: np.ndarray
    fit: tuple[float, float] | None = None
    title: str = ""
    scale: tuple[float, float] | None = None
    style: str = SERIES[0]

    def __post_init__(self) -> None:
        if np.shape(self.true) != np.shape(self.predicted):
            raise ValueError(f"{len(self.true)} true values, but {len(self.predicted)} predicted ones")


def draw_scatter(cloud: Cloud, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """The cloud in at most `height` lines of at most `width` cells; true values go right, predicted ones up.

    Pairs of which one is no number are left out and counted in a remark.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        lines = [cut_line(line(Span(f"A chart needs {LEAST_WIDTH} by {LEAST_HEIGHT} cells.", "dim")), width)]
    else:
        lines = _chart(cloud, width, height, ascii_only)
    return (ascii_lines(lines) if ascii_only else lines)[: max(height, 0)]


def _chart(cloud: Cloud, width: int, height: int, ascii_only: bool) -> list[Line]:
    true, predicted = (np.asarray(each, dtype=np.float64) for each in (cloud.true, cloud.predicted))
    number = np.isfinite(true) & np.isfinite(predicted)
    above = [line(Span(cut(safe_text(cloud.title), width), "title"))] if cloud.title else []
    below = []
    if cloud.fit is not None:
        below.append(line(Span(SYMBOLS[0] if ascii_only else FIT_MARK, FIT.style), " line of best fit"))
    left_out = len(number) - int(number.sum())
    if left_out:
        what = counted(left_out, "pair without a number is", "pairs without a number are")
        below.append(cut_line(line(Span(f"{what} left out.", "bad")), width))
    if not number.any():
        return [*above, line(Span("No values to draw yet.", "dim")), *below]
    above.append(line(Span("predicted", "axis")))
    rows = height - 2 - len(above) - len(below)
    return [*above, *_plot(true[number], predicted[number], cloud, width, rows, ascii_only), *below]


def _frame(true: np.ndarray, predicted: np.ndarray, scale: tuple[float, float] | None) -> Frame:
    """Both axes around all points and the scale."""
    least = scale or (np.inf, -np.inf)
    first, last = with_room(min(true.min(), least[0]), max(true.max(), least[1]))
    bottom, top = with_room(min(predicted.min(), least[0]), max(predicted.max(), least[1]))
    return Frame(float(first), float(last), float(bottom), float(top), log_y=False)


def _plot(true: np.ndarray, predicted: np.ndarray, cloud: Cloud, width: int, rows: int, ascii_only: bool) -> list[Line]:
    frame = _frame(true, predicted, cloud.scale)
    labels, gutter = frame.y_labels(rows, Canvas.dots_of(rows, ascii_only))
    canvas = Canvas(rows, width - gutter - 2, ascii_only)
    if cloud.fit is not None:
        slope, intercept = cloud.fit
        ends = np.array([frame.first, frame.last])
        low, high = column_ranges(ends, slope * ends + intercept, frame.first, frame.last, canvas.dot_columns)
        low[(low > frame.top) | (high < frame.bottom)] = np.nan
        canvas.draw(low[None], high[None], frame.bottom, frame.top, [FIT])
    scale = (canvas.dot_rows - 1) / (frame.top - frame.bottom)
    row = np.rint((frame.top - predicted) * scale).astype(np.intp)
    # A cell with one point, with two or three, with four or more; braille shows the dots themselves.
    density = (Look("dim", "."), Look(cloud.style, "o"), Look(cloud.style, "@"))
    canvas.scatter(row, frame.columns(true, canvas.dot_columns), density)
    axis = frame.x_axis(np.array([]), gutter, canvas.columns, "true", whole=False, spacing=X_TICK_SPACING)
    return [*beside_y_axis(canvas.lines(), labels, gutter), *axis]


@dataclass(frozen=True)
class Point:
    """A recipe: the value of its setting, its score, and how it is drawn; the more important over the less.

    Attributes:
        mark: one character; `style`: of it.
        weight: of several in one cell the one with the most is seen.
    """

    value: object
    score: float
    mark: str
    style: str
    weight: int = 0


def draw_points(
    points: Sequence[Point], values: Sequence[object], is_log: bool, width: int, height: int, ascii_only: bool = False
) -> list[Line]:
    """Scores against the values of a setting, in at most `height` lines of at most `width` cells.

    Args:
        values: of a setting that is chosen from a list, all of them, in whose order they stand; empty: a range.
        is_log: the axis of values is logarithmic.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        lines = [cut_line(line(Span(f"A chart needs {LEAST_WIDTH} by {LEAST_HEIGHT} cells.", "dim")), width)]
    elif not points:
        lines = [line(Span("No scores to draw yet.", "dim"))]
    else:
        lines = _points(points, values, is_log, width, height - 2, ascii_only)
    return (ascii_lines(lines) if ascii_only else lines)[: max(height, 0)]


def _points(
    points: Sequence[Point], values: Sequence[object], is_log: bool, width: int, rows: int, ascii_only: bool
) -> list[Line]:
    at = [_place(point.value, values, is_log) for point in points]
    first, last = (-0.5, len(values) - 0.5) if values else with_room(min(at), max(at))
    scores = [point.score for point in points]
    frame = Frame(first, last, *with_room(min(scores), max(scores)), log_y=False).rounded(rows)
    labels, gutter = frame.y_labels(rows, rows)
    canvas = Canvas(rows, width - gutter - 2, ascii_only)
    for point, place in sorted(zip(points, at, strict=True), key=lambda each: each[0].weight):
        row = round((frame.top - point.score) * (rows - 1) / (frame.top - frame.bottom))
        [column] = frame.columns(np.array([place]), canvas.columns).tolist()
        canvas.put(row, column, point.mark, point.style)
    ticks = _value_ticks(frame, values, is_log, canvas.columns)
    return [*beside_y_axis(canvas.lines(), labels, gutter), *_value_axis(frame, ticks, gutter, canvas.columns)]


def _place(value: object, values: Sequence[object], is_log: bool) -> float:
    """Where a value stands on its axis."""
    if values:
        return float(list(values).index(value)) if value in values else 0.0
    number = float(str(value))
    return math.log10(number) if is_log else number


def _value_ticks(frame: Frame, values: Sequence[object], is_log: bool, count: int) -> list[tuple[float, str]]:
    if values:
        return [(float(place), str(value)) for place, value in enumerate(values)]
    most = max(2, count // X_TICK_SPACING // 2)
    if is_log:
        return [(place, value_text(10.0**place)) for place in log_ticks(frame.first, frame.last, most)]
    places = linear_ticks(frame.first, frame.last, most)
    return list(zip(places, tick_texts(places), strict=True))


def _value_axis(frame: Frame, ticks: Sequence[tuple[float, str]], gutter: int, count: int) -> list[Line]:
    """A rule with its ticks, and below it the labels that do not touch."""
    rule, labels, end = ["─"] * count, [" "] * count, -1
    for place, text in ticks:
        [column] = frame.columns(np.array([place]), count).tolist()
        text = cut(safe_text(text), count)
        start = min(max(column - len(text) // 2, 0), count - len(text))
        if start > end:
            rule[column] = "┬"
            labels[start : start + len(text)] = text
            end = start + len(text)
    return [
        line(Span(" " * gutter + " └", "axis"), Span("".join(rule), "axis")),
        line(Span(" " * (gutter + 2) + "".join(labels).rstrip(), "axis")),
    ]
