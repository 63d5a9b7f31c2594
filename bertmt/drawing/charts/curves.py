"""A line chart: series of (step, value) → lines of styled text that fit a width and a height."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.drawing.charts.axes import STEPS, Frame, XAxis, beside_y_axis, with_room
from bertmt.drawing.charts.bands import Band
from bertmt.drawing.charts.canvas import FAINT_SYMBOL, Canvas, column_ranges
from bertmt.drawing.charts.legend import legend, remarks
from bertmt.drawing.charts.series import Series, Trace, are_alike, looks_of
from bertmt.drawing.looks import Look
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, ascii_lines, cut, cut_line, line

LEAST_WIDTH, LEAST_HEIGHT = 24, 6
LEAST_ROWS = 3  # of the plot itself: below that, legend and remarks go first
RELATIVE = "each from its lowest, 0, to its highest, 1"
CELLS_PER_MARK = 4  # at least, where each measurement of a curve is marked; of more, its end alone is
MOST_MARKED = 16  # beyond, the marks at the ends of curves would hide the curves
STEPS_BACK = 8  # cells by which a mark may stand before the end of its curve, where another one stands there
FAINT = Look("faint", FAINT_SYMBOL)


@dataclass(frozen=True, eq=False)
class Panel:
    """What one chart is of.

    Attributes:
        faint: drawn behind the series, in no colour: the raw values of smoothed ones.
        bands: drawn behind the series, thinly in their colours.
        instead: panels that show the same, and take its place where there is room for them.
        also: series of the same thing that are drawn elsewhere, which the axes have room for too.
    """

    title: str
    series: Sequence[Series]
    faint: Sequence[Series] = ()
    log_y: bool = False
    bands: Sequence[Band] = ()
    instead: Sequence["Panel"] = ()
    also: Sequence[Series] = ()

    @property
    def is_relative(self) -> bool:
        """Whether each curve has a scale of its own, from its lowest to its highest, since no axis suits all."""
        return not self.log_y and bool(self.instead) and not are_alike(self.series)

    def traces(self) -> list[Trace]:
        """What is drawn, in the order of their importance."""
        if not self.is_relative:
            return [each.trace(self.log_y) for each in (*self.series, *self.faint)]
        # Raw values swing far beyond their averages: behind curves that all go from 0 to 1 they would hide these.
        return [each.trace(False).scaled(*with_room(each.linear.low, each.linear.high)) for each in self.series]

    def framed(self) -> list[Trace]:
        """All that the axes have room for."""
        others = [] if self.is_relative else [each.trace(self.log_y) for each in self.also]
        return [*self.traces(), *self.edges(), *others]

    def edges(self) -> list[Trace]:
        """The low and the high edge of each band, one band after the other."""
        return [each.trace(self.log_y) for band in self.bands for each in (band.low, band.high)]


@dataclass(frozen=True)
class View:
    """What of a panel is shown, and how.

    Attributes:
        window: the first and the last step; None is all there are.
        cursor: the step whose values the legend shows; a rule stands there.
        axis: what steps are: they may be places on another axis too.
    """

    window: tuple[float, float] | None = None
    cursor: float | None = None
    axis: XAxis = STEPS
    ascii_only: bool = False


@dataclass(frozen=True)
class Plot:
    """Where in a drawing the cells of a plot are, and between which steps they lie."""

    left: int
    top: int
    columns: int
    rows: int
    first: float
    last: float

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell of the drawing is one of the plot."""
        return self.left <= x < self.left + self.columns and self.top <= y < self.top + self.rows

    def step_at(self, x: float) -> float:
        """The step in the middle of a column of the drawing."""
        return self.first + (x - self.left + 0.5) / self.columns * (self.last - self.first)


@dataclass(frozen=True)
class Chart:
    """A drawing: its lines, and where its plots are."""

    lines: list[Line]
    plots: tuple[Plot, ...] = ()


def draw_curves(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    log_y: bool = False,
    axis: XAxis = STEPS,
    y_label: str = "",
    bands: Sequence[Band] = (),
    ascii_only: bool = False,
) -> list[Line]:
    """The chart in at most `height` lines of at most `width` cells.

    Every column of dots shows the lowest to the highest value that falls into it. Missing values break the line
    and are marked × on the axis; with `log_y`, values ≤ 0 are missing too, and counted in a remark.
    """
    view = View(axis=axis, ascii_only=ascii_only)
    lines = draw_panel(Panel(y_label, series, log_y=log_y, bands=bands), width, height, view).lines
    return ascii_lines(lines) if ascii_only else lines


