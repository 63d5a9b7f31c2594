"""A widget whose content is lines of `bertmt.drawing`, rebuilt only when something changed."""

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from bertmt.drawing.styled import Line
from tui.plain.words import in_words, worded
from tui.widgets.changed_lines import changed_regions
from tui.widgets.styled_lines import strip_of, styles_of


class Drawing(Widget):
    """Lines that are drawn for the size of the widget, when they are looked at, and kept until `redraw`."""

    ALLOW_SELECT = False  # dragging does something else here

    _lines: Sequence[Line] | None = None
    _drawn_for: tuple[int, int] = (0, 0)

    @property
    def ascii_only(self) -> bool:
        """Whether the app draws with ASCII alone."""
        return bool(getattr(self.app, "ascii_only", False))

    def to_lines(self, width: int, height: int) -> list[Line]:
        """What is shown, for any size: also for pictures."""
        raise NotImplementedError

    def to_words(self, width: int, height: int) -> list[Line]:
        """What is shown, for a screen reader; what is more than lines with signs has sentences of its own."""
        return worded(self.to_lines(width, height), width)

    def redraw(self, layout: bool = False) -> None:
        """What is shown has changed.

        Args:
            layout: its size may have, too.
        """
        before, self._lines = self._lines, None
        size = self.content_size
        if layout or before is None or self._drawn_for != size or not self.is_on_screen:
            self.refresh(layout=layout)
            return
        self._lines = self._content(*size)
        if regions := changed_regions(before, self._lines, size.width):
            self.refresh(*regions)

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """The lines for the screen: for a widget that must know where what it drew has gone."""
        return self.to_lines(width, height)

    def _content(self, width: int, height: int) -> Sequence[Line]:
        return self.to_words(width, height) if in_words() else self.draw(width, height)

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        if self._lines is None or self._drawn_for != (width, height):
            self._lines = self._content(width, height)
            self._drawn_for = (width, height)
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return strip_of(self._lines[y], styles_of(self), width)
