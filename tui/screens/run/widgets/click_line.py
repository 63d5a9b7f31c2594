"""One line of pieces, some of which can be clicked: tabs, epochs, ways to look at something."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from textual import events

from bertmt.drawing.styled import Line, Span, cells, cut_line
from tui.plain.words import in_words
from tui.widgets.drawing import Drawing
from tui.widgets.messages import WidgetMessage


@dataclass(frozen=True)
class Piece:
    """A text, made safe before, and what a click on it means; None where nothing."""

    text: str
    style: str = ""
    hit: Hashable | None = None


Pieces = Sequence[Piece]


class ClickLine(Drawing):
    """A line in several lengths, of which the first that fits is shown."""

    DEFAULT_CSS = "ClickLine { height: 1; padding: 0 1; }"

    class Clicked(WidgetMessage):
        """A piece that means something was clicked."""

        def __init__(self, click_line: "ClickLine", hit: Hashable):
            super().__init__(click_line)
            self.hit = hit

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._lengths: Sequence[Pieces] = ((),)

    def show(self, *lengths: Pieces) -> None:
        """Replace the line; its lengths from long to short, the last is cut where even that does not fit."""
        self._lengths = lengths
        self.redraw()

    def to_lines(self, width: int, height: int) -> list[Line]:
        shown = cut_line(tuple(Span(each.text, each.style) for each in self._fitting(width)), width)
        return [shown][: max(height, 0)]

    def _fitting(self, width: int) -> Pieces:
        fitting = (each for each in self._lengths if sum(cells(piece.text) for piece in each) <= width)
        return next(fitting, self._lengths[-1])

    def on_click(self, event: events.Click) -> None:
        end = 0
        for piece in self._fitting(self.content_size.width):
            end += cells(piece.text)
            if event.x < end:
                if piece.hit is not None:
                    self.post_message(self.Clicked(self, piece.hit))
                return


def tab_pieces(names: Sequence[tuple[str, Hashable]], active: Hashable) -> list[Piece]:
    """Texts side by side with what they mean, the active one in brackets; of a single one the text alone."""
    if len(names) == 1:
        return [Piece(names[0][0], "title")]
    if in_words():
        return [Piece(f"{text}, open  " if hit == active else f"{text}  ", "", hit) for text, hit in names]
    return [
        Piece(f"[{text}]", "title", hit) if hit == active else Piece(f" {text} ", "dim", hit) for text, hit in names
    ]
