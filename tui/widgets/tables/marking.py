"""Which rows of a table are marked: one by one, all, all but these, or from one to another."""

from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any, Generic, TypeVar

from bertmt.drawing.styled import Span
from tui.bindings import key
from tui.plain.words import in_words

R = TypeVar("R")
MARK = "◆"
MARK_ACTIONS = {"mark", "extend", "mark_range", "mark_all", "invert", "unmark"}
MARK_KEYS = (
    key("space", "mark", "mark", "Mark or unmark the row, and go to the next.", "table.mark", True, "␣"),
    key("shift+down", "extend(1)", "mark down", "Mark from here downwards.", "marks.down"),
    key("shift+up", "extend(-1)", "mark up", "Mark from here upwards.", "marks.up"),
    key("V", "mark_range", "mark range", "Mark all from the last mark to here.", "marks.range"),
    key("A", "mark_all", "mark all", "Mark all that is listed.", "marks.all"),
    key("I", "invert", "invert marks", "Mark what is not marked, of all that is listed.", "marks.invert"),
    key("U", "unmark", "unmark", "Unmark all.", "runs.unmark"),
)


def mark_span(sign: Span, word: str) -> Span:
    """The sign before a marked row, or that word where signs are words."""
    return Span(word, "mark") if in_words() else sign


def gutter(word: str) -> int:
    """Cells of a mark, and a space; none where signs are words and there is none."""
    mark = word if in_words() else MARK
    return len(f"{mark} ") if mark else 0


class Marking(Generic[R]):
    """The keys that are marked, and the range that is being marked.

    The set is changed in place: whoever shares it knows at once.

    Args:
        marks_of: the keys that marking a row marks; it is marked where all of them are.

    Attributes:
        anchor: the key of the row at which a range begins; None before the first mark.
        end: of the row to which the range was drawn last; None where something else was done since.
    """

    def __init__(self, marks_of: Callable[[R], Collection[Hashable]]):
        self.marked: set[Any] = set()
        self.anchor: Hashable | None = None
        self.end: Hashable | None = None
        self._marks_of = marks_of
        self._before: set[Any] = set()

    def holds(self, row: R) -> bool:
        """Whether a row is marked."""
        return bool(self.marked) and self.marked.issuperset(self._marks_of(row))

    def turn(self, row: R, key: Hashable) -> None:
        """Mark a row or unmark it; the next range begins there."""
        if self.holds(row):
            self.marked.difference_update(self._marks_of(row))
        else:
            self.marked.update(self._marks_of(row))
        self.anchor, self.end = key, None

    def take_all(self, rows: Iterable[R]) -> None:
        """Mark all of these rows."""
        self.marked |= self.keys(rows)
        self.end = None

    def invert(self, rows: Iterable[R]) -> None:
        """Mark those of these rows that are not marked, and only those; rows that are not shown keep theirs."""
        self.marked ^= self.keys(rows)
        self.end = None

    def clear(self) -> None:
        """Mark none, whether shown or not."""
        self.marked.clear()
        self.anchor = self.end = None

    def begin_range(self, key: Hashable) -> None:
        """Let a range begin at a row, beside what is marked."""
        self.anchor, self._before = key, set(self.marked)

    def extend_from(self, key: Hashable) -> None:
        """Let the range that was drawn to a row last go on from there, else begin one there."""
        if key != self.end:
            self.begin_range(key)

    def draw_range(self, rows: Iterable[R], end: Hashable) -> None:
        """Mark the rows from where the range began to its end, in place of those that it had before."""
        reached = self._before | self.keys(rows)
        self.marked &= reached
        self.marked |= reached
        self.end = end

    def keys(self, rows: Iterable[R]) -> set[Any]:
        """What marking all of these rows marks."""
        return {key for row in rows for key in self._marks_of(row)}
