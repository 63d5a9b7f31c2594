"""Redrawing a chart of 160 by 45 cells, beside textual-plot and textual-plotext: from arrays to lines of the screen.

Each draws the same curves in braille, headless, in an app of its own. The clock runs from handing over new data until
the compositor has all lines, on the thread of the user interface: nothing else can happen meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
from textual.app import App, ComposeResult
from textual.widget import Widget

from bench.measuring import Figure, median_seconds
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from tui.widgets.line_chart import LineChart

SIZE = (160, 45)
COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red", "white", "bright_black")
Points = tuple[np.ndarray, np.ndarray]  # steps and values of one curve
Redraw = Callable[[Sequence[Points]], None]


class OneWidget(App[None]):
    """An app that shows one widget and nothing else."""

    def __init__(self, widget: Widget):
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


def losses(curves: int, points: int) -> list[Points]:
    """Curves that fall and are noisy, as losses are."""
    dice = np.random.default_rng(0)
    steps = np.arange(points)
    return [(steps, 1 + np.exp(-3 * steps / points) + 0.1 * dice.normal(size=points)) for _ in range(curves)]


def ours() -> tuple[Widget, Redraw]:
    chart = LineChart()

    def redraw(curves: Sequence[Points]) -> None:
        chart.show([Panel("loss", [Series(f"run {number}", *each) for number, each in enumerate(curves)])])

    return chart, redraw


def ours_in_panels() -> tuple[Widget, Redraw]:
    """Five panels, each with every fifth curve."""
    chart = LineChart()

    def redraw(curves: Sequence[Points]) -> None:
        series = [Series(f"run {number // 5}", *each) for number, each in enumerate(curves)]
        chart.show([Panel(f"series {panel}", series[panel::5]) for panel in range(5)])

    return chart, redraw


def ours_smoothed() -> tuple[Widget, Redraw]:
    """Moving averages before the raw curves."""
    chart, redraw = ours()
    assert isinstance(chart, LineChart)
    chart.weight = 0.9
    return chart, redraw


def textual_plot() -> tuple[Widget, Redraw]:
    from textual_plot import HiResMode, PlotWidget  # noqa: PLC0415 - optional

    plot = PlotWidget()

    def redraw(curves: Sequence[Points]) -> None:
        plot.clear()
        for number, (steps, values) in enumerate(curves):
            plot.plot(steps, values, COLOURS[number % len(COLOURS)], HiResMode.BRAILLE)
        plot.render()  # draws onto canvases, which the compositor reads before it would come to this

    return plot, redraw


def textual_plotext() -> tuple[Widget, Redraw]:
    from textual_plotext import PlotextPlot  # noqa: PLC0415 - optional

    plot = PlotextPlot()

    def redraw(curves: Sequence[Points]) -> None:
        plot.plt.clear_data()
        for steps, values in curves:
            plot.plt.plot(steps, values, marker="braille")
        plot.refresh()

    return plot, redraw


def milliseconds(make: Callable[[], tuple[Widget, Redraw]], curves: Sequence[Points], runs: int) -> float | None:
    """Median of one redraw; None where the library is not installed."""
    try:
        widget, redraw = make()
    except ImportError as problem:
        print(f"not measured: {problem}")
        return None
    return asyncio.run(_measured(OneWidget(widget), redraw, curves, runs))


async def _measured(app: OneWidget, redraw: Redraw, curves: Sequence[Points], runs: int) -> float:
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        def once(some: Sequence[Points] = curves) -> str:
            redraw(some)
            return "".join(strip.text for strip in app.screen._compositor.render_strips())

        first = once(curves[:2])  # with what is made once
        assert any(0x2800 < ord(character) <= 0x28FF for character in first), "no braille on the screen"
        return median_seconds(once, runs, warm_up=0) * 1e3


def figures() -> list[Figure]:
    found = []
    for name, curves, target, peer_runs in (
        ("redraw 50 runs × 2,000 points × 5 series", losses(250, 2_000), 100, 1),  # the slowest takes half a minute
        ("redraw 20 curves × 5,000 points", losses(20, 5_000), 50, 3),
    ):
        mine = milliseconds(ours, curves, 9) or 0.0
        for peer, make in (("textual-plot", textual_plot), ("textual-plotext", textual_plotext)):
            found.append(Figure(name, mine, "ms", target, peer=peer, peer_value=milliseconds(make, curves, peer_runs)))
        for how, variant in (("in five panels", ours_in_panels), ("smoothed, raw values behind", ours_smoothed)):
            found.append(Figure(f"{name}, {how}", milliseconds(variant, curves, 9) or 0.0, "ms", target))
    return found
