"""The charts of a search: one at a time, or all where there is room for them."""

from collections.abc import Sequence

from bertmt.drawing.charts.scatter import LEAST_HEIGHT, draw_points
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.services.analysis.searching.charts import LEGEND, SettingChart
from bertmt.services.analysis.searching.formatting import axis_title, importance_words
from tui.widgets.drawing import Drawing

ROOM = LEAST_HEIGHT + 3  # lines from which on a chart is worth drawing beside others
TALLEST = 18


class SettingCharts(Drawing):
    """Values of settings to the right, scores up; from the chosen setting on as many as there is room for."""

    DEFAULT_CSS = "SettingCharts { height: 1fr; }"

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._charts: Sequence[SettingChart] = ()
        self.place = 0

    def show(self, charts: Sequence[SettingChart]) -> None:
        """Replace the charts."""
        self._charts = charts
        self.place = min(self.place, max(len(charts) - 1, 0))
        self.redraw()

    def turn(self, step: int) -> None:
        """Begin with another setting."""
        if self._charts:
            self.place = (self.place + step) % len(self._charts)
            self.redraw()

    def to_lines(self, width: int, height: int) -> list[Line]:
        if not self._charts:
            return []
        count = max(1, min(len(self._charts), (height - 1) // ROOM))
        shown = [self._charts[(self.place + offset) % len(self._charts)] for offset in range(count)]
        rows = min((height - 1) // count, TALLEST)
        lines = [each for chart in shown for each in self._chart(chart, width, rows)]
        return [*lines, cut_line(line(Span(LEGEND, "dim")), width)][:height]

    def _chart(self, chart: SettingChart, width: int, rows: int) -> list[Line]:
        place = self._charts.index(chart) + 1
        which = f"{place}/{len(self._charts)} " if len(self._charts) > 1 else ""
        title = line(
            Span(which, "dim"), *axis_title(chart.axis), Span(f": {importance_words(chart.importance)}", "dim")
        )
        drawn = draw_points(chart.points, chart.values, chart.axis.is_log, width, rows - 1, self.ascii_only)
        return [cut_line(title, width), *drawn, *[()] * (rows - 1 - len(drawn))]
