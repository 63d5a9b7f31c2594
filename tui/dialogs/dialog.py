"""The frame of every dialog: a title, what it holds, and the keys that answer it."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from tui.bindings import key
from tui.widgets.text_lines import TextLines

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """A question or a message above a screen; Esc leaves it without an answer."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 92%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    Dialog TextLines { height: auto; max-height: 60vh; background: $surface; }
    Dialog Table { background: $surface; }
    Dialog Input, Dialog Input:focus { border: none; height: 1; padding: 0; background: $panel; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "leave", "cancel", "Close without an answer.", "dialog.leave"),
    ]
    TITLE_TEXT: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield TextLines(lambda width: [line(Span(self.heading(), "title")), ()], id="heading")
            yield from self.parts()
            yield TextLines(lambda width: [(), *self._key_lines(width)], id="answers")

    def heading(self) -> str:
        """The title; its text safe."""
        return self.TITLE_TEXT

    def parts(self) -> Sequence[Widget]:
        """The content between the title and the keys."""
        return ()

    def answers(self) -> list[tuple[str, str]]:
        """Keys and what they do, for the last line."""
        return [("Esc", "cancel")]

    def _key_lines(self, width: int) -> list[Line]:
        spans: list[str | Span] = []
        for keys, word in self.answers():
            spans += [Span(keys, "mark"), f" {word}   "]
        return [line(*spans)]

    def action_leave(self) -> None:
        self.dismiss(None)

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer once: a second answer, typed before the first was seen, would close what is below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


def paragraphs(*sentences: str) -> TextLines:
    """Sentences, made safe and wrapped; each begins a line."""
    texts = [part for each in sentences for part in each.split("\n")]
    return TextLines(lambda width: [line(part) for text in texts for part in wrapped(safe_text(text), width) or [""]])
