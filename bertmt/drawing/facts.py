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
    """Text in lines of at most `width` cells, broken between words; a word longer than a line is broken within."""
    if width is None or cells(text) <= width:
        return [text]
    width = max(width, 1)
    lines, current, used = [], "", 0
    for word in text.split(" "):
        needed = cells(word)
        if current and used + 1 + needed > width:
            lines.append(current)
            current, used = "", 0
        if current:
            current, used = f"{current} {word}", used + 1 + needed
        elif needed > width:
            *whole, current = _pieces(word, width)
            lines += whole
            used = cells(current)
        else:
            current, used = word, needed
    return [*lines, current] if current else lines


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width` cells, or of one character where that is wider."""
    pieces, start, used = [], 0, 0
    for index, character in enumerate(word):
        needed = cells(character)
        if used + needed > width and index > start:
            pieces.append(word[start:index])
            start, used = index, 0
        used += needed
    return [*pieces, word[start:]]


def safe_cell(value: str | Cell) -> Cell:
    return Cell(safe_text(value)) if isinstance(value, str) else Cell(safe_text(value.text), value.style)
