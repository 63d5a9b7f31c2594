"""A list to choose one of, or to switch several of on and off."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from tui.bindings import key
from tui.dialogs.dialog import Dialog
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table


@dataclass(frozen=True)
class Option:
    """One line of the list: what it answers with, its name and what it is; made safe here."""

    key: Hashable
    name: str
    meaning: str = ""


FRAME_LINES = 6  # of a dialog around its list
NAME = Column(key="name", title="", width=24, rank=1, elastic=True)
MEANING = Column(key="meaning", title="", width=24, rank=2, elastic=True)


def _cell(option: Option, column: Column) -> Span:
    return Span(safe_text(option.name)) if column is NAME else Span(safe_text(option.meaning), "dim")


class Choice(Dialog[Hashable]):
    """Dismissed with the key of the option that was chosen."""

    def __init__(self, title: str, options: Sequence[Option]):
        super().__init__()
        self._title = title
        self._options = options

    def heading(self) -> str:
        return self._title

    def parts(self) -> Sequence[Widget]:
        return [Table((NAME, MEANING), _cell, lambda option: option.key, id="options")]

    def answers(self) -> list[tuple[str, str]]:
        return [("⏎", "take it"), ("Esc", "cancel")]

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.show(self._options)
        table.styles.height = min(len(self._options), self.app.size.height - FRAME_LINES)
        table.focus()

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, Option):
            self.dismiss(event.row.key)


class Switches(Dialog[frozenset[Hashable]]):
    """Dismissed with the keys of all that are on."""

    BINDINGS: ClassVar[list[BindingType]] = [key("enter", "take", "take it", "Apply the marked ones.", "switches.take")]

    def __init__(self, title: str, options: Sequence[Option], switched_on: frozenset[Hashable]):
        super().__init__()
        self._title = title
        self._options = options
        self._on = switched_on

    def heading(self) -> str:
        return self._title

    def parts(self) -> Sequence[Widget]:
        return [Table((NAME, MEANING), _cell, lambda option: option.key, can_mark=True, id="options")]

    def answers(self) -> list[tuple[str, str]]:
        return [("␣", "on or off"), ("⏎", "take it"), ("Esc", "cancel")]

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.marked = set(self._on)
        table.show(self._options)
        table.styles.height = min(len(self._options), self.app.size.height - FRAME_LINES)
        table.focus()

    @on(Table.Chosen)
    def action_take(self) -> None:
        self.dismiss(frozenset(self.query_one(Table).marked))
