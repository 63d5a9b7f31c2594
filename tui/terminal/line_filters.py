"""The last wall before the terminal: every piece of text that any widget draws passes through here.

Textual lets escape sequences in content through. What comes from data is made safe where it is drawn, so that widths
are right; these filters make sure of it for every widget that there is or will be.
"""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span, ascii_line, cells


class SafeText(LineFilter):
    """Replaces control and invisible characters."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.control or segment.text.isprintable() else segment._replace(text=safe_text(segment.text))
            for segment in segments
        ]


class OnlyAscii(LineFilter):
    """Replaces what is not ASCII by its likeness there, cell by cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.control or segment.text.isascii() else segment._replace(text=_in_ascii(segment.text))
            for segment in segments
        ]


def _in_ascii(text: str) -> str:
    """As many characters as the text takes cells, so that nothing moves."""
    shown = ascii_line((Span(text),))[0].text
    if cells(text) == len(shown):
        return shown
    return "".join(now * cells(before) for before, now in zip(text, shown, strict=True))
