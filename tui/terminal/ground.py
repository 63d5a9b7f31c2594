"""Whether the terminal's own ground is light, by what it says of itself.

`COLORFGBG` is there before anything is drawn; the reply to OSC 11 (xterm's control sequences, "Change Dynamic Colors")
comes when it comes, over a slow line late. Textual would take it for keys that were typed, `r` and `b` among them: so
the parser of what comes from the terminal takes it out, whenever that is.
"""

import re
from collections.abc import Iterable, Mapping

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

QUESTION = "\x1b]11;?\x1b\\"
_REPLY = re.compile("\x1b]11;([^\x07\x1b]*)(?:\x07|\x1b\\\\)")
_BEGUN = re.compile("\x1b]1?1?(?:;[^\x07\x1b]{0,64})?\x1b?$")  # a reply whose end is still to come
# rgb:RRRR/GGGG/BBBB of one to four hexadecimal digits each, or rgba with one more.
_COLOUR = re.compile(r"rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:/[0-9a-f]{1,4})?", re.IGNORECASE)
_LIGHT_NUMBERS = ("7", "15")  # of the 16 colours: white, and bright white


class GroundReported(Message):
    """The terminal said what its ground is."""

    def __init__(self, is_light: bool):
        super().__init__()
        self.is_light = is_light


def is_light_by_environment(environment: Mapping[str, str]) -> bool | None:
    """By `COLORFGBG`, such as "0;15" or "0;default;15": rxvt, Konsole and iTerm2 set it. None where nothing is said."""
    _, _, ground = environment.get("COLORFGBG", "").rpartition(";")
    return ground in _LIGHT_NUMBERS if ground.isdecimal() else None


def is_light(colour: str) -> bool | None:
    """Whether a colour as OSC 11 tells it is light; None where it cannot be understood."""
    found = _COLOUR.fullmatch(colour)
    if found is None:
        return None
    red, green, blue = (int(each, 16) / (16 ** len(each) - 1) for each in found.groups())
    return bool(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)  # weights of ITU-R BT.709


class GroundParser(XTermParser):
    """Textual's parser without the terminal's replies to `QUESTION`, which it tells of."""

    _held = ""

    def feed(self, data: str) -> Iterable[Message]:
        rest = self._held + data
        self._held = ""
        for reply in _REPLY.finditer(rest):
            light = is_light(reply[1])
            if light is not None:
                yield GroundReported(light)
        rest = _REPLY.sub("", rest)
        if data and (begun := _BEGUN.search(rest)):
            rest, self._held = rest[: begun.start()], begun[0]
        if rest or not data:  # nothing at all would be the end of all input
            yield from super().feed(rest)


def read_replies() -> None:
    """Let Textual read what comes from the terminal with `GroundParser`."""
    linux_driver.XTermParser = GroundParser  # type: ignore[attr-defined]
