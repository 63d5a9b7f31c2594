"""Predicted against true values as a cloud of dots with its line of best fit, as in the paper's Figure 10."""

from dataclasses import dataclass

import numpy as np

from bertmt.drawing.charts.axes import Frame, beside_y_axis, with_room
from bertmt.drawing.charts.canvas import Canvas, column_ranges
from bertmt.drawing.charts.series import SYMBOLS, Look
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
