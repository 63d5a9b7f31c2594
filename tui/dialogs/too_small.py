"""What is shown where the terminal is too small for anything else; it goes by itself when there is room again."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import line
from tui.bindings import key
from tui.widgets.text_lines import TextLines

LEAST_COLUMNS, LEAST_LINES = 40, 12


class TooSmall(ModalScreen[None]):
    """A sentence in place of the screen."""

    DEFAULT_CSS = "TooSmall { align: center middle; background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [key("q", "quit", "quit", "Leave the dashboard.", "too_small.quit")]

    def compose(self) -> ComposeResult:
        yield TextLines(lambda width: [line(part) for part in wrapped(self._sentence(), max(width, 1))])

    def _sentence(self) -> str:
        size = self.app.size
        return (
            f"The dashboard needs {LEAST_COLUMNS}×{LEAST_LINES} cells, and this terminal has "
            f"{size.width}×{size.height}: enlarge it, or type q and `bertmt runs`."
        )

    def action_quit(self) -> None:
        self.app.exit()
