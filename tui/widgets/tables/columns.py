"""The columns of a table, and which of them a width has room for."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TypeVar

from bertmt.drawing.styled import Span, cells
from tui.plain.words import in_words, said, said_cell

R = TypeVar("R")
GAP = 1
# Cells of a table from which on there is room for more than the essential: those of a terminal of 120 columns without
# its frame (2), its gutter (2) and a scroll bar (1), so that a list keeps its columns when it grows beyond the screen.
WIDE = 115


class Spanning(Span):
    """A cell that takes all that is left of its row."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        width: in cells; of an elastic one at least.
        words: cells where signs are words.
        is_drawn: a picture; left out where signs are words.
        is_name: cut in its middle where there is no room for all of it.
        least: what it may shrink to rather than be left out; 0: nothing.
        rank: 1 is kept longest where the table is narrow.
        from_width: of the table, below which the column is left out however much room there is.
        field: what a click on its title sorts by; "" where nothing.
        meaning: one line for the legend.
    """

    key: str
    title: str
    width: int
    _: KW_ONLY
    rank: int
    right: bool = False
    elastic: bool = False
    from_width: int = 0
    field: str = ""
    meaning: str = ""
    least: int = 0
    words: int = 0
    is_drawn: bool = False
    is_name: bool = False

    @property
    def heading(self) -> str:
        """Its title, as it is shown."""
        return said(self.title or (self.key if self.words else "")) if in_words() else self.title

    @property
    def needed(self) -> int:
        """Cells, of an elastic one at least."""
        return max(self.words or self.width, cells(self.heading)) if in_words() else self.width


@dataclass(frozen=True)
class Placed:
    """A column where it stands: its first cell and its width."""

    column: Column
    start: int
    width: int


def spoken(cell: Callable[[R, Column], Span]) -> Callable[[R, Column], Span]:
    """What makes cells, in words where signs are words."""
    if not in_words():
        return cell

    def in_their_words(row: R, column: Column) -> Span:
        drawn = cell(row, column)
        return type(drawn)(said_cell(drawn.text), drawn.style)

    return in_their_words


def place(columns: Sequence[Column], width: int) -> list[Placed]:
    """The columns that fit into so many cells, in order; the highest ranks go first, elastic ones take the rest."""
    room = width + GAP
    kept: dict[str, int] = {}
    for column in sorted(columns, key=lambda each: each.rank):
        if column.is_drawn and in_words():
            continue
        needed = min(column.needed, max(room - GAP, column.least)) if column.least else column.needed
        if width >= column.from_width and needed + GAP <= room:
            kept[column.key] = needed
            room -= needed + GAP
    shown = [column for column in columns if column.key in kept]
    elastic = [column for column in shown if column.elastic]
    placed: list[Placed] = []
    start = 0
    for column in shown:
        more = room // len(elastic) + (column is elastic[0]) * (room % len(elastic)) if column.elastic else 0
        placed.append(Placed(column, start, kept[column.key] + more))
        start += kept[column.key] + more + GAP
    return placed
