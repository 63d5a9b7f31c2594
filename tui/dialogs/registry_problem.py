"""The registry cannot be used: why, and what to do. It closes when the registry can be used again."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.bindings import key
from tui.dialogs.dialog import Dialog, paragraphs


class RegistryProblem(Dialog[str]):
    """Dismissed with "new" where a person wants to queue a first run; it stays until the registry can be used.

    Args:
        sentence: what the registry said, with the next step.
        is_missing: there is none.
        can_make: a first run queued here makes it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        key("r,enter", "again", "try again", "Retry now; it also retries by itself.", "problem.again"),
        key("n", "new", "new run", "Queue a first run, which creates the registry.", "problem.new"),
        key("q,escape", "quit", "quit", "Quit the dashboard.", "problem.quit"),
    ]

    def __init__(self, sentence: str, is_missing: bool, can_make: bool):
        super().__init__()
        self.sentence = sentence
        self._is_missing = is_missing
        self._can_make = can_make

    def heading(self) -> str:
        return "There is no registry here yet" if self._is_missing else "The registry cannot be used"

    def parts(self) -> Sequence[Widget]:
        more = ("To try it with embedded data: `bertmt queue --preset baseline`",)
        return [paragraphs(self.sentence, *(more if self._is_missing else ()))]

    def answers(self) -> list[tuple[str, str]]:
        new = [("n", "new run")] if self._can_make else []
        return [*new, ("r", "try again"), ("q", "quit")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._can_make if action == "new" else True

    def action_again(self) -> None:
        self.app.look_again()  # type: ignore[attr-defined]

    def action_new(self) -> None:
        self.dismiss("new")

    def action_quit(self) -> None:
        self.app.exit()
