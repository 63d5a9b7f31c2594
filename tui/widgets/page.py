"""Lines to read, longer than the screen: `TextLines` that keys move."""

from typing import ClassVar

from textual.binding import BindingType

from tui.bindings import movement_keys
from tui.widgets.text_lines import TextLines


class Page(TextLines, can_focus=True):
    """Scrolls with the keys that move the cursor of a table."""

    # Without the gutter a page that begins to scroll would be one cell narrower than its lines were wrapped for.
    DEFAULT_CSS = "Page { height: 1fr; scrollbar-gutter: stable; }"
    BINDINGS: ClassVar[list[BindingType]] = movement_keys("page", "Scroll", "line")

    def action_move(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False)

    def action_first(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_page(self, pages: float) -> None:
        self.scroll_relative(y=round(pages * self.size.height), animate=False)
