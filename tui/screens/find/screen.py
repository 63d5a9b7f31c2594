"""Finding a text in all that is known of the runs, and going to where it stands."""

import asyncio
from collections.abc import Collection
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from bertmt.drawing.numbers import count, counted, named
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found
from bertmt.services.browse.find.search import LEAST_TEXT, MOST_OF_A_KIND, MOST_OF_A_LOG, Search
from bertmt.services.browse.run_list import STANDING
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.find.rows import COLUMNS, FoundRow, cell, in_full, rows_of
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

PAUSE_SECONDS = 0.2  # of keys, before a search begins
# What keys do to runs, and leaving; letters are no keys while a text is typed.
OF_RUNS = {each.action for each in (*RunActions.BINDINGS, *DashboardScreen.BINDINGS) if isinstance(each, Binding)}
OF_RUNS = OF_RUNS - {"back", "find"} | {"compare"}
SLICE_SECONDS = 0.05  # of a search at once: others wait for the registry too


class FindScreen(RunActions):
    """What is typed, and what was found so far, run by run.

    Args:
        first: ids of the runs that are looked through first, and whose sentences are all told.
    """

    SUBJECT = "finding"
    AUTO_FOCUS = "#text"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "What you type is looked for, in capitals or not, in the names, ids, presets, tags, notes and failures of all "
        "runs, in the dev sentences that they predicted, and in their logs. Enter goes to the list, there to where a "
        "line stands: the line of the log, the sentence in Examples, the failure in History, else the run.",
        "A sentence that many runs predicted is told once, of the newest of them, and of those that were marked. "
        f"{MOST_OF_A_KIND} lines of each kind are told at most, {MOST_OF_A_LOG} of a log. "
        "Keys act on the marked runs, or on that of the line.",
    )
    DEFAULT_CSS = """
    FindScreen #text { border: none; height: 1; padding: 0 1; background: $panel; }
    FindScreen #state { height: 1; padding: 0 1; }
    FindScreen #line { height: auto; max-height: 40%; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("c", "compare", "compare", "Compare the marked runs, or this one with its baseline.", "find.compare"),
    ]

    def __init__(self, first: Collection[str] = ()):
        super().__init__()
        self._first = first
        self._text = ""
        self._search: Search | None = None
        self._found: list[Found] = []

    def compose(self) -> ComposeResult:
        yield Input(placeholder="a word or more: of a name, a note, a log, a failure, a sentence", id="text")
        yield TextLines(self._state, id="state")
        table: Table[FoundRow] = Table(COLUMNS, cell, lambda row: row.key, True, lambda row: [row.run.id], id="found")
        yield framed(table, "Found", first=True)
        yield framed(TextLines(id="line"), "In full")
        yield KeyLine()

    def on_mount(self) -> None:
        self.table.marked = self.dashboard.marked

    @property
    def table(self) -> "Table[FoundRow]":
        """What was found."""
        return self.query_one("#found", Table)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of runs are keys once a list is at hand."""
        if action in OF_RUNS and not (self.is_mounted and self.table.has_focus):
            return False
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """What is typed before the line is there belongs into it."""
        if self.focused is None and event.character is not None and event.is_printable:
            self.query_one("#text", Input).insert_text_at_cursor(event.character)
            event.stop()

    def current_run(self) -> Run | None:
        row = self.table.current
        return None if row is None else row.run

    def chosen_runs(self) -> list[Run]:
        return list({row.run.id: row.run for row in self.table.chosen_rows()}.values())

    @on(Input.Changed, "#text")
    def _typed(self, event: Input.Changed) -> None:
        self._find(event.value.strip())

    @on(Input.Submitted, "#text")
    def _entered(self) -> None:
        self.table.focus()

    @work(exclusive=True, group="find")
    async def _find(self, text: str) -> None:
        """Look for a text; another that is typed meanwhile takes its place."""
        if self.dashboard.poll_seconds:
            await asyncio.sleep(PAUSE_SECONDS)
        self._text, self._search, self._found = text, None, []
        if len(text) >= LEAST_TEXT:
            try:
                runs = await self.dashboard.ask(_all_runs)  # which that lane has read already
                search = await self.dashboard.ask(
                    lambda session: Search(session.database, runs, text, self._first), slow=True
                )
                self._search = search
                self._show()
                while not search.is_over and not self.is_left:
                    more = await self.dashboard.ask(lambda session: search.go_on(SLICE_SECONDS), slow=True)
                    self._found += more
                    self._show(bool(more))
            except BertmtError as problem:
                self.dashboard.show_error(problem)
        self._show()

    def _show(self, is_more: bool = True) -> None:
        """What was found where there is more of it, and how far the search is."""
        if not self.is_left:
            if is_more:
                self.table.show(rows_of(self._found))
            self.query_one("#state", TextLines).remake()

    def _state(self, width: int) -> list[Line]:
        """How much was found, and what is still looked through."""
        search = self._search
        if search is None:
            return [line(Span(f"At least {LEAST_TEXT} characters." if self._text else "", "dim"))]
        runs = len({each.run.key for each in self._found})
        found = f"{counted(len(self._found), 'line')} in {counted(runs, 'run')}" if self._found else "Nothing found"
        if not search.is_over:
            found = found if self._found else "Nothing found yet"
            read = f"reading logs, {count(search.logs_read)} of {count(search.logs)}"
            return [cut_line(line(found, Span(f"  {read} …", "dim")), width)]
        more = [f"more in {named(sorted(search.cut))}: type more of it"] if search.cut else []
        more += [f"{counted(search.unreadable, 'log')} cannot be read"] if search.unreadable else []
        said = "; ".join(more) or "all was looked through"
        return [cut_line(line(found, Span(f"  ({said})", "dim")), width)]

    @on(Table.Moved, "#found")
    def _moved(self) -> None:
        row = self.table.current
        found, text = row.found if row is not None else None, self._text
        self.query_one("#line", TextLines).show(lambda width: in_full(found, text, width) if found else [])

    @on(Table.Chosen, "#found")
    def _chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, FoundRow):
            self.open_screen(self.dashboard.run_screen(event.row.run, event.row.found))

    def action_find(self) -> None:
        self.query_one("#text", Input).focus()

    def action_back(self) -> None:
        """From the list to what is typed, else leave."""
        if self.table.has_focus:
            self.action_find()
        else:
            self.leave_screen()


def _all_runs(session: Session) -> list[Run]:
    """On the registry's thread: in the order of the list."""
    session.runs.refresh()
    return [row.run for row in session.runs.rows("", STANDING)]
