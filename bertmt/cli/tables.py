"""Tables as lines of styled text: columns as wide as needed, the elastic one cut where the screen ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import PLAIN, Line, Span, cells, cut, line, pad

GAP = 2
LEAST_ELASTIC = 6


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        elastic: gives way where the table is too wide; one column at most.
    """

    title: str
    right: bool = False
    elastic: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell's text, made safe here, and its style."""

    text: str
    style: str = PLAIN


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
    heads = [_Measured(column.title, "title", cells(column.title)) for column in columns]
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
    cell = _cell(value)
    return _Measured(cell.text, cell.style, cells(cell.text))


def facts(pairs: Mapping[str, str | Cell | Sequence[str]], width: int | None = None) -> list[Line]:
    """Names with their values, one below the other; a list of texts takes a line each, an empty text none."""
    shown = {name: value for name, value in pairs.items() if value}
    indent = max((cells(name) for name in shown), default=0) + GAP
    lines: list[Line] = []
    for name, value in shown.items():
        values = [value] if isinstance(value, (str, Cell)) else value
        for index, each in enumerate(values):
            cell = _cell(each)
            for part_index, part in enumerate(wrapped(cell.text, width - indent if width else None)):
                label = name if index == part_index == 0 else ""
                lines.append(line(Span(pad(label, indent), "dim"), Span(part, cell.style)))
    return lines


def wrapped(text: str, width: int | None) -> list[str]:
    """Text in lines of at most `width` cells, broken between words."""
    if width is None or cells(text) <= width:
        return [text]
    lines, current = [], ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if current and cells(longer) > width:
            lines.append(current)
            longer = word
        while cells(longer) > max(width, 1):  # a word that is longer than a line
            head = _head(longer, max(width, 1))
            lines.append(head)
            longer = longer[len(head) :]
        current = longer
    return [*lines, current] if current else lines


def _head(text: str, width: int) -> str:
    length = 1
    while length < len(text) and cells(text[: length + 1]) <= width:
        length += 1
    return text[:length]


def _cell(value: str | Cell) -> Cell:
    return Cell(safe_text(value)) if isinstance(value, str) else Cell(safe_text(value.text), value.style)


def _row(row: Sequence[_Measured], columns: Sequence[Column], widths: Sequence[int], gap: int) -> Line:
    spans: list[Span] = []
    space = 0
    for cell, column, width in zip(row, columns, widths, strict=True):
        text = cell.text if cell.width <= width else cut(cell.text, width)
        room = width - (cell.width if text is cell.text else cells(text))
        before, after = (room, 0) if column.right else (0, room)
        # Space goes to the cell behind it, so that no line ends in any.
        spans += [Span(" " * (space + before)), Span(text, cell.style)]
        space = gap + after
    return line(*spans)
