"""Tables as lines of styled text: columns as wide as needed, the elastic one cut where the screen ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.facts import Cell, safe_cell
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut, cut_name, line

GAP = 2
LEAST_ELASTIC = 6


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        elastic: gives way where the table is too wide; one column at most.
        is_name: cut in its middle.
    """

    title: str
    right: bool = False
    elastic: bool = False
    is_name: bool = False


@dataclass(frozen=True)
class Row:
    """Cells by column, and lines that stand below the row."""

    cells: Sequence[str | Cell]
    below: Sequence[Line] = ()


def table(columns: Sequence[Column], rows: Sequence[Row], width: int | None, gap: int = GAP) -> list[Line]:
    """A header and the rows.

    Args:
        width: what all lines must fit; None lets them be as long as they are.
    """
    measured = [[_measured(each) for each in row.cells] for row in rows]
    heads = [_Measured(safe_text(column.title), "title", cells(safe_text(column.title))) for column in columns]
    widths = [max(each.width for each in column) for column in zip(heads, *measured, strict=True)]
    elastic = next((index for index, column in enumerate(columns) if column.elastic), None)
    if width is not None and elastic is not None:
        others = sum(widths) - widths[elastic] + gap * (len(widths) - 1)
        widths[elastic] = min(widths[elastic], max(width - others, LEAST_ELASTIC))
    lines = [_row(heads, columns, widths, gap)]
    for row, own in zip(rows, measured, strict=True):
        lines.append(_row(own, columns, widths, gap))
        lines += row.below
    return lines


@dataclass(frozen=True, slots=True)
class _Measured:
    """A safe text with its width: measuring it once is half of the time that a long table takes."""

    text: str
    style: str
    width: int


def _measured(value: str | Cell) -> _Measured:
    cell = safe_cell(value)
    return _Measured(cell.text, cell.style, cells(cell.text))


def _row(row: Sequence[_Measured], columns: Sequence[Column], widths: Sequence[int], gap: int) -> Line:
    spans: list[Span] = []
    space = 0
    for cell, column, width in zip(row, columns, widths, strict=True):
        shorten = cut_name if column.is_name else cut
        text = cell.text if cell.width <= width else shorten(cell.text, width)
        room = width - (cell.width if text is cell.text else cells(text))
        before, after = (room, 0) if column.right else (0, room)
        # Space goes to the cell behind it, so that no line ends in any.
        spans += [Span(" " * (space + before)), Span(text, cell.style)]
        space = gap + after
    return line(*spans)
