"""Lines to read, longer than the screen: `TextLines` that keys move."""

from typing import ClassVar

from textual.binding import BindingType

from tui.bindings import key
from tui.widgets.text_lines import TextLines


class Page(TextLines, can_focus=True):
    """Scrolls with the keys that move the cursor of a table."""

    # Without the gutter a page that begins to scroll would be one cell narrower than its lines were wrapped for.
    DEFAULT_CSS = "Page { height: 1fr; scrollbar-gutter: stable; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("j,down", "move(1)", "down", "Scroll down.", "page.down"),
        key("k,up", "move(-1)", "up", "Scroll up.", "page.up"),
        key("g,home", "first", "first", "Go to the first line.", "page.first"),
        key("G,end", "last", "last", "Go to the last line.", "page.last"),
        key("ctrl+d", "turn(0.5)", "half page down", "Scroll half a page down.", "page.half_down"),
        key("ctrl+u", "turn(-0.5)", "half page up", "Scroll half a page up.", "page.half_up"),
        key("pagedown", "turn(1)", "page down", "Scroll a page down.", "page.page_down"),
        key("pageup", "turn(-1)", "page up", "Scroll a page up.", "page.page_up"),
    ]

    def action_move(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False)

    def action_first(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_turn(self, pages: float) -> None:
        self.scroll_relative(y=round(pages * self.size.height), animate=False)
