"""Predicted against true similarities."""

import numpy as np

from bertmt.drawing.charts.scatter import Cloud, draw_scatter
from bertmt.drawing.sentences import cloud_sentences, sentence_page
from bertmt.drawing.styled import Line
from tui.widgets.drawing import Drawing

NOTHING = np.array([])


class ScatterChart(Drawing):
    """A cloud of points with its line of best fit."""

    DEFAULT_CSS = "ScatterChart { height: 1fr; }"

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._cloud = Cloud(NOTHING, NOTHING)

    def show(self, cloud: Cloud) -> None:
        """Replace the cloud."""
        self._cloud = cloud
        self.redraw()

    def to_lines(self, width: int, height: int) -> list[Line]:
        return draw_scatter(self._cloud, width, height, self.ascii_only)

    def to_words(self, width: int, height: int) -> list[Line]:
        return sentence_page(cloud_sentences(self._cloud), width)
