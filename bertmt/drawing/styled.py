"""Lines of styled text: what every drawing here returns, independent of rich and Textual.

A style is a meaning, not a colour; each front end maps the names in `STYLES` to its own theme. Nothing here is
markup: a span's text is shown as it is, so text from outside has gone through `safe_text` before.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

PLAIN = ""
SERIES = tuple(f"series{index}" for index in range(8))  # lines of a chart, in order, starting again after 8
SHADES = tuple(f"shade{level}" for level in range(5))  # backgrounds of a heat map, none to strong
STYLES = frozenset({PLAIN, "dim", "title", "axis", "grid", "good", "bad", "faint", "cursor", *SERIES, *SHADES})

LEAST_OF_BOTH_ENDS = 10  # cells from which on a name that is cut shows its end, too
# What the drawings use beyond ASCII, for terminals without it, one character each so that no line grows; braille
# and blocks have ASCII forms of their own.
_ASCII = str.maketrans(
    "−–…×Δρ“”�·°±←→↑↓⏎␣≥≤"  # text
    "│┤├└┘┌┐┬┴┼─╭╮╰╯║═┃━┏┓┗┛┈"  # rules and frames
    "●✓✗○‖⊘◌◐◒◆▴▾▸◂▲■▼★✚✖"  # signs of states, marks, arrows
    "█▉▊▋▌▍▎▏░▒▓▁▂▃▄▅▆▇▔"  # bars and blocks
    "┊≈",  # a grid, an undecided difference
    '--~xdr""?.o+<>^v<_><|+++++++++-++++|=|-++++-*vxo=-~p%#^v><^#v*+x####==--.:#________:~',
)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text in one style, one of `STYLES`."""

    text: str
    style: str = PLAIN


Line = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """A line from spans and plain strings; empty ones are left out."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def plain(text: Line) -> str:
    """A line's text without its styles."""
    return "".join(span.text for span in text)


def ascii_line(text: Line) -> Line:
    """The line in ASCII; what has no likeness there becomes a question mark."""
    return tuple(
        Span(span.text.translate(_ASCII).encode("ascii", "replace").decode("ascii"), span.style) for span in text
    )


def ascii_lines(lines: Iterable[Line]) -> list[Line]:
    """All lines in ASCII."""
    return [ascii_line(each) for each in lines]


def cells(text: str) -> int:
    """How many cells of a terminal the text takes: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; a cut one ends in an ellipsis."""
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _cells_of(character)
        if used > width - 1:
            break
        kept.append(character)
    return ("".join(kept) + "…") if width > 0 else ""


def cut_name(text: str, width: int) -> str:
    """A name in at most `width` cells, cut in its middle: those of a sweep begin alike, and differ at their end."""
    if cells(text) <= width or width < LEAST_OF_BOTH_ENDS:
        return cut(text, width)
    head = cut(text, (width - 1) * 3 // 7 + 1)  # with its ellipsis
    tail, used = len(text), cells(head)
    while used + _cells_of(text[tail - 1]) <= width:
        tail -= 1
        used += _cells_of(text[tail])
    while _cells_of(text[tail]) == 0:  # a mark on a character that was cut
        tail += 1
    return head + text[tail:]


def cut_line(text: Line, width: int) -> Line:
    """The line in at most `width` cells."""
    kept: list[Span] = []
    left = width
    for span in text:
        if left <= 0:
            break
        kept.append(Span(cut(span.text, left), span.style))
        left -= cells(span.text)
    return tuple(kept)


def pad(text: str, width: int, right: bool = False, is_name: bool = False) -> str:
    """The text cut or filled with spaces to exactly `width` cells, set to the left or to the right."""
    text = cut_name(text, width) if is_name else cut(text, width)
    space = " " * (width - cells(text))
    return space + text if right else text + space


def wrap_parts(parts: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Parts that stay whole, set one after another and onto the next line where one is full."""
    lines: list[Line] = []
    current: Line = ()
    for part in parts:
        part = cut_line(part, width)
        if current and cells(plain(current)) + gap + cells(plain(part)) > width:
            lines.append(current)
            current = ()
        current = (*current, *((Span(" " * gap),) if current else ()), *part)
    return [*lines, current] if current else lines


def beside(blocks: Sequence[Sequence[Line]], widths: Sequence[int], gap: int = 2) -> list[Line]:
    """Blocks of lines side by side, each in so many cells."""
    joined: list[Line] = []
    for number in range(max(map(len, blocks), default=0)):
        spans: list[Span] = []
        space = 0  # goes to the block behind it, so that no line ends in any
        for block, width in zip(blocks, widths, strict=True):
            part = cut_line(block[number], width) if number < len(block) else ()
            if part:
                spans += [Span(" " * space), *part]
                space = 0
            space += width - cells(plain(part)) + gap
        joined.append(line(*spans))
    return joined


@lru_cache(maxsize=4096)  # asking unicodedata each time takes ten times as long
def _cells_of(character: str) -> int:
    kind = unicodedata.category(character)
    if kind in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":  # marks on the character before; jamo that join it
        return 0
    width = unicodedata.east_asian_width(character)
    # Python calls code points that are not assigned full-width; terminals give them one cell.
    return 2 if width == "W" or (width == "F" and kind != "Cn") else 1
