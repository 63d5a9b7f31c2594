"""Curves of one panel, the bands of several seeds behind them."""

from collections.abc import Iterator, Sequence

import numpy as np

from bertmt.drawing.charts.bands import Band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series, Trace, looks_of
from bertmt.drawing.figures.marks import Area, Dot, Figure, Mark, Place, Rule, Words
from bertmt.drawing.figures.plot import Plot, Span, frame, legend, shortened
from bertmt.drawing.looks import MARKS, Look
from bertmt.drawing.numbers import counted, named

WIDTH, PLOT_HEIGHT = 330.0, 150.0
LEFT, RIGHT, TOP, BELOW = 46.0, 10.0, 34.0, 36.0
# Series that share a colour, or lose it in print, differ in these.
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 3), (2, 2.5), (9, 3, 2, 3))
FEW_POINTS = 24  # up to which each point is marked: they are evaluations
MOST_POINTS = 400  # of a curve; of more, the least and the greatest of each stretch


def draw_curves(panel: Panel, x_title: str = "step") -> Figure | None:
    """The panel; None where no series has a number."""
    traces = [each.linear for each in panel.series]
    edges = [each for band in panel.bands for each in (band.low.linear, band.high.linear)]
    drawn = [each for each in (*traces, *edges) if each.low <= each.high]  # false for NaN
    if not drawn:
        return None
    names = [each.shown_name for each in panel.series]
    rules = [_rule(look, ()) for look in looks_of(panel.series, ascii_only=False)]
    shown = [(name, rule) for name, rule, trace in zip(names, rules, traces, strict=True) if trace.low <= trace.high]
    bottom = TOP + PLOT_HEIGHT
    below, height = legend(shown, LEFT, bottom + BELOW, WIDTH - LEFT)
    plot = Plot(_steps(drawn), Span.around(min(t.low for t in drawn), max(t.high for t in drawn), bottom, TOP))
    marks: list[Mark] = [Words((LEFT - 6, 14), shortened(panel.title, WIDTH - LEFT), bold=True)]
    marks += frame(plot, x_title, whole=True)
    for band in panel.bands:
        marks += _band(band, rules[band.of].colour, plot)
    for series, rule in zip(panel.series, rules, strict=True):
        marks += _curve(series, rule, plot)
    said = f"{panel.title} over {x_title}s: {counted(len(shown), 'curve')}, {named([name for name, _ in shown])}"
    return Figure(WIDTH, bottom + BELOW + height + 8, [*marks, *below], said)


def _steps(drawn: Sequence[Trace]) -> Span:
    first, last = min(float(each.steps[0]) for each in drawn), max(float(each.steps[-1]) for each in drawn)
    return Span(first, last if last > first else first + 1, LEFT, WIDTH - RIGHT)


def _rule(look: Look, places: Sequence[Place]) -> Rule:
    return Rule(places, look.style, 1.6, DASHES[MARKS.index(look.mark) % len(DASHES)])


def _curve(series: Series, rule: Rule, plot: Plot) -> Iterator[Mark]:
    steps, values = thinned(series.linear.steps, series.linear.values)
    is_few = len(values) <= FEW_POINTS
    if series.exact:
        steps, values = _held(steps, values)
    for start, end in _stretches(values):
        places = [plot.at(x, y) for x, y in zip(steps[start:end].tolist(), values[start:end].tolist(), strict=True)]
        if len(places) > 1:
            yield Rule(places, rule.colour, rule.width, rule.dashes)
        if len(places) == 1 or is_few:
            measured = places[::2] if series.exact else places  # a stretch begins at a measured one
            yield from (Dot(place, 2.2, rule.colour) for place in measured)


def _held(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A staircase, as in the terminal: a line between two measurements would say what was never measured."""
    return np.repeat(steps, 2)[1:], np.repeat(values, 2)[:-1]


def _band(band: Band, colour: str, plot: Plot) -> Iterator[Mark]:
    """Between its edges, which have the same steps, wherever both have a number."""
    low, high = band.low.linear, band.high.linear
    kept = np.union1d(_kept(low.values), _kept(high.values))
    steps, bottom, top = low.steps[kept], low.values[kept], high.values[kept]
    if band.low.exact:
        (_, bottom), (steps, top) = _held(steps, bottom), _held(steps, top)
    for start, end in _stretches(bottom + top):
        there = slice(start, end)
        edges = [
            [plot.at(x, y) for x, y in zip(steps[there].tolist(), values[there].tolist(), strict=True)]
            for values in (bottom, top)
        ]
        if end - start > 1:
            yield Area((*edges[0], *reversed(edges[1])), colour, 0.16)


def thinned(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most about `MOST_POINTS` of the points, (n,): of each stretch the least and the greatest, so that no peak is
    lost, and one of each gap (NaN)."""
    kept = _kept(values)
    return steps[kept], values[kept]


def _kept(values: np.ndarray) -> np.ndarray:
    """Their places, ascending; the first and the last are always kept."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values))
    kept: set[int] = {0, len(values) - 1}
    for part in np.array_split(np.arange(len(values)), MOST_POINTS // 2):
        own = values[part]
        gaps = np.flatnonzero(np.isnan(own))
        kept |= {int(part[each]) for each in gaps[:1]}
        if len(gaps) < len(part):
            kept |= {int(part[np.nanargmin(own)]), int(part[np.nanargmax(own)])}
    return np.array(sorted(kept))


def _stretches(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where numbers follow one another without a gap: starts and ends."""
    there = np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