def draw_panel(
    panel: Panel,
    width: int,
    height: int,
    view: View,
    *,
    least_gutter: int = 0,
    tick_labels: bool = True,
    names: bool = True,
) -> Chart:
    """One panel: title, plot, remarks and legend; what does not fit goes from the end.

    Args:
        least_gutter: cells for the labels of the y axis at least, so that panels one below the other line up.
        tick_labels: whether the x axis has any; a panel further down may have them for all.
        names: whether the legend has them.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        too_small = cut_line(line(Span(f"A chart needs {LEAST_WIDTH} by {LEAST_HEIGHT} cells.", "dim")), width)
        return Chart([too_small][: max(height, 0)])
    looks = looks_of(panel.series, view.ascii_only)
    traces = panel.traces()
    remark = " (log scale)" if panel.log_y else f" ({RELATIVE})" if panel.is_relative else ""
    title = f"{safe_text(panel.title)}{remark}".strip()
    above = [line(Span(cut(title, width), "title"))] if title else []
    below = [cut_line(each, width) for each in remarks(traces[: len(panel.series)])]
    below += legend(panel.series, looks, width, max(height // 4, 1), step=view.cursor, axis=view.axis, names=names)
    frame = Frame.around(panel.framed(), panel.log_y, view.window)
    if frame is None:
        nothing = "No values to draw yet." if view.window is None else "No values between these steps."
        sentence = line(Span(cut(nothing, width), "dim"))
        return Chart([*(above if panel.title else ()), sentence, *below][:height])
    axis_lines = 2 if tick_labels else 1
    while below and height - axis_lines - len(above) - len(below) < LEAST_ROWS:
        below.pop()
    rows = height - axis_lines - len(above) - len(below)
    # The plot fits by construction, and measuring its thousands of spans would cost more than drawing them.
    drawn, plot = _plot(traces, looks, frame, width, rows, len(above), least_gutter, view, _bands(panel, looks))
    return Chart([*above, *drawn[: rows + axis_lines], *below], (plot,))


def _plot(
    traces: Sequence[Trace],
    looks: Sequence[Look],
    frame: Frame,
    width: int,
    rows: int,
    top: int,
    least_gutter: int,
    view: View,
    bands: "Sequence[_Edges]",
) -> tuple[list[Line], Plot]:
    """Both axes with the curves between them; traces beyond the looks are faint."""
    frame = frame.rounded(rows)
    labels, gutter = frame.y_labels(rows, Canvas.dots_of(rows, view.ascii_only), least_gutter)
    columns = width - gutter - 2
    drawn = _curves(traces, looks, frame, Canvas(rows, columns, view.ascii_only), view.cursor)
    _shade(bands, frame, drawn)
    drawn.grid((row for row in labels if row < rows - 1), "grid")  # the last is the axis' own
    missing = np.concatenate([np.array([]), *(each.missing for each in traces[: len(looks)])])
    axis = frame.x_axis(missing, gutter, columns, safe_text(view.axis.label), view.axis.whole)
    return [*beside_y_axis(drawn.lines(), labels, gutter), *axis], Plot(
        gutter + 2, top, columns, rows, frame.first, frame.last
    )


def _curves(
    traces: Sequence[Trace], looks: Sequence[Look], frame: Frame, canvas: Canvas, cursor: float | None
) -> Canvas:
    """Everything between the axes: curves, marks at their ends, faint curves behind them, the cursor's rule."""
    low, high = np.empty((2, len(traces), canvas.dot_columns))
    for index, each in enumerate(traces):
        low[index], high[index] = column_ranges(each.steps, each.values, frame.first, frame.last, canvas.dot_columns)
    strong = len(looks)
    for index, look in enumerate(looks):
        if look.dotted:
            low[index, ~_dotted(traces[index], frame, canvas.dot_columns)] = np.nan
    canvas.draw(low[:strong], high[:strong], frame.bottom, frame.top, looks)
    canvas.draw(low[strong:], high[strong:], frame.bottom, frame.top, [FAINT] * (len(traces) - strong))
    if not canvas.ascii_only:  # there, each curve consists of its mark
        _mark_ends(traces[:strong], looks, frame, canvas)
    if cursor is not None and frame.first <= cursor <= frame.last:
        [column] = frame.columns(np.array([cursor]), canvas.columns).tolist()
        canvas.rule(column, "axis")
    return canvas


@dataclass(frozen=True)
class _Edges:
    """A band as it is drawn."""

    low: Trace
    high: Trace
    look: Look


def _bands(panel: Panel, looks: Sequence[Look]) -> list[_Edges]:
    edges = panel.edges()
    own = [Look(looks[band.of].style, FAINT_SYMBOL) for band in panel.bands]
    return [_Edges(low, high, look) for low, high, look in zip(edges[::2], edges[1::2], own, strict=True)]


