"""Try: type a sentence or a pair, and see several runs answer side by side, live, and what each word does."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.analysis.trying.board import Board
from bertmt.services.analysis.trying.conversation import MOST_CHARACTERS, Conversation
from bertmt.services.analysis.trying.formatting import board_lines
from bertmt.services.analysis.trying.runs import Chosen, choose_tried
from bertmt.services.analysis.trying.said import Said
from tui.bindings import bound, key
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.widgets.key_line import KeyLine
from tui.widgets.page import Page
from tui.widgets.text_lines import TextLines

DEBOUNCE_SECONDS = 0.25  # of silence, before what was typed is asked
ONE_BESIDE = 50  # cells in which one run has room: where signs are words, none stands beside another
HINT = "Type a sentence; for tasks about pairs, Tab and a second one."


class Heard(Message):
    """The child said something; of which child, since one may have taken the place of another."""

    def __init__(self, board: Board, said: Said):
        super().__init__()
        self.board = board
        self.said = said


class TryScreen(DashboardScreen):
    """Runs to try; one alone is tried beside the marked ones, or else beside its baseline.

    Args:
        first, second: what is typed at first, such as an example.
    """

    SUBJECT = "trying runs"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Each run that kept its model says what it makes of what is typed: the probability of each class, ◂ at the "
        "one that it chooses; of a number, where it lies on its range. Tasks about pairs answer once both are typed.",
        "Word by word: how the probability of the chosen class changes where a word is left out; to the left what the "
        "word spoke for, to the right what it spoke against, and → the class that is then chosen.",
        "The models are in a process of their own, which ends with this screen.",
    )
    DEFAULT_CSS = """
    TryScreen #title { height: 1; background: $panel; }
    TryScreen #texts { height: auto; layout: vertical; }
    TryScreen #texts Input { height: 1; border: none; padding: 0 1; background: $panel; }
    TryScreen #texts Input:focus { background: $boost; }
    TryScreen.-wide #texts, TryScreen.-huge #texts { layout: horizontal; }
    TryScreen.-wide #texts Input, TryScreen.-huge #texts Input {
        width: 1fr; height: 3; border: round $border-blurred; background: $background;
    }
    TryScreen.-wide #texts Input:focus, TryScreen.-huge #texts Input:focus { border: round $primary; }
    TryScreen #state { height: auto; padding: 0 1; }
    TryScreen #answers { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("tab", "app.focus_next", "next line", "Go to the second text, and to the answers.", "try.next", shown=True),
        key("shift+tab", "app.focus_previous", "line before", "Go back.", "try.before"),
        key("ctrl+r", "start_again", "start again", "Start the models' process again.", "try.again", shown=True),
    ]

    def __init__(self, runs: Sequence[Run], first: str = "", second: str = ""):
        super().__init__()
        self.runs = list(runs)
        self._texts = (one_line(first), one_line(second))
        self._chosen: Chosen | None = None
        self._conversation: Conversation | None = None
        self._timer: Timer | None = None
        self.board = Board(runs=())
        self._is_starting = False

    def compose(self) -> ComposeResult:
        first, second = self._texts
        yield TextLines(self._title, id="title")
        with Container(id="texts"):
            yield Input(first, placeholder="a sentence", id="first", max_length=MOST_CHARACTERS)
            yield Input(second, placeholder="a second one, for pairs", id="second", max_length=MOST_CHARACTERS)
        yield TextLines(self._state, id="state")
        yield Page(self._answers, id="answers")
        yield KeyLine()

    def on_mount(self) -> None:
        for name, title in (("first", "sentence"), ("second", "or a pair")):
            self.query_one(f"#{name}", Input).border_title = title
        self.query_one("#first", Input).focus()

    async def load(self) -> None:
        """Once: which runs can be tried; then their models are loaded."""
        if self._chosen is None:
            self._chosen = await self.dashboard.ask(self._choose)
            self._begin()

    def _choose(self, session: Session) -> Chosen:
        """On the registry's thread."""
        session.runs.refresh()
        if len(self.runs) == 1:
            rows = [session.runs.row(each) for each in sorted(self.dashboard.marked - {self.runs[0].id})]
            own = session.runs.row(self.runs[0].id)
            baseline = None if own is None or own.baseline is None else session.runs.row(own.baseline.id)
            others = [row.run for row in rows if row is not None] or ([] if baseline is None else [baseline.run])
            self.runs += [run for run in others if run.key != self.runs[0].key]
        return choose_tried(session.database, self.runs)

    def _begin(self) -> None:
        """Let a child load the models, where there are some."""
        chosen = self._chosen
        if chosen is None or self._is_starting:
            return
        self.board = Board(runs=[each.run for each in chosen.tried], refused=dict(chosen.refused))
        if not chosen.tried:
            self.board.is_ready = True
            self._show()
            return
        self._is_starting = True
        self._start(chosen, self.board)
        self._show()

    @work(group="conversation")
    async def _start(self, chosen: Chosen, board: Board) -> None:
        def hear(said: Said) -> None:
            self.post_message(Heard(board, said))

        try:
            conversation = await asyncio.to_thread(Conversation, chosen.tried, hear)
        except BertmtError as problem:
            board.ended = str(problem)
            self._show()
            return
        finally:
            self._is_starting = False
        if self.is_left:  # meanwhile
            await asyncio.to_thread(conversation.close)
            return
        self._conversation = conversation
        self._ask()

    def on_heard(self, event: Heard) -> None:
        """Something the child of now said; what one before it said is dropped."""
        if event.board is self.board and not self.is_left:
            self.board.hear(event.said)
            self._show()

    @on(Input.Changed)
    def _typed(self) -> None:
        """Ask once nothing more is typed for a moment."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._ask)

    @on(Input.Submitted)
    def _entered(self) -> None:
        self._ask()

    def _ask(self) -> None:
        first, second = (self.query_one(f"#{name}", Input).value for name in ("first", "second"))
        if not first.strip():
            self.board.clear()
            self._show()
        elif self._conversation is not None and not self.board.ended:
            self._put(self._conversation, self.board, first, second if second.strip() else None)

    @work(group="question", exclusive=True)
    async def _put(self, conversation: Conversation, board: Board, first: str, second: str | None) -> None:
        """Off this thread: a child that was stopped would not read."""
        try:
            board.ask(conversation.next_number())
            await asyncio.to_thread(conversation.ask, first, second, True, board.asked)
        except BertmtError as problem:
            self.dashboard.show_error(problem)

    def action_start_again(self) -> None:
        """End the child, if there is one, and start another."""
        self._close()
        self._begin()

    def on_unmount(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None

    def _show(self) -> None:
        if self.is_left:
            return
        self.query_one("#title", TextLines).remake()
        self.query_one("#state", TextLines).remake()
        self.query_one("#answers", Page).remake()

    def _title(self, width: int) -> list[Line]:
        names = "  ".join(f"{safe_text(run.name)} ({run.id})" for run in self.board.runs)
        return [cut_line(line(Span(" Try  ", "title"), Span(names, "dim")), width)]

    def _state(self, width: int) -> list[Line]:
        """What stands in the way of answers, or what is waited for; nothing where answers are there."""
        if self.board.ended:
            said = Span(f"{safe_text(self.board.ended)} {bound('try.again')} starts again.", "bad")
        elif self.board.is_ready and not self.board.runs:
            said = Span("None of these runs kept a model: nothing can be asked.", "bad")
        elif self.board.is_ready and self.board.answered == self.board.asked > 0 and not self.board.told:
            said = Span("No run here has a task for that: one text is for single sentences, two are for pairs.", "dim")
        elif not self.board.told:
            said = Span(HINT, "dim")
        else:
            return []
        return [line(Span(part, said.style)) for part in wrapped(said.text, width)]

    def _answers(self, width: int) -> list[Line]:
        return board_lines(self.board, min(width, ONE_BESIDE) if in_words() else width)


def one_line(text: str) -> str:
    """An example as a line of input: a model reads any white space as one space."""
    return " ".join(text.split())[:MOST_CHARACTERS]
