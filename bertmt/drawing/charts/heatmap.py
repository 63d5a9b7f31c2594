"""A confusion matrix as lines: always the number, shaded by its share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bertmt.drawing.numbers import count, percentage
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import PLAIN, SHADES, Line, Span, cells, cut, line, pad, plain

Shown = Literal["counts", "rows", "columns"]
LONGEST_LABEL = 20
LEAST_LABEL, LEAST_NUMBER = 3, 5
LABEL_OF_PART = 14  # cells that names of classes have where not all columns fit anyway
CORNER = "true \\ predicted"
RATES_WIDTH = 19
POINTER = "◂"  # behind the text of the cell that the cursor is on, for terminals without colour

Cell = tuple[int, int]  # true class, predicted class
_NUMBER = re.compile(r" *(\d+)")


@dataclass(frozen=True)
class View:
    """The part of a large matrix that is looked at: its rows and columns about a cell, in pages.

    Attributes:
        rows: how many there is room for.
    """

    around: Cell
    rows: int


def draw_confusion(
    matrix: np.ndarray,
    classes: Sequence[str],
    shown: Shown = "counts",
    cell: Cell | None = None,
    width: int | None = None,
    view: View | None = None,
) -> list[Line]:
    """A confusion matrix; rows are the true classes, columns the predicted ones.

    Args:
        matrix: counts, shape (k, k).
        classes: names of the k classes; the columns carry their numbers.
        shown: counts, percentages of the row (of what is true, how much was found) or of the column (of what was
            predicted, how much is true). The shade is the share of the row, for columns that of the column.
        cell: where a cursor is shown.
        width: cells that the table should fit; where it does not, totals go and labels are cut. Columns that are still
            too many stand in several tables, one below the other.
        view: of these, the one about a cell alone, and of its rows those there is room for.
    """
    matrix = np.asarray(matrix)
    _check(matrix, classes)
    totals = matrix.sum(axis=0, keepdims=True) if shown == "columns" else matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, where=totals > 0, out=np.full(matrix.shape, np.nan))
    texts, rounded = (
        [[count(value) for value in row] for row in matrix.tolist()]
        if shown == "counts"
        else [[percentage(share, digits) for share in row] for row in shares.tolist()]
        for digits in (1, 0)
    )
    styles = [[_shade(share) for share in row] for row in shares.tolist()]
    totals_of_rows, totals_of_columns = ([count(total) for total in matrix.sum(axis=axis).tolist()] for axis in (1, 0))
    whole = range(len(classes))
    table = _Table(texts, styles, classes, totals_of_rows, totals_of_columns, whole, whole)
    return _fitting(table, replace(table, texts=rounded, row_totals=[]), cell, width, view)


def draw_confusion_difference(
    matrix: np.ndarray,
    other: np.ndarray,
    classes: Sequence[str],
    cell: Cell | None = None,
    width: int | None = None,
    view: View | None = None,
) -> list[Line]:
    """Counts of `matrix` less those of `other` (the run compared with), good where that is an improvement.

    More on the diagonal is good, more beside it is bad. The rest is as for `draw_confusion`.
    """
    matrix, other = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    _check(matrix, classes)
    _check(other, classes)
    change = matrix - other
    texts = [[("+" if value > 0 else "") + count(value) for value in row] for row in change.tolist()]
    styles = [
        ["dim" if not value else ("good" if (value > 0) == (i == j) else "bad") for j, value in enumerate(row)]
        for i, row in enumerate(change.tolist())
    ]
    whole = range(len(classes))
    table = _Table(texts, styles, classes, [], [], whole, whole)
    return _fitting(table, table, cell, width, view)


def with_rates(lines: Sequence[Line], matrix: np.ndarray, width: int) -> list[Line]:
    """The lines of `draw_confusion` with each class's recall and precision at their right, where there is room.

    Recall is the share of what is truly of the class that was found, precision the share of what was taken for it
    that is.
    """
    matrix = np.asarray(matrix)
    if max(cells(plain(each)) for each in lines) + RATES_WIDTH > width:
        return list(lines)
    hits = np.diagonal(matrix).astype(np.float64)
    rates = [
        np.divide(hits, totals, where=totals > 0, out=np.full(len(hits), np.nan))
        for totals in (matrix.sum(axis=1), matrix.sum(axis=0))
    ]
    texts = [f"{percentage(each):>8}{percentage(other):>11}" for each, other in zip(*rates, strict=True)]
    rows = [_number(each[0]) for each in lines[1:]]
    beside = ["  recall  precision", *("" if row is None else texts[row] for row in rows)]
    return [line(*each, Span(text, "dim")) for each, text in zip(lines, beside, strict=True)]


def cell_at(lines: Sequence[Line], classes: int, x: int, y: int) -> Cell | None:
    """Which cell of a drawn matrix of so many classes is at a column and a line of the drawing; None beside them."""
    if not 1 <= y <= min(classes, len(lines) - 1):
        return None
    ends = np.cumsum([cells(span.text) for span in lines[y]])
    index = int(np.searchsorted(ends, x, side="right"))
    true, predicted = _number(lines[y][0]), _number(lines[0][index]) if 1 <= index < len(lines[0]) else None
    return None if true is None or predicted is None else (true, predicted)


def drawn_classes(lines: Sequence[Line]) -> tuple[list[int], list[int]]:
    """The true and the predicted classes of a table that was drawn."""
    true = [_number(each[0]) for each in lines[1:]]
    predicted = map(_number, lines[0][1:])
    return [each for each in true if each is not None], [each for each in predicted if each is not None]


def _number(label: Span) -> int | None:
    """The class that a label or a head begins with; None of a total's."""
    found = _NUMBER.match(label.text)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class _Table:
    """The text and the style of each cell, and which rows and columns are drawn; no totals where nothing is to be
    added up."""

    texts: list[list[str]]
    styles: list[list[str]]
    classes: Sequence[str]
    row_totals: list[str]
    column_totals: list[str]
    rows: range
    columns: range


