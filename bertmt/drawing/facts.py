"""Names with their values, and text in lines of a width: what a page about one thing is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import PLAIN, Line, Span, cells, line, pad

GAP = 2


@dataclass(frozen=True)
class Cell:
    """A cell's text, made safe here, and its style."""

    text: str
    style: str = PLAIN


def facts(pairs: Mapping[str, str | Cell | Sequence[str]], width: int | None = None) -> list[Line]:
    """Names with their values, one below the other; a list of texts takes a line each, an empty text none."""
    shown = {name: value for name, value in pairs.items() if value}
    indent = max((cells(name) for name in shown), default=0) + GAP
    lines: list[Line] = []
    for name, value in shown.items():
        values = [value] if isinstance(value, (str, Cell)) else value
        for index, each in enumerate(values):
            cell = safe_cell(each)
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


def safe_cell(value: str | Cell) -> Cell:
    return Cell(safe_text(value)) if isinstance(value, str) else Cell(safe_text(value.text), value.style)
