"""Whether the dashboard speaks in words, and which word stands for which sign.

A screen reader reads a line of the terminal from left to right, and whatever is written anew: signs, bars, frames and
colours say nothing there, and what moves without a reason interrupts. So lines are translated where they become what
the terminal gets (`worded`), and a last filter lets no character of a drawing through, whichever widget drew it.
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import Line, Span, ascii_line, cells, line, plain

MOST_CELLS = 100  # of a line of words, however wide the terminal: pages set parts side by side from here on
# Of the app that is running: cells of tables are made by functions that know no widget. Tasks inherit it.
_SPEAKS: ContextVar[bool] = ContextVar("speaks_in_words", default=False)

# Signs that stand beside their word already, and those that mean something else there than elsewhere; in this order.
_BESIDE = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("[●✓✗○‖◐⊘?] (running|finished|failed|queued|held|paused|cancelled|lost)\\b", r"\1"),
        ("[◌◒] (stopping|pausing)\\b", r"\1"),
        ("[▲▼≈] (better|worse|undecided)\\b", r"\1"),
        ("[●○] (on|off)\\b", r"\1"),
        ("◆ (?=[\\d,]+ marked)", ""),
        ("‖ (?=The queue is held|queue held)", ""),
        ("▸ (?=Queue |Change |Start )", ""),
        ("◂ (.*) ▸ (?=\\d+ of)", r"\1, "),
        ("^(\\s*)✗ (?=[^\\s])", r"\1error: "),
        ("✓ predicted", "predicted, right"),
        ("✗ predicted", "predicted, wrong"),
        ("^(\\s*)[·•] ", r"\1- "),
        ("\\s?· ", ", "),
        ("·", ""),  # a toggle that is off
        ("★ baseline|baseline ★", "baseline"),
        ("─*●─+|─+●─*", "to"),  # a place on a range, whose number stands behind it
        ("(?<=\\d)×(?=\\d)| × ", " times "),
        ("×(?=\\d)", "times "),
        ("(?<=\\d)…(?=\\d)", " to "),
        ("Δ ", "difference "),
        (" − (?=\\D)", " minus "),
        ("\\s?±\\s?", " plus or minus "),
        ("❘|┊|[\u2500-\u259f]|[\u2800-\u28ff]", " "),  # rules, frames, bars and dots
    )
)
_WORDS = str.maketrans(
    {
        "●": "running", "✓": "finished", "✗": "failed", "○": "queued", "‖": "held", "◐": "paused", "⊘": "cancelled",
        "◌": "stopping", "◒": "pausing", "★": "baseline", "◆": "marked", "▲": "better", "▼": "worse",
        "≈": "undecided", "…": ".",
        "▸": "closed", "▾": "open", "▴": "up", "◂": "chosen", "→": "to", "←": "left", "↑": "up", "↓": "down",
        "⏎": "Enter", "␣": "Space", "Δ": "difference", "ρ": "rho", "ε": "epsilon", "°": "degrees ", "×": "x",
        "≥": "at least ", "≤": "at most ", "■": "", "✚": "", "✖": "",
    }
)  # fmt: skip
_BEGINNINGS = (("! ", "alarm: "), ("▸ ", "here: "))  # of lines that are read, not of cells
_KEYS = {"⏎": "Enter", "␣": "Space", "↑": "Up", "↓": "Down", "←": "Left", "→": "Right"}
# What drawings use and words do not: signs, arrows, rules, blocks, braille.
_DRAWN = re.compile("[\u2190-\u21ff\u23ce\u2423\u2500-\u27bf\u2800-\u28ff\u2298\u2758]")
_SIGNS = re.compile("[\u0370-\u03ff\u2010-\u2bff×±°·•]")  # whatever any of the tables above or `ascii_line` knows


def speak(in_words: bool) -> None:
    """From now on, say in words what else is drawn; or draw."""
    _SPEAKS.set(in_words)


def in_words() -> bool:
    """Whether the dashboard that is shown speaks in words."""
    return _SPEAKS.get()


def said(text: str) -> str:
    """A text with words for its signs."""
    if not _SIGNS.search(text):
        return text
    for pattern, word in _BESIDE:
        text = pattern.sub(word, text)
    return text.translate(_WORDS)


def said_key(display: str) -> str:
    """How a key is called: "^t" is "Ctrl+T"."""
    if len(display) == 2 and display[0] == "^":
        return f"Ctrl+{display[1].upper()}"
    return _KEYS.get(display, said(display))


def said_cell(text: str) -> str:
    """A cell of a table in words, without the room that bars leave."""
    return " ".join({"!": "alarm", "?": "lost"}.get(text, said(text)).split())


def said_status(text: Line) -> Line:
    """Facts that spaces keep apart, with commas between them."""
    return line(", ".join(part for part in re.split(r"\s{2,}", said(plain(text)).strip()) if part))


def said_line(text: Line) -> Line:
    """A line in words, of one style: no meaning is in colours."""
    return line(said(plain(text)).rstrip())


def worded(lines: Iterable[Line], width: int) -> list[Line]:
    """Lines in words, wrapped where words took more room than signs; what held a drawing alone is left out."""
    found: list[Line] = []
    for each in lines:
        before = plain(each)
        begins, word = next(((sign, word) for sign, word in _BEGINNINGS if before.startswith(sign)), ("", ""))
        after = said(word + before[len(begins) :]).rstrip()
        if before.strip() and not after.strip():
            continue
        found += [line(part) for part in wrapped(after, width)] if cells(after) > max(width, 1) else [line(after)]
    return found


class OnlyWords(LineFilter):
    """The last wall: what still is drawn becomes spaces, and typographic signs their likeness; letters stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=_without_signs(segment.text))
            for segment in segments
        ]


def _without_signs(text: str) -> str:
    """As many cells as before: each of these signs takes one. What was cut ends in a full stop."""
    return _SIGNS.sub(_likeness, _DRAWN.sub(" ", text.replace("…", "."))).replace("�", "?")


def _likeness(sign: "re.Match[str]") -> str:
    likeness = ascii_line((Span(sign[0]),))[0].text
    return sign[0] if likeness == "?" else likeness
