"""The charts of a search: one at a time, or all where there is room for them."""

from collections.abc import Sequence

from bertmt.drawing.charts.scatter import LEAST_HEIGHT, draw_points
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.sentences import sentence_page
from bertmt.drawing.styled import Line, Span, cut_line, line, plain
from bertmt.recipe.space import word_of
from bertmt.services.analysis.searching.charts import BEST, LEGEND, SettingChart
from bertmt.services.analysis.searching.formatting import axis_title, importance_words
from tui.plain.words import worded
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

    def to_words(self, width: int, height: int) -> list[Line]:
        """A sentence per setting, the chosen one first."""
        charts = [*self._charts[self.place :], *self._charts[: self.place]]
        return worded(sentence_page([_sentence(each) for each in charts], width), width)

    def _chart(self, chart: SettingChart, width: int, rows: int) -> list[Line]:
        place = self._charts.index(chart) + 1
        which = f"{place}/{len(self._charts)} " if len(self._charts) > 1 else ""
        title = line(
            Span(which, "dim"), *axis_title(chart.axis), Span(f": {importance_words(chart.importance)}", "dim")
        )
        drawn = draw_points(chart.points, chart.values, chart.axis.is_log, width, rows - 1, self.ascii_only)
        return [cut_line(title, width), *drawn, *[()] * (rows - 1 - len(drawn))]


def _sentence(chart: SettingChart) -> str:
    """How much of the scores goes with a setting, and its value in the best recipe, or in the best until now."""
    said = f"{safe_text(plain(axis_title(chart.axis)))}: {importance_words(chart.importance)}"
    best = max(chart.points, key=lambda point: (point.mark == BEST, point.score), default=None)
    if best is None:
        return f"{said}."
    whose = "the best recipe" if best.mark == BEST else "the highest score until now"
    return f"{said}; {whose} has {safe_text(str(best.value) if chart.values else word_of(best.value))}."
