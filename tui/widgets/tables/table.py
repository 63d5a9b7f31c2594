"""A table that draws only the rows on screen: 10,000 of them cost what 40 do.

Textual's DataTable takes 1 to 2 s for the first layout of 10,000 rows, so this is one of our own on its line API.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bertmt.drawing.styled import Line, Span, cut, pad
from tui.bindings import key, movement_keys
from tui.host import host_of
from tui.plain.words import in_words
from tui.widgets.changed_lines import changed_regions
from tui.widgets.styled_lines import NOTHING, background_only, strip_of, styles_of
from tui.widgets.tables.columns import GAP, Column, Placed, Spanning, place, spoken
from tui.widgets.tables.marking import MARK, MARK_ACTIONS, MARK_KEYS, Marking, gutter, mark_span
from tui.widgets.tables.messages import OfColumn, OfRow
from tui.widgets.tables.placing import Placing
from tui.widgets.tables.strips import KeptStrips

R = TypeVar("R")
MOST_ROWS_TO_SEND = 27  # where each moves by one, 3 KB; a list of more rows goes on by half of its height


class Table(ScrollView, Generic[R], can_focus=True):
    """Rows of any kind over columns, with a cursor and marks.

    Args:
        columns: in the order in which they are shown.
        cell: the text of a row in a column, its text safe; a `Spanning` one takes the rest of the row.
        key_of: what tells a row from others; the cursor and the marks stay with it when rows change.
        can_mark: whether Space marks rows.
        marks_of: the keys that marking a row marks, if not its own; it is marked where all of them are.
        mark_of: how a marked row is told from others.
    """

    DEFAULT_CSS = """
    Table { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; height: 1fr; }
    Table .table--cursor { background: $block-cursor-background; }
    Table .table--blurred { background: $block-cursor-blurred-background; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--cursor", "table--blurred"}
    BINDINGS: ClassVar[list[BindingType]] = [
        *movement_keys("table", "Move the cursor", "row"),
        key("enter", "choose", "open", "Open what the cursor is on.", "table.choose", shown=True, display="⏎"),
        *MARK_KEYS,
    ]

    cursor: reactive[int] = reactive(0, repaint=False)  # only two lines change with it

    class Moved(OfRow):
        """The cursor came to another row, or the row that it is on was replaced."""

    class Chosen(Moved):
        """Enter was pressed on a row, or it was clicked twice."""

    class Marked(Moved):
        """The marks changed."""

    class TitleClicked(OfColumn):
        """A column's title was clicked."""

    def __init__(
        self,
        columns: Sequence[Column],
        cell: Callable[[R, Column], Span],
        key_of: Callable[[R], Hashable],
        can_mark: bool = False,
        marks_of: Callable[[R], Collection[Hashable]] | None = None,
        mark_of: Callable[[R], Span] = lambda row: Span(MARK, "mark"),
        id: str | None = None,  # noqa: A002 - Textual's own word
    ):
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.rows: Sequence[R] = ()
        self.is_whole = asyncio.Event()  # not set while more rows are being read: what is about all of them waits
        self.is_whole.set()
        self.marking: Marking[R] = Marking(marks_of or (lambda row: (key_of(row),)))
        self._on_screen: dict[int, tuple[Line, bool]] = {}  # by line, as it was drawn last
        # Rows as lines, until all is drawn again: a list that moves by a row would make those of all others anew.
        self._made: dict[tuple[Hashable, bool], tuple[R, Line]] = {}
        self._strips = KeptStrips()
        self._placed: tuple[tuple[Sequence[Column], int], list[Placed]] | None = None
        self.sorted_by = ""  # a field, "-" before it downwards
        self._cell = spoken(cell)
        self._key_of = key_of
        self._can_mark = can_mark
        self._mark_of = mark_of
        self.mark_word = "marked" if can_mark else ""  # where signs are words

    @property
    def marked(self) -> set[Any]:
        """The keys that are marked; screens share one set, whose type is theirs."""
        return self.marking.marked

    @marked.setter
    def marked(self, keys: set[Any]) -> None:
        self.marking.marked = keys

    def show(self, rows: Sequence[R]) -> None:
        """Replace the rows; the cursor stays on its row, or at its place where that is gone."""
        kept = self._key_of(self.rows[self.cursor]) if self.current is not None else None
        self.rows = rows
        self._made.clear()
        self._strips.clear()
        self.virtual_size = Size(self.size.width, len(rows) + self._top)
        place_now = min(self.cursor, max(len(rows) - 1, 0))
        if kept is not None and not (rows and self._key_of(rows[place_now]) == kept):
            found = self._place_of(kept)
            place_now = place_now if found is None else found
        if place_now == self.cursor:
            self.post_message(self.Moved(self, self.current))
        self.cursor = place_now
        self._refresh_changed()

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Replace the columns."""
        self.columns = tuple(columns)
        self.virtual_size = Size(self.size.width, len(self.rows) + self._top)
        self.refresh()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw again; where no regions are named, rows too may look different."""
        if not regions:
            self._made.clear()
            self._strips.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def redraw(self, *rows: R) -> None:
        """What the cells of these rows say has changed, though the rows are the same; of none: of all."""
        for known in [(self._key_of(row), marked) for row in rows for marked in (True, False)] or list(self._made):
            self._made.pop(known, None)
        self._refresh_changed()

    @property
    def rows_in_sight(self) -> Sequence[R]:
        """The rows that are on screen."""
        first = round(self.scroll_y)
        return self.rows[first : first + self._rows_on_screen()]

    @property
    def _top(self) -> int:
        """Lines of titles."""
        return int(any(column.heading for column in self.columns))

    @property
    def _gutter(self) -> int:
        """Cells of a mark, and a space."""
        return gutter(self.mark_word)

    def go_to(self, row_key: Hashable) -> bool:
        """Put the cursor on the row of that key; False where there is none."""
        found = self._place_of(row_key)
        if found is not None:
            self.cursor = found
        return found is not None

    def _place_of(self, row_key: Hashable) -> int | None:
        if isinstance(self.rows, Placing):
            return self.rows.place_of(row_key)
        return next((index for index, row in enumerate(self.rows) if self._key_of(row) == row_key), None)

    @property
    def current(self) -> R | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def marked_rows(self) -> list[R]:
        """The marked rows that are shown, in their order."""
        return [row for row in self.rows if self.marking.holds(row)] if self.marked else []

    def chosen_rows(self) -> list[R]:
        """What an action is about: the marked rows, or the one under the cursor."""
        current = [] if self.current is None else [self.current]
        return self.marked_rows() or current

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_cursor(self) -> None:
        self._keep_cursor_in_sight()
        self._refresh_changed()
        self.post_message(self.Moved(self, self.current))

    def on_focus(self) -> None:
        self.refresh()  # the cursor is bright where keys go

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + self._top)
        self._keep_cursor_in_sight()

    def _keep_cursor_in_sight(self) -> None:
        height, top = self._rows_on_screen(), round(self.scroll_y)
        half = height // 2 if height > MOST_ROWS_TO_SEND else 0
        if self.cursor < top:
            self.scroll_to(y=self.cursor - half, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - (half or height - 1), animate=False, immediate=True)

    def _rows_on_screen(self) -> int:
        return max(1, self.size.height - self._top)

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_first(self) -> None:
        self.cursor = 0

    async def action_last(self) -> None:
        await self.is_whole.wait()
        self.cursor = len(self.rows) - 1

    def action_page(self, pages: float) -> None:
        self.cursor += round(pages * self._rows_on_screen())

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def action_mark(self) -> None:
        if self.current is not None:
            self.marking.turn(self.current, self._key_of(self.current))
            self.cursor += 1
            self._say_marked()

    def action_extend(self, rows: int) -> None:
        self._extend_to(self.cursor + rows)

    def _extend_to(self, place: int) -> None:
        """Mark from where the first of these steps began to where the cursor goes; back, and it is less again."""
        if self.current is not None:
            self.marking.extend_from(self._key_of(self.current))
            self.cursor = place
            self._draw_range()

    async def action_mark_range(self) -> None:
        await self.is_whole.wait()
        if self.current is None or not self._draw_range():
            host_of(self).notify("The range begins at the last mark: mark a row with the space bar first.")

    def _draw_range(self) -> bool:
        """Mark all between the range's beginning and the cursor; False where it has none among the rows."""
        begin = None if self.marking.anchor is None else self._place_of(self.marking.anchor)
        current = self.current
        if begin is None or current is None:
            return False
        if self.marking.end is None:
            self.marking.begin_range(self.marking.anchor)
        rows = self.rows[min(begin, self.cursor) : max(begin, self.cursor) + 1]
        self.marking.draw_range(rows, self._key_of(current))
        self._say_marked()
        return True

    async def action_mark_all(self) -> None:
        await self.is_whole.wait()
        self.marking.take_all(self.rows)
        self._say_marked()

    async def action_invert(self) -> None:
        await self.is_whole.wait()
        self.marking.invert(self.rows)
        self._say_marked()

    def action_unmark(self) -> None:
        if not self.marked:
            host_of(self).notify("Nothing is marked.")
        self.unmark()

    def unmark(self) -> None:
        """Unmark all."""
        self.marking.clear()
        self._say_marked()

    def _say_marked(self) -> None:
        self._refresh_changed()
        self.post_message(self.Marked(self, self.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of marks are keys of the table only where rows can be marked."""
        return self._can_mark if action in MARK_ACTIONS else True

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self._top:
            x = offset.x - self._gutter
            hit = next((each for each in self.placed if each.start <= x < each.start + each.width + GAP), None)
            if hit is not None:
                self.post_message(self.TitleClicked(self, hit.column))
            return
        index = round(self.scroll_y) + offset.y - self._top
        if index < len(self.rows) and event.shift and self._can_mark:
            self._extend_to(index)
        elif index < len(self.rows):
            self.cursor = index
            if event.chain == 2:
                self.action_choose()
            elif self._can_mark and offset.x < self._gutter:
                self.action_mark()

    def render_line(self, y: int) -> Strip:
        text, is_current = self._on_screen[y] = self._content(y)
        styles, width = styles_of(self), self.scrollable_content_region.width
        if is_current or y < self._top:
            return strip_of(text, styles, width, self._cursor_style() if is_current else NOTHING)
        return self._strips.of(text, styles, width)

    def _content(self, y: int) -> tuple[Line, bool]:
        """What belongs on a line of the screen, and whether the cursor is on it."""
        if y < self._top:
            return self._titles(), False
        index = round(self.scroll_y) + y - self._top
        if index >= len(self.rows):
            return (), False
        return self._line_of(self.rows[index]), index == self.cursor

    def _line_of(self, row: R) -> Line:
        """The row's line, made once."""
        known = self._key_of(row), self.marking.holds(row)
        made = self._made.get(known)
        if made is None or made[0] is not row:
            made = self._made[known] = row, self._row_line(row)
        return made[1]

    def _refresh_changed(self) -> None:
        """Draw the lines again that are not what was drawn last."""
        count = self.size.height
        before = [self._on_screen.get(y) for y in range(count)]
        regions = changed_regions(before, [self._content(y) for y in range(count)], self.size.width)
        if regions:
            self.refresh(*regions)

    def _cursor_style(self) -> Style:
        """Under the row of the cursor: a background where there are colours of ours, else reversed."""
        if in_words():  # a screen reader follows the terminal's own cursor, and reads again what is coloured anew
            return NOTHING
        if self.app.no_color or self.app.current_theme.ansi:
            return Style(reverse=True, dim=not self.has_focus)
        return background_only(self.get_component_rich_style("table--cursor" if self.has_focus else "table--blurred"))

    def cell_region(self, key: str) -> Region | None:
        """Where the cursor's row has the column of that key, within the table; None where it is out of sight."""
        y = self.cursor - round(self.scroll_y) + self._top
        found = next((each for each in self.placed if each.column.key == key), None)
        if found is None or not self._top <= y < self._top + self._rows_on_screen():
            return None
        return Region(self._gutter + found.start, y, found.width, 1)

    @property
    def cursor_row(self) -> int | None:
        """The line of the terminal that the cursor is on; None where there are no rows."""
        y = self.cursor - round(self.scroll_y) + self._top
        return self.content_region.y + y if self.current is not None else None

    @property
    def placed(self) -> list[Placed]:
        """The columns that there is room for, where they stand."""
        asked = self.columns, self.scrollable_content_region.width - self._gutter
        if self._placed is None or self._placed[0] != asked:
            self._placed = asked, place(*asked)
            self._made.clear()
        return self._placed[1]

    def _titles(self) -> Line:
        spans = [Span(" " * self._gutter)]
        field, arrow = self.sorted_by.removeprefix("-"), "▾" if self.sorted_by.startswith("-") else "▴"
        for each in self.placed:
            is_sorted = bool(field) and each.column.field == field
            title = cut(each.column.heading, each.width - is_sorted) + arrow * is_sorted
            spans.append(Span(pad(title, each.width, each.column.right) + " " * GAP, "accent" if is_sorted else "dim"))
        return tuple(spans)

    def _row_line(self, row: R) -> Line:
        mark = mark_span(self._mark_of(row), self.mark_word) if self.marking.holds(row) else Span("")
        spans = [Span(pad(mark.text, self._gutter), mark.style)]
        width = self.scrollable_content_region.width - self._gutter
        for each in self.placed:
            cell = self._cell(row, each.column)
            if isinstance(cell, Spanning):
                return (*spans, Span(cut(cell.text, width - each.start), cell.style))
            spans.append(Span(pad(cell.text, each.width, each.column.right, each.column.is_name), cell.style))
            spans.append(Span(" " * GAP))
        return tuple(spans)