def _shade(bands: Sequence[_Edges], frame: Frame, canvas: Canvas) -> None:
    """Bands into cells that are still empty."""
    low, high = np.empty((2, len(bands), canvas.dot_columns))
    for index, band in enumerate(bands):
        (low[index], _), (_, high[index]) = (
            column_ranges(edge.steps, edge.values, frame.first, frame.last, canvas.dot_columns)
            for edge in (band.low, band.high)
        )
    canvas.draw(low, high, frame.bottom, frame.top, [band.look for band in bands], thinly=True)


def _dotted(trace: Trace, frame: Frame, columns: int) -> np.ndarray:
    """Which columns of dots a dotted curve is drawn in: every other one, and those of its points; bools (columns,)."""
    drawn: np.ndarray = np.arange(columns) % 2 == 0
    seen = np.isfinite(trace.values) & (frame.first <= trace.steps) & (trace.steps <= frame.last)
    drawn[frame.columns(trace.steps[seen], columns)] = True
    return drawn


def _mark_ends(traces: Sequence[Trace], looks: Sequence[Look], frame: Frame, canvas: Canvas) -> None:
    """The mark of each curve at its last value, or on the curve a little before where that cell has another mark.

    Of measurements, each of which holds up to the next, the mark stands at every one where there is room for that; at
    the end or, where another curve's is there, midway between two, since near the end it would say a measurement.
    """
    taken = _mark_measurements(traces, looks, frame, canvas)
    cell = (frame.last - frame.first) / canvas.columns
    for trace, look in zip(traces[:MOST_MARKED], looks, strict=False):
        end = _visible_end(trace, frame)
        if end is None:
            continue
        steps = end - cell * np.arange(STEPS_BACK)
        if trace.held:
            before = max(float(trace.steps[trace.steps < end].max(initial=frame.first)), frame.first)
            steps[1:] += (before - end) / 2 + cell
        steps = np.maximum(steps, frame.first)
        values = np.interp(steps, trace.steps, trace.values)
        drawn = np.isfinite(values)
        for place in _cells_at(steps[drawn], values[drawn], frame, canvas):
            if place not in taken:
                taken.add(place)
                canvas.put(*place, look.mark, look.style)
                break


def _mark_measurements(
    traces: Sequence[Trace], looks: Sequence[Look], frame: Frame, canvas: Canvas
) -> set[tuple[int, int]]:
    """Marks at measurements that are few, the earlier curve's where two meet; the cells that have one, but those at
    ends, where each curve gets its own."""
    taken: set[tuple[int, int]] = set()
    for trace, look in zip(traces[:MOST_MARKED], looks, strict=False):
        if not trace.held:
            continue
        steps, values = trace.steps[::2], trace.values[::2]
        seen = np.isfinite(values) & (frame.first <= steps) & (steps <= frame.last)
        if not 0 < seen.sum() * CELLS_PER_MARK <= canvas.columns:
            continue
        for place in _cells_at(steps[seen], values[seen], frame, canvas)[:-1]:
            if place not in taken:
                taken.add(place)
                canvas.put(*place, look.mark, look.style)
    return taken


def _cells_at(steps: np.ndarray, values: np.ndarray, frame: Frame, canvas: Canvas) -> list[tuple[int, int]]:
    """The cells, row and column, that points of a frame are in."""
    columns = frame.columns(steps, canvas.columns).tolist()
    dot_rows = np.rint((frame.top - values) * ((canvas.dot_rows - 1) / (frame.top - frame.bottom)))
    rows = np.clip(dot_rows.astype(np.intp) * canvas.rows // canvas.dot_rows, 0, canvas.rows - 1).tolist()
    return list(zip(rows, columns, strict=True))


def _visible_end(trace: Trace, frame: Frame) -> float | None:
    """The last step at which a curve is seen: the last one with a number, or where it leaves the frame.

    Of measurements the last that is in the frame, if any is: a mark says that something was measured there.
    """
    if trace.held:
        measured = trace.steps[::2][np.isfinite(trace.values[::2])]
        within = measured[(frame.first <= measured) & (measured <= frame.last)]
        if len(within):
            return float(within[-1])
    count = int(np.searchsorted(trace.steps, frame.last, side="right"))
    if 0 < count < len(trace.steps) and np.isfinite(trace.values[count - 1 : count + 1]).all():
        return frame.last
    numbers = np.flatnonzero(np.isfinite(trace.values[:count]))
    if not len(numbers) or trace.steps[numbers[-1]] < frame.first:
        return None
    return float(trace.steps[numbers[-1]])
