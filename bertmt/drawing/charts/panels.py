"""Several line charts in a grid, over one range of steps and with one cursor."""

import math
from collections.abc import Sequence
from dataclasses import replace

from bertmt.drawing.charts.curves import Chart, Panel, Plot, View, draw_panel
from bertmt.drawing.charts.legend import legend
from bertmt.drawing.charts.series import looks_of
from bertmt.drawing.styled import Line, Span, ascii_lines, cells, cut_line, line, plain

LEAST_PANEL = (46, 10)  # cells, below which a panel is not legible
MOST_PANELS = 6
BEST_SHAPE = 4.0  # width to height in cells: about 2 to 1 on screen
GAP = 2  # cells between panels side by side
GUTTER = 6


def draw_panels(panels: Sequence[Panel], width: int, height: int, view: View, start: int = 0) -> Chart:
    """As many panels as are legible, from the one with index `start` on.

    All have the same range of steps. Where they hold series of the same names (one score of several runs each), one
    legend at the foot names them for all.
    """
    if view.window is None:
        view = replace(view, window=whole_range(panels))
    if len(panels) <= 1:
        chart = draw_panel(panels[0] if panels else Panel("", ()), width, height, view)
    else:
        chart = _several(panels, width, height, view, start)
    return Chart(ascii_lines(chart.lines), chart.plots) if view.ascii_only else chart


def arranged(panels: Sequence[Panel], width: int, height: int) -> list[Panel]:
    """The panels; in place of one that others can stand for, those others, where they have room beside one more."""
    found: list[Panel] = []
    for panel in panels:
        rest = len(panels) > 1
        most = shown_at_once(len(panel.instead) + rest, width, height) - rest
        found += panel.instead if 0 < len(panel.instead) <= most else [panel]
    return list(dict.fromkeys(found))


def whole_range(panels: Sequence[Panel]) -> tuple[float, float] | None:
    """The first and the last step of all that the panels hold; None where they hold nothing."""
    steps = [trace.steps for panel in panels for trace in panel.framed() if trace.low <= trace.high]
    return (min(float(each[0]) for each in steps), max(float(each[-1]) for each in steps)) if steps else None


def shown_at_once(count: int, width: int, height: int) -> int:
    """How many of so many panels `draw_panels` shows."""
    if count <= 1:
        return count
    foot = 2 if height > 2 * LEAST_PANEL[1] else 1
    across, down = max(1, (width + GAP) // (LEAST_PANEL[0] + GAP)), max(1, (height - foot) // LEAST_PANEL[1])
    return min(count, across * down, MOST_PANELS)


def _several(panels: Sequence[Panel], width: int, height: int, view: View, start: int) -> Chart:
    shown = shown_at_once(len(panels), width, height)
    start = max(0, min(start, len(panels) - shown))
    chosen = panels[start : start + shown]
    same_names = len({tuple(each.name for each in panel.series) for panel in panels}) == 1
    foot = _foot(panels, width, max(1, height // 12), view, same_names)
    if shown < len(panels):
        which = f"Panels {start + 1}–{start + shown}" if shown > 1 else f"Panel {start + 1}"
        foot.append(cut_line(line(Span(f"{which} of {len(panels)}; [ and ] turn", "dim")), width))
    lines: list[Line] = []
    plots: list[Plot] = []
    rows = _grid(chosen, width, height - len(foot))
    for index, row in enumerate(rows):
        tall = (height - len(foot)) * (index + 1) // len(rows) - len(lines)
        beside = _row(row, width, tall, view, index == len(rows) - 1, not same_names)
        plots += [replace(plot, top=plot.top + len(lines)) for plot in beside.plots]
        lines += beside.lines
    return Chart([*lines, *foot][: max(height, 0)], tuple(plots))


def _foot(panels: Sequence[Panel], width: int, most: int, view: View, same_names: bool) -> list[Line]:
    """The names of the series, where all panels have the same."""
    if not same_names:
        return []
    series = panels[0].series
    return legend(series, looks_of(series, view.ascii_only), width, most, values=False)


def _grid(panels: Sequence[Panel], width: int, height: int) -> list[Sequence[Panel]]:
    """The panels in rows, of the columns that bring each nearest to the best shape."""

    def badness(across: int) -> float:
        down = -(-len(panels) // across)
        wide, tall = width / across, max(height / down, 1)
        too_small = wide < LEAST_PANEL[0] or height // down < LEAST_PANEL[1]
        return too_small * 1000 + abs(math.log(max(wide, 1) / tall / BEST_SHAPE))

    across = min(range(1, len(panels) + 1), key=badness)
    return [panels[start : start + across] for start in range(0, len(panels), across)]


def _row(row: Sequence[Panel], width: int, height: int, view: View, tick_labels: bool, names: bool) -> Chart:
    """Panels side by side, each filled to its width."""
    joined: list[Line] = [()] * height
    plots = []
    left = 0
    for index, panel in enumerate(row):
        right = (width + GAP) * (index + 1) // len(row) - GAP
        chart = draw_panel(panel, right - left, height, view, least_gutter=GUTTER, tick_labels=tick_labels, names=names)
        plots += [replace(plot, left=plot.left + left) for plot in chart.plots]
        gap = GAP if index < len(row) - 1 else 0
        for number in range(height):
            content = chart.lines[number] if number < len(chart.lines) else ()
            # What a plot draws is as wide as the panel by construction.
            in_plot = any(plot.top <= number < plot.top + plot.rows for plot in chart.plots)
            room = gap + (0 if in_plot else right - left - cells(plain(content)))
            joined[number] += line(*content, " " * room)
        left = right + GAP
    return Chart(joined, tuple(plots))
