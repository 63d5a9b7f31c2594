"""What reaches the terminal: only the cells that changed, and of colours only those that differ from the ones before.

Textual sends every line that was drawn again, whole, each piece of it with all its colours: 9 KB for a list of 80 by 24
cells that moves up by a line, 66 KB at 200 by 60. Over ssh that is what a key takes.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

GAP = 4  # cells that are sent again rather than stepped over: stepping takes as many bytes
NOTHING = Style()
Piece = tuple[int, int, Strip]  # line, first column, what stands there
Cell = tuple[str, Style]  # the second cell of a wide character has ""
UNKNOWN: Cell = ("\0", NOTHING)


class Changes(CompositorUpdate):
    """An update of which only what changed is sent."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, wire: "Wire"):
        self._update, self._wire = update, wire

    def render_segments(self, console: Console) -> str:
        """What is to be written; called once, when it is."""
        system = console._color_system or ColorSystem.TRUECOLOR
        if isinstance(self._update, LayoutUpdate):
            self._wire.forget()
            return self._wire.bring(_whole(self._update), system)
        return self._wire.bring(_parts(self._update), system)


class Wire:
    """Knows what the terminal shows.

    A whole screen (the first, a new size, another screen, a dialog) is sent whole: what other programs wrote over the
    screen goes away then.
    """

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell]] = {}

    def forget(self) -> None:
        """Nothing is known of what the terminal shows."""
        self._lines.clear()

    def bring(self, pieces: Iterable[Piece], system: ColorSystem = ColorSystem.TRUECOLOR) -> str:
        """What is to be written so that the terminal shows the pieces."""
        pen = _Pen(system)
        for y, x, strip in pieces:
            new = _cells_of(strip)
            line = self._lines.setdefault(y, [])
            line.extend([UNKNOWN] * (x + len(new) - len(line)))
            old = line[x : x + len(new)]
            if old != new:
                for start, end in _changed(old, new):
                    pen.write(y, x + start, new[start:end])
                line[x : x + len(new)] = new
        return pen.finished()


class _Pen:
    """Collects what is written: where it stands, and in which colours it writes."""

    def __init__(self, system: ColorSystem):
        self._system = system
        self._said: list[str] = []
        self._line = -1
        self._codes = ("", "", "")

    def write(self, y: int, x: int, new: list[Cell]) -> None:
        self._said.append(f"\x1b[{x + 1}G" if y == self._line else f"\x1b[{y + 1};{x + 1}H")
        self._line = y
        style: Style | None = None
        for character, its in new:
            if its is not style:
                style = its
                self._dip(_codes(style, self._system))
            self._said.append(character)

    def _dip(self, codes: tuple[str, str, str]) -> None:
        """Write in other colours from now on; what they share with those before is not said again."""
        before, self._codes = self._codes, codes
        if codes == before:
            return
        is_more = codes[0] == before[0] and all(now or not then for now, then in zip(codes, before, strict=True))
        said = [now for now, then in zip(codes, before, strict=True) if now and not (is_more and now == then)]
        self._said.append(f"\x1b[{';'.join([*([] if is_more else ['0']), *said])}m")

    def finished(self) -> str:
        if self._codes != ("", "", ""):
            self._said.append("\x1b[0m")
        return "".join(self._said)


def _whole(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip
            x += strip.cell_length


def _parts(update: ChopsUpdate) -> Iterator[Piece]:
    """The strips that its spans meet, as `ChopsUpdate.render_segments` finds them."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= last and end > first:
                yield y, x, strip if end <= last else strip.crop(0, last - x)


def _cells_of(strip: Strip) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, _ in strip:
        its = style or NOTHING
        if text.isascii():
            cells += [(character, its) for character in text]
            continue
        for character in text:
            width = get_character_cell_size(character)
            if width:
                cells.append((character, its))
                cells += [("", its)] * (width - 1)
            elif cells:  # a mark on the character before it; behind a wide one on its first cell
                place = -1 if cells[-1][0] or len(cells) < 2 else -2
                cells[place] = (cells[place][0] + character, cells[place][1])
    return cells


def _changed(old: list[Cell], new: list[Cell]) -> Iterator[tuple[int, int]]:
    """From where to where cells differ; places that are near each other are one, and wide characters stay whole."""
    start = end = -1
    for place, (before, now) in enumerate(zip(old, new, strict=True)):
        if before is now or _look_alike(before, now):
            continue
        if end < 0:
            start = place
        elif place - end > GAP:
            yield _with_whole_characters(new, start, end)
            start = place
        end = place + 1
    if end >= 0:
        yield _with_whole_characters(new, start, end)


def _look_alike(before: Cell, now: Cell) -> bool:
    if before[0] != now[0]:
        return False
    if before[1] is now[1] or before[1] == now[1]:
        return True
    return now[0] == " " and _ground(before[1]) == _ground(now[1])


def _with_whole_characters(new: list[Cell], start: int, end: int) -> tuple[int, int]:
    while start > 0 and not new[start][0]:
        start -= 1
    while end < len(new) and not new[end][0]:
        end += 1
    return start, end


@lru_cache(1024)
def _ground(style: Style) -> Style:
    """What of a style a space shows: all where there are lines through it or it is reversed, else its background."""
    if style.reverse or style.underline or style.underline2 or style.strike or style.overline:
        return style
    return Style(bgcolor=style.bgcolor)


@lru_cache(4096)
def _codes(style: Style, system: ColorSystem) -> tuple[str, str, str]:
    """What a terminal is told of a style: attributes, colour, background; "" where there is none."""
    attributes = style.without_color if style.color or style.bgcolor else style
    parts = (attributes, Style(color=style.color), Style(bgcolor=style.bgcolor))
    return tuple(Strip.render_ansi(part, system) for part in parts)  # type: ignore[return-value]