def _fitting(table: _Table, compact: _Table, cell: Cell | None, width: int | None, view: View | None) -> list[Line]:
    """The table as it is, or its compact form with cut labels where it would be too wide; in parts where even that
    would be."""
    if view is not None:
        rows = _page(view.around[0], view.rows, len(table.classes))
        table, compact = replace(table, rows=rows), replace(compact, rows=rows)
    lines = _lines(table, LONGEST_LABEL + 2, 2, cell)
    if width is None or cells(plain(lines[0])) <= width:
        return lines
    number, count = _cell_width(compact, 1), len(table.classes)
    least = LEAST_LABEL - 1 + len(str(count - 1))  # the number of a class is never cut
    if width - number * count >= least:
        return _lines(compact, width - number * count - 1, 1, cell)
    fitting = max(1, (width - LABEL_OF_PART) // number)
    label = max(least, width - number * fitting) - 1
    starts = [_page(view.around[1], fitting, count).start] if view else range(0, count, fitting)
    parts = [replace(compact, columns=range(start, min(start + fitting, count))) for start in starts]
    tables = [_lines(part, label, 1, cell) for part in parts]
    return [*tables[0], *(each for more in tables[1:] for each in ((), *more))]


def _page(place: int, size: int, count: int) -> range:
    """The page of so many of `count` things on which a place is; all pages are full."""
    size = max(1, min(size, count))
    start = min(place // size * size, count - size)
    return range(start, start + size)


def _cell_width(table: _Table, room: int) -> int:
    """As wide as the widest number needs, with so many cells around it."""
    everything = [*table.column_totals, *(text for row in table.texts for text in row)]
    return max(LEAST_NUMBER if room > 1 else 0, *(cells(text) for text in everything)) + room


def _lines(table: _Table, longest_label: int, room: int, cell: Cell | None) -> list[Line]:
    """Header, one line per true class and, with totals, a last line and column."""
    names = {index: cut(f"{index} {safe_text(table.classes[index])}", longest_label) for index in table.rows}
    corner = cut(CORNER, longest_label)
    label_width = max(cells(corner), *map(cells, names.values())) + (room == 1)
    cell_width = _cell_width(table, room)
    total_width = max((cells(text) for text in table.row_totals), default=-2) + 2
    heads = [Span(pad(f"{index} ", cell_width, right=True), "axis") for index in table.columns]
    lines = [line(Span(pad(corner, label_width), "dim"), *heads, Span(pad("n", total_width, right=True), "axis"))]
    for index, name in names.items():
        row = [
            Span(pad(text + POINTER, cell_width, right=True), "cursor")
            if cell == (index, column)
            else Span(pad(text + " ", cell_width, right=True), style)
            for column in table.columns
            for text, style in [(table.texts[index][column], table.styles[index][column])]
        ]
        total = Span(pad(table.row_totals[index], total_width, right=True), "dim") if table.row_totals else ""
        lines.append(line(pad(name, label_width), *row, total))
    if table.column_totals:
        below = "".join(
            pad(text + " ", cell_width, right=True) for text in map(table.column_totals.__getitem__, table.columns)
        )
        lines.append(line(Span(pad("n", label_width) + below, "dim")))
    return lines


def _check(matrix: np.ndarray, classes: Sequence[str]) -> None:
    if not classes or matrix.shape != (len(classes), len(classes)):
        raise ValueError(f"a matrix of shape {matrix.shape} does not fit {len(classes)} classes")


def _shade(share: float) -> str:
    return PLAIN if np.isnan(share) else SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)]
