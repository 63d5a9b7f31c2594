"""Curves on a grid of dots, and the dots as characters: braille, or one ASCII symbol per series.

Everything per point happens in numpy: 500,000 points cost some 20 milliseconds, and a Python loop only ever sees the
pieces of text of one row.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from bertmt.drawing.looks import Look
from bertmt.drawing.styled import PLAIN, Line, Span

# Unicode 2800 is the empty pattern; bits of the dots by row and column of a cell (Unicode chapter 21).
BRAILLE = 0x2800
BRAILLE_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
ASCII_BITS = ((0x01,),)  # one dot in one cell
FAINT_SYMBOL = "."
THIN = 0x21  # of the eight dots of a cell, the two that are left of what is drawn thinly


def column_ranges(
    steps: np.ndarray, values: np.ndarray, first: float, last: float, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest value of the curve in each column of dots; NaN where there is no curve.

    The curve is the polyline through the points, so its value where it crosses from one column into the next
    counts for both: lines stay connected where points are few, and every spike is kept where they are many. What
    lies outside `first` and `last` is cut off there. A missing value breaks the line on both its sides.

    Args:
        steps: ascending and finite; shape (n,), as `values`, which are finite or NaN.
    """
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    if not last > first:
        here = values[steps == first]
        low[columns // 2], high[columns // 2] = (
            np.fmin.reduce(here, initial=np.nan),
            np.fmax.reduce(here, initial=np.nan),
        )
        return low, high
    edges = np.linspace(first, last, columns + 1)
    right = np.searchsorted(steps, edges)
    starts = right.copy()
    starts[-1] = np.searchsorted(steps, last, side="right")  # the last column has its right edge, too
    filled = np.flatnonzero(starts[1:] > starts[:-1])
    if len(filled):
        visible = values[: starts[-1]]
        low[filled] = np.fmin.reduceat(visible, starts[filled])
        high[filled] = np.fmax.reduceat(visible, starts[filled])
    crossed = np.flatnonzero((right > 0) & (right < len(steps)))
    after = right[crossed]
    before = after - 1
    share = (edges[crossed] - steps[before]) / (steps[after] - steps[before])
    crossing = np.full(columns + 1, np.nan)
    crossing[crossed] = values[before] + share * (values[after] - values[before])
    for side in (crossing[:-1], crossing[1:]):
        np.fmin(low, side, out=low)
        np.fmax(high, side, out=high)
    return low, high


