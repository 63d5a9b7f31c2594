"""A line chart: series of (step, value) → lines of styled text that fit a width and a height."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.drawing import canvas
from bertmt.drawing.axes import Frame
from bertmt.drawing.numbers import MISSING
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, ascii_lines, cells, cut, cut_line, line, wrap_parts
from bertmt.drawing.ticks import value_text

LEAST_WIDTH, LEAST_HEIGHT = 24, 6
LEAST_ROWS = 3  # of the plot itself: below that, legend and remarks go first
LARGEST = 1e300  # beyond, the distance of two values would overflow


@dataclass(frozen=True)
class Series:
    """One curve: values by step, NaN where a value is missing; shapes (n,).

    Raises:
        ValueError: steps and values are not equally many.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        if np.shape(self.steps) != np.shape(self.values):
            raise ValueError(f"{self.name}: {len(self.steps)} steps, but {len(self.values)} values")


def draw_curves(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    log_y: bool = False,
    x_label: str = "step",
    y_label: str = "",
    ascii_only: bool = False,
) -> list[Line]:
    """The chart in at most `height` lines of at most `width` cells.

    Every column of dots shows the lowest to the highest value that falls into it. Missing values break the line
    and are marked × on the axis; with `log_y`, values ≤ 0 are missing too, and counted in a remark.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        lines = [cut_line(line(Span(f"A chart needs {LEAST_WIDTH} by {LEAST_HEIGHT} cells.", "dim")), width)]
    else:
        lines = _chart([_prepared(each, log_y) for each in series], width, height, log_y, x_label, y_label, ascii_only)
    return (ascii_lines(lines) if ascii_only else lines)[: max(height, 0)]


@dataclass(frozen=True)
class _Prepared:
    """A series sorted by step, NaN for all that is not drawn; on a log scale `values` holds exponents of ten."""

    name: str
    steps: np.ndarray
    values: np.ndarray
    last: float | None
    not_positive: int
    missing: np.ndarray  # steps at which there is no number


def _prepared(series: Series, log_y: bool) -> _Prepared:
    steps: np.ndarray = np.asarray(series.steps, dtype=np.float64)
    values: np.ndarray = np.asarray(series.values, dtype=np.float64)
    if not (np.diff(steps) >= 0).all() or not np.isfinite(steps).all():
        order = np.argsort(steps, kind="stable")
        order = order[np.isfinite(steps[order])]
        steps, values = steps[order], values[order]
    finite = np.isfinite(values)
    missing = steps[~finite]
    values = np.where(finite, np.clip(values, -LARGEST, LARGEST), np.nan)
    last = float(values[finite][-1]) if finite.any() else None
    not_positive = 0
    if log_y:
        positive = values > 0  # false for NaN
        not_positive = int((finite & ~positive).sum())
        values = np.log10(values, where=positive, out=np.full(len(values), np.nan))
    return _Prepared(safe_text(series.name), steps, values, last, not_positive, missing)


def _chart(
    series: Sequence[_Prepared], width: int, height: int, log_y: bool, x_label: str, y_label: str, ascii_only: bool
) -> list[Line]:
    """Title, plot, remarks and legend; what does not fit goes from the end."""
    title = (safe_text(y_label) + (" (log scale)" if log_y else "")).strip()
    above = [line(Span(cut(title, width), "title"))] if title else []
    below = [cut_line(each, width) for each in (*_remarks(series), *_legend(series, width, height // 4, ascii_only))]
    points = [(each.steps, each.values) for each in series if np.isfinite(each.values).any()]
    if not points:
        return [line(Span("No values to draw yet.", "dim")), *below]
    while below and height - 2 - len(above) - len(below) < LEAST_ROWS:
        below.pop()
    rows = height - 2 - len(above) - len(below)
    # The plot fits by construction, and measuring its thousands of spans would cost more than drawing them.
    return [*above, *_plot(series, Frame.around(points, log_y), width, rows, safe_text(x_label), ascii_only), *below]


def _plot(
    series: Sequence[_Prepared], frame: Frame, width: int, rows: int, x_label: str, ascii_only: bool
) -> list[Line]:
    per_row, per_column = canvas.ASCII_DOTS if ascii_only else canvas.BRAILLE_DOTS
    labels = frame.y_labels(rows, rows * per_row)
    gutter = max(cells(text) for text in labels.values())
    columns = width - gutter - 2
    layers = []
    for each in series:
        ranges = canvas.column_ranges(each.steps, each.values, frame.first, frame.last, columns * per_column)
        layers.append(canvas.dots(*ranges, frame.bottom, frame.top, rows * per_row))
    lines = []
    for row, drawn in enumerate(canvas.compose(layers, ascii_only)):
        label = labels.get(row, "")
        lines.append(line(Span(f"{label:>{gutter}} {'┤' if label else '│'}", "axis"), *drawn))
    missing = np.concatenate([each.missing for each in series])
    return [*lines, *frame.x_axis(missing, gutter, columns, x_label)]


def _legend(series: Sequence[_Prepared], width: int, most: int, ascii_only: bool) -> list[Line]:
    """Name and last value of each series in at most so many lines; those that do not fit are counted."""
    parts = []
    for index, each in enumerate(series):
        symbol = canvas.SYMBOLS[index % len(canvas.SYMBOLS)] if ascii_only else "──"
        last = MISSING if each.last is None else value_text(each.last)
        name = cut(each.name, width - 16)
        parts.append(line(Span(symbol, canvas.series_style(index)), f" {name} ", Span(last, "dim")))
    lines = wrap_parts(parts, width)
    for shown in range(len(parts) - 1, -1, -1):
        if len(lines) <= most:
            break
        more = line(Span(f"… and {len(parts) - shown} more", "dim"))
        lines = wrap_parts([*parts[:shown], more], width)
    return lines


def _remarks(series: Sequence[_Prepared]) -> list[Line]:
    not_positive = sum(each.not_positive for each in series)
    missing = sum(len(each.missing) for each in series)
    remarks = []
    if not_positive:
        what = "value of 0 or less is" if not_positive == 1 else "values of 0 or less are"
        remarks.append(line(Span(f"{not_positive:,} {what} not shown on a log scale.", "bad")))
    if missing:
        what = "value is no number" if missing == 1 else "values are no numbers"
        remarks.append(line(Span(f"{missing:,} {what} (× on the axis).", "bad")))
    return remarks
