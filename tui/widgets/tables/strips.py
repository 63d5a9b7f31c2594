"""Rows as the terminal gets them, made once."""

from collections.abc import Mapping

from rich.style import Style
from textual.strip import Strip

from bertmt.drawing.styled import Line
from tui.widgets.styled_lines import strip_of


class KeptStrips:
    """The very strip that was drawn before for the same line: Textual keeps with it what it made of it."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Line, Strip]] = {}
        self._kept_for: tuple[Mapping[str, Style], int] | None = None

    def clear(self) -> None:
        """Lines may be others from now on."""
        self._kept.clear()

    def of(self, text: Line, styles: Mapping[str, Style], width: int) -> Strip:
        """A line's strip."""
        if self._kept_for is None or self._kept_for[0] is not styles or self._kept_for[1] != width:
            self._kept_for = styles, width
            self._kept.clear()
        kept = self._kept.get(id(text))
        if kept is None or kept[0] is not text:
            kept = self._kept[id(text)] = text, strip_of(text, styles, width)
        return kept[1]
