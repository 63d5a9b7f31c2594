"""Where the terminal's own cursor stands: on the line that a person is at, since screen readers follow it."""

from typing import Protocol, runtime_checkable

from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Input


@runtime_checkable
class HasCursorRow(Protocol):
    """A widget with a cursor on a line."""

    @property
    def cursor_row(self) -> int | None:
        """The line of the terminal that the cursor is on."""


def place_of_cursor(screen: Screen[object], before: Offset) -> Offset:
    """The column and line of the terminal for its cursor.

    Args:
        before: where it stands, for where nothing has the focus.
    """
    focused = screen.focused
    if focused is None:
        return before
    if isinstance(focused, Input):
        return focused.cursor_screen_offset
    row = focused.cursor_row if isinstance(focused, HasCursorRow) else None
    return Offset(focused.content_region.x, focused.content_region.y if row is None else row)
