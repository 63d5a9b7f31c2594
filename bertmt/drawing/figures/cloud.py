"""Predicted against true numbers with their line of best fit; of many, how many are in each small square."""

import numpy as np

from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.figures.marks import Dot, Figure, Mark, Rule, Words, box
from bertmt.drawing.figures.plot import Plot, Span, frame, shortened
from bertmt.drawing.numbers import counted

WIDTH, HEIGHT = 330.0, 300.0
LEFT, RIGHT, TOP, BELOW = 46.0, 10.0, 44.0, 36.0
MOST_DOTS = 1_000  # beyond, dots would hide each other and fill the page
SQUARES = 48  # along each axis


def draw_cloud(cloud: Cloud) -> Figure | None:
    """The cloud; None where no pair has two numbers."""
    true, predicted = (np.asarray(each, dtype=np.float64) for each in (cloud.true, cloud.predicted))
    there = np.isfinite(true) & np.isfinite(predicted)
    if not there.any():
        return None
    true, predicted = true[there], predicted[there]
    low, high = cloud.scale or (float(true.min()), float(true.max()))
    bottom = HEIGHT - BELOW
    plot = Plot(
        Span.around(min(low, float(true.min())), max(high, float(true.max())), LEFT, WIDTH - RIGHT),
        Span.around(min(low, float(predicted.min())), max(high, float(predicted.max())), bottom, TOP),
    )
    marks: list[Mark] = [Words((LEFT - 6, 14), shortened(cloud.title, WIDTH - LEFT), bold=True)]
    marks += frame(plot, "true", "predicted")
    points = _dots if len(true) <= MOST_DOTS else _squares
    marks += points(true, predicted, plot, cloud.style)
    fitted = ""
    if cloud.fit is not None:
        slope, intercept = cloud.fit
        ends = _within(slope, intercept, plot)
        marks += [Rule(ends, "ink", 1.4)] if ends else []
        fitted = f"; line of best fit: slope {slope:.2f}"
    left_out = len(there) - int(there.sum())
    without = f"; {counted(left_out, 'pair')} without a number left out" if left_out else ""
    return Figure(WIDTH, HEIGHT, marks, f"{cloud.title}: {counted(len(true), 'pair')}{fitted}{without}")


def _dots(true: np.ndarray, predicted: np.ndarray, plot: Plot, colour: str) -> list[Mark]:
    return [Dot(plot.at(x, y), 2.2, colour, 0.35) for x, y in zip(true.tolist(), predicted.tolist(), strict=True)]


def _squares(true: np.ndarray, predicted: np.ndarray, plot: Plot, colour: str) -> list[Mark]:
    """Darker where there are more, by the square root of their number: few stay visible beside many."""
    ranges = ((plot.x.low, plot.x.high), (plot.y.low, plot.y.high))
    counts, columns, rows = np.histogram2d(true, predicted, bins=SQUARES, range=ranges)
    most = float(counts.max())
    marks: list[Mark] = []
    for column, row in zip(*(each.tolist() for each in np.nonzero(counts)), strict=True):
        left, bottom = plot.at(float(columns[column]), float(rows[row]))
        right, top = plot.at(float(columns[column + 1]), float(rows[row + 1]))
        share = float(np.sqrt(counts[column, row] / most))
        marks.append(box(left, top, right - left, bottom - top, colour, 0.1 + 0.9 * share))
    return marks


def _within(slope: float, intercept: float, plot: Plot) -> tuple[tuple[float, float], ...]:
    """The ends of a line as far as the plot reaches; none where it passes by."""
    xs = [plot.x.low, plot.x.high]
    if slope:
        crossings = sorted((edge - intercept) / slope for edge in (plot.y.low, plot.y.high))
        xs = [max(xs[0], crossings[0]), min(xs[1], crossings[1])]
    elif not plot.y.low <= intercept <= plot.y.high:
        return ()
    return tuple(plot.at(x, slope * x + intercept) for x in xs) if xs[0] < xs[1] else ()
