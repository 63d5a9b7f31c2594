"""Something was not done, since the registry refused it: why, what a person typed, and once more."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.bindings import key
from tui.dialogs.dialog import Dialog, paragraphs


class Refused(Dialog[bool]):
    """Dismissed with True to try again; it stays until it is read, also where the registry can be used again.

    Args:
        sentence: what the registry said.
        typed: what a person typed, which is not lost.
    """

    TITLE_TEXT = "Nothing was changed"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("r,enter", "again", "try again", "Do it now.", "refused.again"),
    ]

    def __init__(self, sentence: str, typed: str = ""):
        super().__init__()
        self._sentence = sentence
        self._typed = typed

    def parts(self) -> Sequence[Widget]:
        typed = [f"What you typed is kept: {self._typed}"] if self._typed else []
        return [paragraphs(self._sentence, *typed)]

    def answers(self) -> list[tuple[str, str]]:
        return [("r", "try again"), ("Esc", "leave it")]

    def action_again(self) -> None:
        self.dismiss(True)
