"""Pictures of what is drawn: lines as SVG, each cell where a terminal has it, in the colours of the theme.

Braille is drawn as dots: few fonts outside of terminals have it.
"""

import asyncio
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from bertmt import atomic_files
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, cells
from bertmt.errors import UsageError, reason_of
from tui.host import Host
from tui.styles.themes import palette_of
from tui.widgets.drawing import Drawing

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 10  # px; the font is 14 px high, and 0.6 of that wide
BASELINE = 13.5  # px below the top of a cell
DOT = 2.2  # px
FIRST_BRAILLE, LAST_BRAILLE = 0x2800, 0x28FF
# Column and row within its cell of each bit of a braille character.
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
# Browsers drop spaces at the ends of a text and join several; one that stands between words stays.
WORDS = re.compile(r"[^ ]+(?: [^ ]+)*")
NOT_IN_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
BLACK, WHITE = "#101418", "#fbfbf9"  # where the terminal's own colours are not known


def svg_of(lines: Sequence[Line], theme: Theme) -> str:
    """The lines as a document.

    Args:
        theme: an ANSI one is drawn in our own colours, dark or light as it is.
    """
    styles = {name: Style.parse(definition) for name, definition in palette_of(theme.dark, False).items()}
    return svg_of_pieces([[(span.text, styles.get(span.style, Style())) for span in each] for each in lines], theme)


def svg_of_pieces(rows: Sequence[Sequence[tuple[str, Style]]], theme: Theme) -> str:
    """Rows of pieces of text in styles of rich as a document."""
    width = max((sum(cells(text) for text, _ in row) for row in rows), default=0) * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * CELL_HEIGHT + 2 * MARGIN
    ground = theme.background if theme.background and not theme.ansi else (BLACK if theme.dark else WHITE)
    ink = theme.foreground if theme.foreground and not theme.ansi else (WHITE if theme.dark else BLACK)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-size="14"'
        ' font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">',
        f'<rect width="100%" height="100%" fill="{ground}"/>',
    ]
    for number, row in enumerate(rows):
        parts += _row(row, MARGIN + number * CELL_HEIGHT, ground, ink)
    return "\n".join([*parts, "</svg>", ""])


def moving_svg(frames: Sequence[str], seconds: float) -> str:
    """Documents of one size as one that shows each for so long, from the first again after the last.

    Whatever does not move, as a picture that is printed, shows the first.
    """
    head, _, _ = frames[0].partition("\n")
    whole = seconds * len(frames)
    parts = [head]
    for number, frame in enumerate(frames):
        start, end = number / len(frames), (number + 1) / len(frames)
        states, times = (["hidden"], ["0"]) if number else ([], [])
        states, times = [*states, "visible"], [*times, f"{start:.4g}"]
        if end < 1:
            states, times = [*states, "hidden"], [*times, f"{end:.4g}"]
        shown = "hidden" if number else "visible"
        parts += [
            f'<g visibility="{shown}"><animate attributeName="visibility" calcMode="discrete" dur="{whole:g}s"'
            f' repeatCount="indefinite" values="{";".join(states)}" keyTimes="{";".join(times)}"/>',
            *frame.splitlines()[1:-1],
            "</g>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def _row(row: Sequence[tuple[str, Style]], top: float, ground: str, ink: str) -> Iterator[str]:
    left: float = MARGIN
    for text, style in row:
        width = cells(text) * CELL_WIDTH
        fill = _hex(style.bgcolor) if style.bgcolor is not None else ground
        colour = _hex(style.color) if style.color is not None else ink
        if style.reverse:
            fill, colour = colour, fill
        if fill != ground:
            yield f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{CELL_HEIGHT}" fill="{fill}"/>'
        yield from _span(text, left, top, colour, bool(style.bold))
        left += width


def _span(text: str, left: float, top: float, colour: str, bold: bool) -> Iterator[str]:
    """Its characters as text, its braille as dots."""
    weight = ' font-weight="bold"' if bold else ""
    dots = []
    for is_braille, piece, start in _pieces(text):
        x = left + start * CELL_WIDTH
        if is_braille:
            dots += [_dots(ord(character), x + index * CELL_WIDTH, top) for index, character in enumerate(piece)]
            continue
        for words in WORDS.finditer(piece):
            place = x + cells(piece[: words.start()]) * CELL_WIDTH
            length = cells(words[0]) * CELL_WIDTH
            where = f'x="{place:g}" y="{top + BASELINE:g}" textLength="{length:g}"'
            shown = escape(safe_text(words[0]).translate(NOT_IN_XML))
            yield f'<text {where} fill="{colour}"{weight}>{shown}</text>'
    if any(dots):
        yield f'<path d="{"".join(dots)}" fill="{colour}"/>'


def _pieces(text: str) -> Iterator[tuple[bool, str, int]]:
    """The text in pieces of braille and of other characters, with the cell at which each starts."""
    piece, start = "", 0
    for character in text:
        if piece and _is_braille(character) != _is_braille(piece[-1]):
            yield _is_braille(piece[-1]), piece, start
            start += cells(piece)
            piece = ""
        piece += character
    if piece:
        yield _is_braille(piece[-1]), piece, start


def _is_braille(character: str) -> bool:
    return FIRST_BRAILLE <= ord(character) <= LAST_BRAILLE


def _dots(code: int, left: float, top: float) -> str:
    half = DOT / 2
    found = ""
    for bit, (column, row) in enumerate(DOTS):
        if (code - FIRST_BRAILLE) >> bit & 1:
            x = left + (column + 0.5) * CELL_WIDTH / 2 - half
            y = top + (row + 0.5) * CELL_HEIGHT / 4 - half
            found += f"M{x:.1f} {y:.1f}h{DOT}v{DOT}h-{DOT}z"
    return found


def _hex(colour: Color) -> str:
    return colour.get_truecolor().hex


def write_picture(lines: Iterable[Line], theme: Theme, path: Path) -> None:
    """Write the picture.

    Raises:
        UsageError: there is such a file already, or none can be written there.
    """
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, atomic_files.PRIVATE_FILE)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(svg_of(tuple(lines), theme))
    except FileExistsError:
        raise UsageError(f"{path} already exists and is not overwritten; press s again in a second.") from None
    except OSError as problem:
        reason = reason_of(problem)
        sentence = f"No picture can be written to {path}: {reason}; start the dashboard in another folder."
        raise UsageError(sentence) from None


def new_file(names: Sequence[str], ending: str) -> Path:
    """A file in the current folder, called after these names and the time.

    Raises:
        UsageError: the folder is gone.
    """
    try:
        folder = Path.cwd()
    except OSError:
        raise UsageError("The folder that the dashboard was started in is gone: restart it in another one.") from None
    return folder / "-".join([*names, f"{datetime.now():%Y%m%d-%H%M%S}.{ending}"])


async def save_picture(dashboard: Host, drawing: Drawing, *names: str) -> None:
    """Write what a drawing shows, as large as it is on screen, into the current folder, and say where it went.

    Args:
        names: what it is of, such as a run's id and "curves"; a file is named after them.

    Raises:
        UsageError: it cannot be written.
    """
    path = new_file(["bertmt", *names], "svg")
    lines = drawing.to_lines(*drawing.content_size)
    await asyncio.to_thread(partial(write_picture, lines, dashboard.current_theme, path))
    dashboard.notify(f"Picture saved to {path}")
