"""One line of text to be typed: a filter's name, a tag, a note, a setting."""

from collections.abc import Callable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span, line
from tui.dialogs.dialog import Dialog, paragraphs
from tui.widgets.text_lines import TextLines


class Prompt(Dialog[str]):
    """Dismissed with the text, or None.

    Args:
        check: what is wrong with a text, a sentence, or None; asked at each key.
    """

    BESIDE_CURSOR = True

    def __init__(
        self,
        title: str,
        value: str = "",
        hint: str = "",
        sentences: Sequence[str] = (),
        check: Callable[[str], str | None] = lambda text: None,
    ):
        super().__init__()
        self._title = title
        self._value = value
        self._hint = hint
        self._sentences = sentences
        self._check = check

    def heading(self) -> str:
        return self._title

    def parts(self) -> Sequence[Widget]:
        said = [paragraphs(*self._sentences)] if self._sentences else []
        problem = TextLines(id="problem")
        return [*said, Input(self._value, placeholder=safe_text(self._hint), id="text"), problem]

    def answers(self) -> list[tuple[str, str]]:
        return [("⏎", "take it"), ("Esc", "cancel")]

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._tell(self._check(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        problem = self._check(event.value)
        if problem is None:
            self.dismiss(event.value)
        else:
            self._tell(problem)

    def _tell(self, problem: str | None) -> None:
        self.query_one("#problem", TextLines).show([line(Span(safe_text(problem), "bad"))] if problem else [])
