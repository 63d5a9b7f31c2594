"""Lines of a log: wrapped, errors marked, and followed at their end as long as nobody scrolls away from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from textual.message import Message

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.services.browse.log_reader import MOST_LINES
from tui.widgets.page import Page

GUTTER = 2
MOST_INDENT = 0.5  # of the width: what is set further to the right would be a narrow column
ERROR, CHOSEN = "✗ ", "▸ "
NO_MARK = ""
# All lines that a log keeps, and room for those that a filter or a mark leaves behind.
MOST_KEPT = MOST_LINES + 1000


@dataclass(frozen=True)
class LogLine:
    """A line as it was written.

    Attributes:
        block: which error it belongs to, if any.
    """

    text: str
    block: int | None = None


class LogLines(Page):
    """The lines to show, redrawn when they change."""

    class FollowingChanged(Message):
        """The end is followed, or no longer."""

    def __init__(self, id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(self._rows, id=id)
        self.is_following = True
        self.chosen: int | None = None  # the error that the last jump went to
        self._found: LogLine | None = None  # the line that was gone to
        self._is_to_go = False  # there, as soon as it can be scrolled to
        self._log_lines: Sequence[LogLine] = ()
        self._remark = ""
        self._first_rows: list[int] = []
        # A log that grows by a line is drawn by wrapping that line.
        self._rows_of = lru_cache(maxsize=MOST_KEPT)(rows_of)

    def show_log(self, lines: Sequence[LogLine], remark: str = "") -> None:
        """Replace the lines.

        Args:
            remark: a sentence before the first line.
        """
        self._log_lines, self._remark = lines, remark
        self._show_rows()

    def _show_rows(self) -> None:
        self.show(self._rows)
        if self.is_following:
            self.call_after_refresh(self._go_to_end)

    def on_resize(self) -> None:
        self.call_after_refresh(self._go_to_end)

    def watch_show_vertical_scrollbar(self) -> None:
        """Textual scrolls nothing before the scroll bar is there, which may be after the lines are."""
        self.call_after_refresh(self._go_to_end)

    def _go_to_end(self) -> None:
        if self.is_following:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        elif self._is_to_go:
            index = next((index for index, each in enumerate(self._log_lines) if each is self._found), None)
            self._is_to_go = index is not None and not self._go_to(index)

    def go_to_line(self, index: int) -> None:
        """Mark a line and show it, as soon as there is room for any."""
        self._found, self._is_to_go = self._log_lines[index] if index < len(self._log_lines) else None, True
        self.follow(False)
        self._show_rows()
        self.call_after_refresh(self._go_to_end)

    def _go_to(self, index: int) -> bool:
        """Whether a line could be scrolled to; a little of what came before it stays in sight."""
        if index >= len(self._first_rows):
            return False
        wanted = max(self._first_rows[index] - self.size.height // 4, 0)
        self.scroll_to(y=wanted, animate=False, immediate=True)
        return round(self.scroll_y) == min(wanted, self.max_scroll_y) and bool(self.max_scroll_y or not wanted)

    def follow(self, is_following: bool) -> None:
        """Go to the end and stay there, or stay here."""
        if is_following != self.is_following:
            self.is_following = is_following
            self.post_message(self.FollowingChanged())
        self._go_to_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.follow(round(new_value) >= self.max_scroll_y)

    def go_to_error(self, direction: int) -> str:
        """Show the next error or the one before, round and round; which of how many, empty where there is none."""
        blocks = list(dict.fromkeys(each.block for each in self._log_lines if each.block is not None))
        if not blocks:
            return ""
        if self.chosen in blocks:
            place = (blocks.index(self.chosen) + direction) % len(blocks)
        else:
            place = 0 if direction > 0 else len(blocks) - 1
        self.chosen = blocks[place]
        index = next(index for index, each in enumerate(self._log_lines) if each.block == self.chosen)
        self.follow(False)
        self._show_rows()
        self._go_to(index)
        return f"error {place + 1} of {len(blocks)}"

    def _rows(self, width: int) -> list[Line]:
        rows: list[Line] = [line(Span(part, "dim")) for part in wrapped(self._remark, width)] if self._remark else []
        self._first_rows = []
        before: int | None = None
        room = max(width - GUTTER, 1)
        for each in self._log_lines:
            self._first_rows.append(len(rows))
            mark = ERROR if each.block is not None and each.block != before else NO_MARK
            if mark and each.block == self.chosen:
                mark = CHOSEN
            if each is self._found:
                mark = CHOSEN
            before = each.block
            rows += self._rows_of(each.text, room, mark, "" if each.block is None else "bad")
        return rows


def rows_of(text: str, width: int, mark: str, style: str) -> list[Line]:
    """A line of a log, made safe, in rows of a width, its mark before the first."""
    first, *rest = _parts(safe_text(text), width)
    begin = Span(mark.ljust(GUTTER), "mark" if mark == CHOSEN else style)
    return [(begin, Span(first, style)), *((Span(" " * GUTTER, style), Span(part, style)) for part in rest)]


def _parts(text: str, width: int) -> list[str]:
    """A line of a log in lines of a width, its indentation kept."""
    if len(text) <= width and text.isascii():
        return [text]
    stripped = text.lstrip(" ")
    indent = " " * min(len(text) - len(stripped), int(width * MOST_INDENT))
    return [indent + part for part in wrapped(stripped, width - len(indent))]
