"""The history of a run: every change of its state, when, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.registry.records import Run, Transition
from bertmt.registry.states import State
from bertmt.services.browse.detail_formatting import state_word
from bertmt.services.browse.details import history_of
from bertmt.services.browse.find.found import Found
from bertmt.services.browse.run_formatting import local_time
from tui.formatting.run_signs import MARK_OF_STATE, STYLE_OF_STATE
from tui.screens.run.panes.pane import Pane
from tui.widgets.frame import framed
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

COLUMNS = (
    Column(key="at", title="time", width=19, rank=3, meaning="when, on this machine's clock"),
    Column(key="attempt", title="attempt", width=7, rank=5, right=True, meaning="which go at the run"),
    Column(key="states", title="state", width=21, rank=1, meaning="from which state to which"),
    Column(key="actor", title="by", width=6, rank=4, meaning="who caused it"),
    Column(key="reason", title="reason", width=12, rank=2, elastic=True, meaning="why"),
)
ACTORS = {
    "person": "a person, from the command line or the dashboard",
    "claim": "the worker that took it",
    "event": "its own process, with its last event",
    "death": "whoever found that its process is gone",
    "import": "`bertmt import-run`, from what its folder tells",
    "worker": "the worker, which could not start it",
}


@dataclass(frozen=True)
class Numbered:
    """A transition and its place, by which it is known."""

    number: int
    transition: Transition


class HistoryPane(Pane):
    """The transitions, and below them the one under the cursor in full."""

    TITLE = "History"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Every change of the run's state, the last one first. Enter opens the log of that attempt.",
        "By: " + "; ".join(f"{name} ({meaning})" for name, meaning in ACTORS.items()) + ".",
    )
    DEFAULT_CSS = """
    HistoryPane #transition { height: auto; max-height: 50%; padding: 0 1; }
    """

    class LogWanted(Message):
        """Enter was pressed on a transition of an attempt."""

        def __init__(self, attempt: int):
            super().__init__()
            self.attempt = attempt

    def compose(self) -> ComposeResult:
        table: Table[Numbered] = Table(COLUMNS, _cell, lambda row: row.number)
        yield framed(table, "History", first=True)
        yield framed(TextLines(id="transition"), "In full")

    def __init__(self) -> None:
        super().__init__()
        self._found: Found | None = None

    def go_to(self, found: Found) -> None:
        self._found = found

    def focus_first(self) -> None:
        self.query_one(Table).focus()

    async def load(self, run: Run) -> None:
        found = await self.dashboard.ask(lambda session: history_of(session.database, run))
        rows = [Numbered(number, transition) for number, transition in enumerate(found)][::-1]
        self.query_one(Table).show(rows)
        if self._found is not None:
            self._found = None
            failed = next((row for row in rows if row.transition.state_after == State.FAILED), None)
            if failed is not None:
                self.query_one(Table).go_to(failed.number)

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        row = event.row
        if isinstance(row, Numbered) and row.transition.attempt:
            self.post_message(self.LogWanted(row.transition.attempt))

    @on(Table.Moved)
    def _moved(self, event: Table.Moved) -> None:
        row = event.row
        if isinstance(row, Numbered):
            self.query_one("#transition", TextLines).show(lambda width: _in_full(row.transition, width))


def _cell(row: Numbered, column: Column) -> Span:
    transition = row.transition
    match column.key:
        case "at":
            return Span(local_time(transition.at), "dim")
        case "attempt":
            return Span(str(transition.attempt) if transition.attempt else "", "dim")
        case "states":
            state = _state(state_word(transition))
            return Span(_states(transition), STYLE_OF_STATE.get(state, "") if state else "")
        case "actor":
            return Span(safe_text(transition.actor), "dim")
        case _:
            return Span(safe_text(transition.reason))


def _state(name: str) -> State | None:
    return State(name) if name in {each.value for each in State} else None


def _states(transition: Transition) -> str:
    """Both states; one where a run came into being, or where only something was noted."""
    state = _state(transition.state_after)
    sign = f"{MARK_OF_STATE[state]} " if state in MARK_OF_STATE else ""
    if state_word(transition) != transition.state_after:
        return state_word(transition)
    if transition.state_before in (None, transition.state_after):
        return sign + safe_text(transition.state_after)
    return f"{sign}{safe_text(transition.state_before)} → {safe_text(transition.state_after)}"


def _in_full(transition: Transition, width: int) -> list[Line]:
    by = ACTORS.get(transition.actor, transition.actor)
    head = f"{_states(transition)}, by {by}" + (f", attempt {transition.attempt}" if transition.attempt else "")
    texts: Sequence[tuple[str, str]] = ((safe_text(head), "dim"), (safe_text(transition.reason), ""))
    return [line(Span(part, style)) for text, style in texts for part in wrapped(text, width)]