class Canvas:
    """A grid of cells, onto which curves, rules and single characters are drawn; the earlier wins.

    Attributes:
        dot_rows, dot_columns: how many dots the grid has.
    """

    def __init__(self, rows: int, columns: int, ascii_only: bool) -> None:
        bits = ASCII_BITS if ascii_only else BRAILLE_BITS
        self.rows, self.columns, self.ascii_only = rows, columns, ascii_only
        self.dot_rows, self.dot_columns = rows * len(bits), columns * len(bits[0])
        self._bits = bits
        # Columns come first: a curve's dots are looked up column by column.
        self._codes = np.full((columns, rows), ord(" "), dtype="<u4")
        self._style = np.zeros((columns, rows), dtype=np.int16)  # index into `_styles`
        self._styles = [PLAIN]

    @staticmethod
    def dots_of(rows: int, ascii_only: bool) -> int:
        """How many rows of dots so many rows of cells have."""
        return rows * len(ASCII_BITS if ascii_only else BRAILLE_BITS)

    def draw(
        self,
        low: np.ndarray,
        high: np.ndarray,
        bottom: float,
        top: float,
        looks: Sequence[Look],
        thinly: bool = False,
    ) -> None:
        """Curves from `low` to `high` in each column of dots, into cells that are still empty.

        A cell shows the dots of all these curves in the look of the one with the most dots in it, the earlier
        where equal.

        Args:
            low, high: shapes (curves, dot_columns), NaN where there is no curve.
            thinly: few of the dots alone, as behind a curve.
        """
        if not looks:
            return
        bits = np.zeros((self.columns, self.rows), dtype=np.uint8)
        most = np.zeros_like(bits)
        owner = np.full(bits.shape, -1, dtype=np.int16)
        upper, end = self._dot_ranges(low, high, bottom, top)
        for index in range(len(looks)):
            dots = self._cells_of(upper[index], end[index])
            if thinly and not self.ascii_only:
                dots &= np.uint8(THIN)
            count = np.bitwise_count(dots)
            np.copyto(owner, index, where=count > most)
            np.maximum(most, count, out=most)
            np.bitwise_or(bits, dots, out=bits)
        self._fill(owner >= 0, bits, owner, looks)

    def scatter(self, row: np.ndarray, column: np.ndarray, looks: Sequence[Look]) -> None:
        """Single dots into cells that are still empty; a cell with 2^k points or more has the look k.

        Args:
            row, column: of dots, from the top left; shapes (points,).
        """
        if not len(row):
            return
        down, right = len(self._bits), len(self._bits[0])
        cell = (column // right, row // down)
        bits = np.zeros((self.columns, self.rows), dtype=np.uint8)
        count = np.zeros(bits.shape, dtype=np.int64)
        np.bitwise_or.at(bits, cell, np.array(self._bits, dtype=np.uint8)[row % down, column % right])
        np.add.at(count, cell, 1)
        level = np.minimum(np.log2(np.maximum(count, 1)).astype(np.intp), len(looks) - 1)
        self._fill(count > 0, bits, level, looks)

    def put(self, row: int, column: int, character: str, style: str) -> None:
        """One character in place of whatever is there."""
        self._codes[column, row] = ord(character)
        self._style[column, row] = self._index_of(style)

    def grid(self, rows: Iterable[int], style: str) -> None:
        """Light horizontal rules where nothing is yet."""
        for row in rows:
            empty = self._codes[:, row] == ord(" ")
            self._codes[empty, row] = ord("┈")
            self._style[empty, row] = self._index_of(style)

    def rule(self, column: int, style: str) -> None:
        """A vertical rule where nothing is yet."""
        empty = self._codes[column] == ord(" ")
        self._codes[column, empty] = ord("│")
        self._style[column, empty] = self._index_of(style)

    def lines(self) -> list[Line]:
        """The rows of the grid, cut where the style changes."""
        styles = np.ascontiguousarray(self._style.T)
        text = np.ascontiguousarray(self._codes.T).tobytes().decode("utf-32-le")
        change = np.ones(styles.shape, dtype=bool)
        np.not_equal(styles[:, 1:], styles[:, :-1], out=change[:, 1:])
        starts = np.flatnonzero(change)
        names = [self._styles[index] for index in styles.ravel()[starts].tolist()]
        cuts = [*starts.tolist(), len(text)]
        spans = [Span(text[cuts[i] : cuts[i + 1]], name) for i, name in enumerate(names)]
        firsts = [0, *np.cumsum(change.sum(axis=1)).tolist()]
        return [tuple(spans[firsts[row] : firsts[row + 1]]) for row in range(self.rows)]

    def _dot_ranges(
        self, low: np.ndarray, high: np.ndarray, bottom: float, top: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The first row of dots of each range, and the row behind its last; nothing is the range (rows, 0)."""
        drawn = np.isfinite(low)
        scale = (self.dot_rows - 1) / (top - bottom)
        upper = np.rint((top - np.where(drawn, high, top)) * scale)
        lower = np.rint((top - np.where(drawn, low, top)) * scale)
        upper, lower = (np.clip(each, 0, self.dot_rows - 1).astype(np.intp) for each in (upper, lower))
        return np.where(drawn, upper, self.dot_rows), np.where(drawn, lower + 1, 0)

    def _cells_of(self, upper: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The dots of one curve as bits of cells; shape (columns, rows)."""
        below, above = _filled(self.rows, self._bits)
        width = len(self._bits[0])
        dots: np.ndarray = below[0].take(upper[::width], axis=0) & above[0].take(end[::width], axis=0)
        for place in range(1, width):
            dots |= below[place].take(upper[place::width], axis=0) & above[place].take(end[place::width], axis=0)
        return dots

    def _fill(self, where: np.ndarray, bits: np.ndarray, owner: np.ndarray, looks: Sequence[Look]) -> None:
        """Cells that are still empty get the bits of their dots, or their owner's mark, in their owner's style."""
        empty = where & (self._codes == ord(" "))
        marks = np.array([ord(look.mark) for look in looks], dtype="<u4")
        styles = np.array([self._index_of(look.style) for look in looks], dtype=np.int16)
        np.copyto(self._codes, marks[owner] if self.ascii_only else bits + np.uint32(BRAILLE), where=empty)
        np.copyto(self._style, styles[owner], where=empty)

    def _index_of(self, style: str) -> int:
        if style not in self._styles:
            self._styles.append(style)
        return self._styles.index(style)


@lru_cache(maxsize=16)
def _filled(rows: int, bits: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each column of dots in a cell, the bits of a column of cells whose dots from a row on, or up to one, are set.

    A curve covers the rows from `upper` to before `end` of a column of dots: below[place, upper] & above[place, end].
    Both have the shape (columns of dots in a cell, rows of dots + 1, rows of cells).
    """
    down = len(bits)
    row = np.arange(rows * down)
    start = np.arange(rows * down + 1)[:, None]
    places = np.tile(np.array(bits, dtype=np.uint8), (rows, 1)).T  # bit of each dot; (columns in a cell, dot rows)
    below, above = (
        (covered * places[:, None, :]).reshape(len(places), len(start), rows, down).sum(axis=3, dtype=np.uint8)
        for covered in (row >= start, row < start)
    )
    return below, above
