"""Lines of styled text, drawn as they are: what most of a screen's quiet parts are made of."""

from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bertmt.drawing.styled import Line
from tui.plain.words import MOST_CELLS, in_words, worded
from tui.widgets.changed_lines import changed_regions
from tui.widgets.styled_lines import strip_of, styles_of


class TextLines(ScrollView, can_focus=False):
    """Lines from `bertmt.drawing`; what does not fit can be scrolled.

    Args:
        draw: makes the lines for a width; called again when the width changes or `show` is called.
    """

    DEFAULT_CSS = "TextLines { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; height: auto; }"

    def __init__(
        self,
        draw: Callable[[int], Sequence[Line]] = lambda width: (),
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ):
        super().__init__(id=id, classes=classes)
        self._draw = draw
        self._lines: Sequence[Line] = ()
        self._made: tuple[int, Sequence[Line]] | None = None  # a width, and the lines for it

    def show(self, draw: Callable[[int], Sequence[Line]] | Sequence[Line]) -> None:
        """Replace the lines, or what makes them."""
        self._draw = draw if callable(draw) else lambda width: draw
        self._made = None
        self._lay_out()

    def remake(self) -> None:
        """Rebuild the lines: something other than the width has changed."""
        self.show(self._draw)

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown now."""
        return self._lines

    def on_resize(self) -> None:
        self._lay_out()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines_for(width))

    def _lines_for(self, width: int) -> Sequence[Line]:
        if self._made is None or self._made[0] != width:
            lines = worded(self._draw(min(width, MOST_CELLS)), width) if in_words() else self._draw(width)
            self._made = (width, lines)
        return self._made[1]

    def _lay_out(self) -> None:
        before = self._lines
        self._lines = self._lines_for(self.scrollable_content_region.width) if self.size.width else ()
        if len(self._lines) != len(before):
            self.virtual_size = Size(self.size.width, len(self._lines))
            self.refresh(layout=True)
        elif regions := changed_regions(before, self._lines, self.size.width):
            top = round(self.scroll_y)
            self.refresh(*(region.translate((0, -top)) for region in regions))

    def render_line(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        width = self.scrollable_content_region.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return strip_of(self._lines[index], styles_of(self), width)
