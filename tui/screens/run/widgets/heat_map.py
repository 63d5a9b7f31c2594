"""A confusion matrix with a cursor on its cells."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from textual import events
from textual.binding import BindingType
from textual.geometry import Size

from bertmt.drawing.charts.heatmap import (
    Shown,
    View,
    cell_at,
    draw_confusion,
    draw_confusion_difference,
    drawn_classes,
    with_rates,
)
from bertmt.drawing.sentences import cell_sentence, matrix_sentences, sentence_page
from bertmt.drawing.styled import Line, Span, cut, line
from tui.bindings import key
from tui.plain.words import in_words
from tui.widgets.drawing import Drawing
from tui.widgets.messages import WidgetMessage

CAPTIONS: dict[Shown, str] = {
    "counts": "counts; shade: share of the true class",
    "rows": "% of the true class: a row is 100 %",
    "columns": "% of the predicted: a column is 100 %",
}
LEAST_ROWS = 5  # of a matrix of many classes, whose other rows are gone to
LINES_OF_OTHERS = 16  # of the screen: what stands above and below the rows, and some examples


class HeatMap(Drawing, can_focus=True):
    """Counts, shares of the rows or of the columns, and what changed against another matrix.

    Of more classes than there is room for, those about the cursor.
    """

    DEFAULT_CSS = "HeatMap { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("up,k", "move(-1,0)", "up", "The true class above.", "matrix.up", display="↑"),
        key("down,j", "move(1,0)", "down", "The true class below.", "matrix.down", display="↓"),
        key("left,h", "move(0,-1)", "left", "The predicted class to the left.", "matrix.left", display="←"),
        key("right,l", "move(0,1)", "right", "The predicted class to the right.", "matrix.right", display="→"),
        key("enter", "choose", "open", "Go to the examples in this cell.", "matrix.choose",
            shown=True, display="⏎"),
        key("percent_sign", "turn", "shares", "Counts, shares of the true class, or of the predicted.", "matrix.shown",
            display="%"),
    ]  # fmt: skip

    class Cell(WidgetMessage):
        """Something about a cell."""

        def __init__(self, heat_map: "HeatMap", true: int, predicted: int):
            super().__init__(heat_map)
            self.true = true
            self.predicted = predicted

    class CellChosen(Cell):
        """A cell was clicked, or chosen with Enter."""

    class CellMoved(Cell):
        """The cursor came to another cell."""

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.cell = (0, 0)  # true class, predicted class
        self.is_followed = False  # whether the cell's examples are shown elsewhere, so that its mark stays
        self.shown: Shown = "counts"
        self._names: tuple[str, ...] = ()
        self._matrix = np.zeros((0, 0), dtype=np.int64)
        self._other: np.ndarray | None = None
        self._of_other = ""
        self._lines_at_cursor = 1

    def show(
        self,
        matrix: np.ndarray,
        classes: Sequence[str],
        other: np.ndarray | None = None,
        of_other: str = "the baseline",
    ) -> None:
        """Replace the matrix.

        Args:
            other: what is drawn is the difference from it.
            of_other: whose that is, its text safe.
        """
        self._matrix, self._names, self._other, self._of_other = matrix, tuple(classes), other, of_other
        self.cell = (min(self.cell[0], len(classes) - 1), min(self.cell[1], len(classes) - 1))
        self.redraw(layout=True)
        self.refresh_bindings()

    def follow(self, is_followed: bool) -> None:
        """Keep the mark of the cell also without the focus, or no more."""
        if is_followed is not self.is_followed:
            self.is_followed = is_followed
            self.redraw()

    def to_lines(self, width: int, height: int) -> list[Line]:
        """All of it, in parts below each other where a width has no room for all columns."""
        return self._drawn(width, None, None)

    def draw(self, width: int, height: int) -> list[Line]:
        return self._on_screen(width, self.cell if self.has_focus or self.is_followed else None)[: max(height, 0)]

    def to_words(self, width: int, height: int) -> list[Line]:
        if not self._names:
            return []
        sentences = matrix_sentences(self._matrix, self._names, self._other)
        if self._other is not None:
            sentences.insert(0, f"Counts minus those of {self._of_other}.")
        at_cursor = sentence_page([cell_sentence(self._matrix, self._names, *self.cell)], width)
        self._lines_at_cursor = len(at_cursor)
        return [*sentence_page(sentences, width), *at_cursor]

    @property
    def cursor_row(self) -> int | None:
        """Where signs are words, the line on which the last sentence begins, which is about the cell at the cursor."""
        return self.content_region.bottom - self._lines_at_cursor if in_words() else None

    def _on_screen(self, width: int, cell: tuple[int, int] | None) -> list[Line]:
        """The part about the cursor, whether that is marked or not."""
        rows = max(LEAST_ROWS, self.app.size.height - LINES_OF_OTHERS)
        return self._drawn(width, cell, View(self.cell, rows))

    def _drawn(self, width: int, cell: tuple[int, int] | None, view: View | None) -> list[Line]:
        if not self._names:
            return []
        if self._other is not None:
            text = f"counts minus those of {self._of_other}"
            lines = draw_confusion_difference(self._matrix, self._other, self._names, cell, width, view)
        else:
            text = CAPTIONS[self.shown]
            lines = draw_confusion(self._matrix, self._names, self.shown, cell, width, view)
            lines = with_rates(lines, self._matrix, width)
        part = self._part(lines) if view is not None else ""
        return [*lines, line(Span(cut(part + text, width), "dim"))]

    def _part(self, lines: Sequence[Line]) -> str:
        """Which classes are seen where these are not all."""
        true, predicted = drawn_classes(lines)
        count = len(self._names)
        if len(true) == len(predicted) == count:
            return ""
        return f"true {true[0]}…{true[-1]}, predicted {predicted[0]}…{predicted[-1]} of {count} classes; "

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.to_words(width, 0) if in_words() else self._on_screen(width, None))

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor, not beyond the edge."""
        last = len(self._names) - 1
        self._go_to((max(0, min(self.cell[0] + down, last)), max(0, min(self.cell[1] + right, last))))

    def _go_to(self, cell: tuple[int, int]) -> None:
        if cell != self.cell:
            self.cell = cell
            self.redraw()
            self.post_message(self.CellMoved(self, *cell))

    def action_choose(self) -> None:
        """Tell that the cell at the cursor is wanted."""
        if self._names:
            self.post_message(self.CellChosen(self, *self.cell))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Differences are of counts alone."""
        return action != "turn" or self._other is None

    def action_turn(self) -> None:
        """Counts, shares of the rows, shares of the columns."""
        ways = tuple(CAPTIONS)
        self.shown = ways[(ways.index(self.shown) + 1) % len(ways)]
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        if not self._names:
            return
        x, y = event.get_content_offset_capture(self)
        cell = cell_at(self._on_screen(self.content_size.width, None), len(self._names), x, y)
        if cell is not None:
            self._go_to(cell)
            self.action_choose()
