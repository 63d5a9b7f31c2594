"""What is shown where the terminal is too small for anything else; it closes when there is room again."""

from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen

from bertmt.drawing.facts import wrapped
from bertmt.drawing.styled import Line, line
from tui.widgets.text_lines import TextLines

LEAST_COLUMNS, LEAST_LINES = 40, 12


def has_room(size: Size) -> bool:
    """Whether screens can be shown in so many cells."""
    return size.width >= LEAST_COLUMNS and size.height >= LEAST_LINES


class TooSmall(ModalScreen[None]):
    """A sentence in place of the screen. It has no keys: what was being typed below must not be lost to one."""

    DEFAULT_CSS = "TooSmall { align: center middle; background: $background; }"

    def compose(self) -> ComposeResult:
        yield TextLines(self._lines)

    def _lines(self, width: int) -> list[Line]:
        return [line(part) for part in wrapped(self._sentence(), max(width, 1))]

    def _sentence(self) -> str:
        size = self.app.size
        return (
            f"The dashboard needs {LEAST_COLUMNS}×{LEAST_LINES} cells, and this terminal has "
            f"{size.width}×{size.height}: enlarge it to go on where you were; Ctrl-Q quits."
        )

    def on_screen_resume(self) -> None:
        """Room may have come while another screen was above, or another one was shown."""
        self._leave_if_it_fits()

    def on_resize(self) -> None:
        self._leave_if_it_fits()

    def _leave_if_it_fits(self) -> None:
        if has_room(self.app.size) and self.is_active:
            self.dismiss(None)
        else:
            self.query_one(TextLines).show(self._lines)
