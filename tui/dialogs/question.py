"""A question that is answered with yes or no; nothing that cannot be taken back happens without one."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.bindings import key
from tui.dialogs.dialog import Dialog, paragraphs


class Question(Dialog[bool]):
    """Dismissed with True for yes. Enter says nothing: it is pressed without reading.

    Args:
        title: the question itself.
        sentences: what follows from a yes; made safe here.
        yes: what yes does, one or two words.
    """

    BESIDE_CURSOR = True
    BINDINGS: ClassVar[list[BindingType]] = [
        key("y", "answer(True)", "yes", "Yes.", "question.yes"),
        key("n", "answer(False)", "no", "No.", "question.no"),
    ]

    def __init__(self, title: str, sentences: Sequence[str] = (), yes: str = "yes"):
        super().__init__()
        self._title = title
        self._sentences = sentences
        self._yes = yes

    def heading(self) -> str:
        return self._title

    def parts(self) -> Sequence[Widget]:
        return [paragraphs(*self._sentences)] if self._sentences else []

    def answers(self) -> list[tuple[str, str]]:
        return [("y", self._yes), ("n", "no")]

    def action_answer(self, is_yes: bool) -> None:
        self.dismiss(is_yes)

    def action_leave(self) -> None:
        self.dismiss(False)
