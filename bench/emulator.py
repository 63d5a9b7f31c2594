"""What a terminal shows after the bytes that a program wrote: enough of one for what Textual writes."""

import codecs
import re

from bertmt.drawing.styled import cells

_TOKEN = re.compile(
    r"\x1b\[(?P<private>[?<>=]?)(?P<numbers>[\d;:]*)[ -/]*(?P<verb>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b[()].|\x1b[^\[\]P()]|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
)
Look = tuple[frozenset[str], str, str]  # attributes, colour, background, as numbers of SGR
PLAIN: Look = (frozenset(), "", "")


class Emulator:
    """A screen of cells, each a character and how it looks.

    Attributes:
        lines: by line and column: the character ("" behind a wide one), and its look.
    """

    def __init__(self, columns: int, lines: int):
        self.columns = columns
        self.lines = [[(" ", PLAIN)] * columns for _ in range(lines)]
        self._x = self._y = 0
        self._look = PLAIN
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, written: bytes) -> None:
        """Show what was written; an escape sequence that is not whole waits for its end."""
        said = self._rest + self._decode(written)
        place = 0
        while found := _TOKEN.match(said, place):
            place = found.end()
            if found["text"]:
                self._write(found["text"])
            elif found["control"]:
                self._move(found["control"])
            elif found["verb"] and not found["private"]:
                self._obey(found["verb"], found["numbers"])
        self._rest = said[place:]

    def text(self) -> str:
        """All lines."""
        return "\n".join("".join(character for character, _ in line) for line in self.lines)

    def _write(self, text: str) -> None:
        for character in text:
            width = cells(character)
            if not width:
                before = max(self._x - 1, 0)
                before -= before > 0 and not self.lines[self._y][before][0]
                old, look = self.lines[self._y][before]
                self.lines[self._y][before] = (old + character, look)
            for offset in range(width):
                if self._x < self.columns:
                    self.lines[self._y][self._x] = ("" if offset else character, self._look)
                self._x += 1

    def _move(self, control: str) -> None:
        if control == "\n":
            self._x, self._y = 0, min(self._y + 1, len(self.lines) - 1)
        elif control == "\r":
            self._x = 0

    def _obey(self, verb: str, numbers: str) -> None:
        if verb == "m":
            self._look = styled(self._look, numbers)
        elif verb in "Hf":
            y, x = [*map(int, filter(None, numbers.split(";"))), 1, 1][:2]
            self._y, self._x = min(y, len(self.lines)) - 1, x - 1
        elif verb == "G":
            self._x = int(numbers or 1) - 1
        elif verb == "J" and numbers == "2":
            self.lines = [[(" ", PLAIN)] * self.columns for _ in self.lines]
        elif verb in "ABCDEFKLMPSTX@r":
            raise ValueError(f"the emulator does not know CSI {numbers} {verb}")


def styled(look: Look, numbers: str) -> Look:
    """A look after `CSI numbers m`."""
    attributes, colour, ground = look
    codes = (numbers or "0").split(";")
    while codes:
        code = codes.pop(0)
        if code in ("38", "48"):
            count = 4 if codes[0] == "2" else 2
            value, codes = ";".join(codes[:count]), codes[count:]
            colour, ground = (value, ground) if code == "38" else (colour, value)
        elif code == "0":
            attributes, colour, ground = PLAIN
        elif code == "39" or (code.startswith(("3", "9")) and len(code) == 2):
            colour = "" if code == "39" else code
        elif code == "49" or (code.startswith("4") and len(code) == 2) or (len(code) == 3 and code.startswith("10")):
            ground = "" if code == "49" else code
        else:
            attributes |= {code}
    return attributes, colour, ground
