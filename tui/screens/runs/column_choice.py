"""Which columns the list of runs has, and which of them stand at the left whatever the width."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from tui.bindings import key
from tui.dialogs.choice import FRAME_LINES, MEANING, NAME, Option
from tui.dialogs.dialog import Dialog
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table

PINNED = Column(key="pinned", title="", width=3, rank=1)


class ColumnChoice(Dialog[tuple[frozenset[Hashable], tuple[str, ...]]]):
    """Dismissed with the keys of the columns that are shown, and of those that are pinned, in their order.

    Who hides a column takes its pin away; what was pinned and had no room, or nothing to show, stays so.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        key("p", "pin", "pin", "Let this column stand at the left, or no longer.", "columns.pin"),
    ]

    def __init__(self, options: Sequence[Option], shown: frozenset[Hashable], pinned: Sequence[str]):
        super().__init__()
        self._options = options
        self._shown = shown
        self._pinned = list(pinned)
        self._unseen = set(pinned) - shown

    def heading(self) -> str:
        return "Columns of the runs, where there is room for them"

    def parts(self) -> Sequence[Widget]:
        return [Table((NAME, PINNED, MEANING), self._cell, lambda option: option.key, can_mark=True, id="options")]

    def answers(self) -> list[tuple[str, str]]:
        return [("␣", "show or hide"), ("p", "pin at the left"), ("⏎", "take it"), ("Esc", "cancel")]

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.marked = set(self._shown)
        table.show(self._options)
        table.styles.height = min(len(self._options), self.app.size.height - FRAME_LINES)
        table.focus()

    def _cell(self, option: Option, column: Column) -> Span:
        if column is PINNED:
            place = self._pinned.index(str(option.key)) + 1 if option.key in self._pinned else 0
            return Span(f"←{place}" if place else "", "accent")
        return Span(safe_text(option.name)) if column is NAME else Span(safe_text(option.meaning), "dim")

    def action_pin(self) -> None:
        """What is pinned is shown, too."""
        table = self.query_one(Table)
        if table.current is None:
            return
        name = str(table.current.key)
        if name in self._pinned:
            self._pinned.remove(name)
        else:
            self._pinned.append(name)
            table.marked.add(name)
        table.redraw()

    @on(Table.Chosen)
    def _take(self) -> None:
        shown = self.query_one(Table).marked
        self.dismiss((frozenset(shown), tuple(each for each in self._pinned if each in shown | self._unseen)))
