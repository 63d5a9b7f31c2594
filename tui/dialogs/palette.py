"""The command palette: Textual's, closed once."""

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette


class Palette(CommandPalette):
    """A second Enter, typed before the first was seen, closes nothing more; in Textual's own it ends the app."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()
