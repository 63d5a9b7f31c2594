"""The frame of every dialog: a title, what it holds, and the keys that answer it; beside it, what it is about."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.color import Color
from textual.containers import Vertical
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.widget import Widget

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, line
from tui.bindings import key
from tui.plain.words import in_words, said
from tui.widgets.frame import name_frame
from tui.widgets.text_lines import TextLines

T = TypeVar("T")
LEAST_ROOM = 8  # lines beside a row that a dialog needs to stand there
KEYS = {"⏎": "enter", "␣": "space", "Esc": "escape"}  # as answers show them
GREY = Style(color="bright_black")


class Answers(TextLines):
    """Keys and what they do, in the last line of a dialog; a click on one is that key."""

    def __init__(self, answers: Sequence[tuple[str, str]]):
        super().__init__(self._draw_answers, id="answers")
        self._answers = answers

    def _draw_answers(self, width: int) -> list[Line]:
        return [(), line(*(span for keys, word in self._answers for span in (Span(keys, "mark"), f" {word}   ")))]

    def on_click(self, event: events.Click) -> None:
        before = ""
        for keys, word in self._answers:
            shown = f"{keys} {word}"
            start = cells(said(before) if in_words() else before)
            before += f"{shown}   "
            end = start + cells(said(shown) if in_words() else shown)
            name = KEYS.get(keys, keys)
            if start <= event.x < end and event.y and " " not in name:
                self.app.simulate_key(name)


@runtime_checkable
class HasCursorRow(Protocol):
    """A widget with a cursor."""

    @property
    def cursor_row(self) -> int | None:
        """The line of the terminal that the cursor is on."""


class Dimmed(BackgroundScreen):
    """A screen as text in grey: colours of the terminal itself cannot be blended."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        for segment in segments:
            yield segment if segment.control else Segment(segment.text, GREY)


class Dialog(ModalScreen[T], Generic[T]):
    """A question or a message above a screen; Esc leaves it without an answer.

    Attributes:
        BESIDE_CURSOR: it is about the row that the cursor of the screen is on, and leaves that in sight.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 92%;
        background: $panel; padding: 0 1;
        border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Dialog TextLines { height: auto; max-height: 60vh; }
    Dialog Input, Dialog Input:focus { border: none; height: 1; padding: 0; background: $background; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "leave", "cancel", "Close without an answer.", "dialog.leave"),
    ]
    TITLE_TEXT: ClassVar[str] = ""
    BESIDE_CURSOR: ClassVar[bool] = False

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            name_frame(box, self.heading())
            yield from self.parts()
            yield Answers(self.answers())

    def key_ctrl_c(self) -> None:
        """As on any screen: the keys of the app do not reach a dialog."""
        self.app.action_help_quit()

    def on_mount(self) -> None:
        below = self.app.screen_stack[-2].focused if len(self.app.screen_stack) > 1 else None
        row = below.cursor_row if isinstance(below, HasCursorRow) else None
        if self.BESIDE_CURSOR and row is not None and not in_words():
            self._stand_beside(row)

    def _stand_beside(self, row: int) -> None:
        """Below a row of the screen, or above it where that is the larger part."""
        height = self.app.size.height
        under, over = height - row - 1, row
        if max(under, over) < LEAST_ROOM:
            return
        box = self.query_one(Vertical)
        self.styles.align_vertical = "top" if under >= over else "bottom"
        box.styles.margin = (row + 1, 0, 0, 0) if under >= over else (0, 0, height - row, 0)
        box.styles.max_height = max(under, over)

    def render(self) -> RenderableType:
        """The screen below, dimmed: blended with the ground or, in colours of the terminal itself, grey."""
        below = super().render()
        if isinstance(below, BackgroundScreen) and self.app.current_theme.ansi:
            return Dimmed(below.screen, below.color)
        return below

    def heading(self) -> str:
        """The title."""
        return self.TITLE_TEXT

    def parts(self) -> Sequence[Widget]:
        """The content between the title and the keys."""
        return ()

    def answers(self) -> list[tuple[str, str]]:
        """Keys and what they do, for the last line."""
        return [("Esc", "cancel")]

    def action_leave(self) -> None:
        self.dismiss(None)

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer once: a second answer, typed before the first was seen, would close what is below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


def paragraphs(*sentences: str) -> TextLines:
    """Sentences, made safe and wrapped; each begins a line."""
    texts = [part for each in sentences for part in each.split("\n")]
    return TextLines(lambda width: [line(part) for text in texts for part in wrapped(safe_text(text), width) or [""]])
