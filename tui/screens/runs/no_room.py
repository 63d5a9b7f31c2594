"""Which tasks have no column in the list of runs for want of room, and how to see their scores, in one line."""

from collections.abc import Sequence

from bertmt.drawing.numbers import named
from bertmt.drawing.styled import Span, cut_line, line
from tui.bindings import bound
from tui.screens.runs.columns import without_room
from tui.widgets.tables.columns import Column, Placed
from tui.widgets.text_lines import TextLines


class NoRoom(TextLines):
    """Below the list; hidden where every score has its column."""

    DEFAULT_CSS = "NoRoom { height: 1; padding: 0 2; }"

    def say(self, columns: Sequence[Column], shown: Sequence[Placed]) -> None:
        """Say what is not shown of some columns."""
        titles = without_room(columns, shown)
        self.set_class(not titles, "hidden")
        keys = f"{bound('runs.columns')} chooses columns, {bound('runs.order')} orders by any."
        said = line(Span(f"No room for {named(titles)}: {keys}", "dim"))
        self.show(lambda width: [cut_line(said, width)] if titles else [])
