"""The list of runs, the first thing that a person sees: filtered, sorted, grouped, with the run at hand at a glance."""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from bertmt.drawing.facts import wrapped
from bertmt.drawing.looks import look_of
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span, line
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.browse.alarms.settings import rules_in_words
from bertmt.services.browse.rows import FIELDS, Row
from bertmt.services.browse.run_formatting import run_place
from bertmt.services.browse.run_list import STANDING, check_filter
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Tasks
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.dialogs.choice import Choice, Option
from tui.formatting.run_signs import ALARM_SIGN
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.screens.runs.beside import Beside, look_beside
from tui.screens.runs.column_choice import ColumnChoice
from tui.screens.runs.columns import GroupRow, arranged, cell, columns_of, first_key, key_of, marks_of, runs_of
from tui.screens.runs.filter_bar import FilterBar
from tui.screens.runs.guide import SENTENCES
from tui.screens.runs.its_search import open_search
from tui.screens.runs.listed import EMPTY, NOTHING_MATCHES, Listed, first_listed, whole_listed
from tui.screens.runs.mark_matching import mark_matching
from tui.screens.runs.no_room import NoRoom
from tui.screens.runs.predicted import PredictedPane
from tui.screens.runs.views import about, choose_view
from tui.settings import View
from tui.widgets.frame import framed
from tui.widgets.glance import Glance, Glimpse, glimpse_of
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.machine_strip import MachineStrip
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

MOST_SECONDS_TO_PAINT = 0.5
PAUSE_SECONDS = 0.06  # longer than between two keys of one that is held down


class RunsScreen(RunActions, HomeScreen):
    """The list, the run under the cursor, and the machine."""

    MODE = "runs"
    SUBJECT = "runs"
    AUTO_FOCUS = ""  # Textual's "*" finds the hidden filter first, and what is typed ahead would be typed into it
    DEFAULT_CSS = """
    RunsScreen #body { height: 1fr; layout: vertical; }
    RunsScreen #why-gone { height: auto; padding: 0 2; }
    RunsScreen #empty { padding: 1 2; height: 1fr; }
    RunsScreen Table { height: 1fr; }
    RunsScreen #aside { height: 40%; min-height: 9; }
    RunsScreen.-short #aside { display: none; }
    RunsScreen Glance { height: 3fr; }
    RunsScreen PredictedPane { height: 2fr; }
    RunsScreen.-huge #body { layout: horizontal; }
    RunsScreen.-huge Table { height: 1fr; width: 3fr; }
    RunsScreen.-huge #aside { height: 1fr; width: 2fr; }
    RunsScreen.-huge Glance #charts { layout: vertical; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("slash", "filter", "filter", "Filter the runs.", "runs.filter", shown=True, display="/"),
        key("f", "views", "views", "Choose a saved view, save this one, or delete one.", "runs.saved"),
        key("o", "order", "order", "Sort by a column; again to reverse.", "runs.order"),
        key("a", "group", "seeds", "One line for all seeds of a recipe: mean ± spread.", "runs.group"),
        key("C", "columns", "columns", "Choose the columns, and pin some at the left.", "runs.columns"),
        key(
            "c",
            "compare",
            "compare",
            "Compare the marked runs, or this one with its baseline.",
            "runs.compare",
            shown=True,
        ),
        key("ctrl+b", "search", "search", "Open the search that tried this run, or the newest.", "runs.search"),
        key("M", "mark_matching", "mark matching", "Mark all runs that match a query.", "runs.mark_matching"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.order = STANDING
        self.is_grouped = False
        self._open_groups: set[str] = set()
        self._listed: Listed | None = None
        self._tasks: Tasks = tasks_of(())
        self._beside = Beside()
        self._kept: Hashable | None = None  # the row that the cursor was on when there was one

    def compose(self) -> ComposeResult:
        yield HomeLine("runs")
        yield FilterBar()
        columns = columns_of(self._tasks)
        table: Table[Row | GroupRow] = Table(columns, self._cell, key_of, True, marks_of, self._mark_of, id="runs")
        with Container(id="body"):
            yield framed(table, "Runs", first=True)
            yield TextLines(id="empty", classes="hidden")
            with Vertical(id="aside"):
                yield framed(Glance(), "Run at the cursor")
                yield framed(PredictedPane(classes="hidden"), "Predictions")
        yield TextLines(id="why-gone", classes="hidden")
        yield NoRoom(classes="hidden")
        yield MachineStrip()
        yield KeyLine()

    @property
    def GUIDE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - the name of the attribute
        """With the rules of alarms as they are now."""
        return (*SENTENCES, rules_in_words())

    @property
    def table(self) -> "Table[Row | GroupRow]":
        """The list."""
        return self.query_one("#runs", Table)

    @property
    def filter_bar(self) -> FilterBar:
        """Where filters are typed."""
        return self.query_one(FilterBar)

    def on_mount(self) -> None:
        self._beside.ascii_only = self.dashboard.ascii_only
        self._show_columns()
        self.table.focus()
        self.watch(self.table, "scroll_y", self._scrolled, init=False)

    def _cell(self, row: Row | GroupRow, column: Column) -> Span:
        is_wrong = self._listed is not None and isinstance(row, Row) and row.run.id in self._listed.alarms
        # A run that goes wrong has the sign of that in the place of its state's.
        found = ALARM_SIGN if is_wrong and column.key == "state" else cell(row, column, self._beside)
        # What takes the rest of a row would cover it all where it stands at the left.
        return Span(found.text, found.style) if column.key in self.dashboard.settings.pinned else found

    def _mark_of(self, row: Row | GroupRow) -> Span:
        """A marked run has the colour and the mark that it has in charts; the seeds of a recipe those of the first."""
        run = min(runs_of(row), key=lambda run: run.key)
        references = self._listed.references if self._listed is not None else frozenset()
        look = look_of(run_place(run, references), self.dashboard.ascii_only)
        return Span(look.mark, look.style)

    async def load(self) -> None:
        is_plain = not self.filter_text and self.order == STANDING and not self.is_grouped
        if self._listed is None and is_plain and (first := await self.dashboard.ask(first_listed)) is not None:
            self.table.is_whole.clear()
            self._show(first)
            self.draw()
            await self._painted()
        try:
            self._show(await self.dashboard.ask(self._list))
        finally:
            self.table.is_whole.set()

    async def _painted(self) -> None:
        """Until what is shown was painted: reading the rest on another thread would hold that up."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        with suppress(TimeoutError):  # a screen that is covered is not painted
            await asyncio.wait_for(painted.wait(), MOST_SECONDS_TO_PAINT)

    def _show(self, listed: Listed) -> None:
        self._listed = listed
        self.filter_bar.know(listed.fields, listed.tasks, listed.matching if self.filter_text else 0, listed.total)
        self.query_one(HomeLine).show_counts(listed.counts, listed.scale)
        if listed.surroundings is not None:
            self.query_one(MachineStrip).show(listed.surroundings)
        is_empty = not listed.lines
        empty = self.query_one("#empty", TextLines)
        empty.set_class(not is_empty, "hidden")
        empty.show(NOTHING_MATCHES if listed.total else EMPTY)
        for part in (self.table, self.query_one("#aside")):
            part.set_class(is_empty, "hidden")
        if is_empty and self.focused is self.table:
            self.set_focus(None)  # keys of rows have nothing to do
        elif not is_empty and self.focused is None:
            self.table.focus()
        if listed.lines and listed.tasks != self._tasks:
            self._tasks = listed.tasks
            self._show_columns()
        self.table.sorted_by = self.order
        self.table.marked = self.dashboard.marked
        self._show_lines(listed.lines)
        self._tell_of_baselines(listed)
        self._look_beside()

    def _show_lines(self, lines: Sequence[Row | GroupRow]) -> None:
        """The cursor begins on the first running run, or on the newest; it stays where a person put it, also where
        nothing was listed in between."""
        current = self.table.current
        if current is not None:
            self._kept = key_of(current)
        self.table.show(lines)
        if current is None and lines and not (self._kept is not None and self.table.go_to(self._kept)):
            self.table.go_to(first_key(lines))

    def _tell_of_baselines(self, listed: Listed) -> None:
        said = self.query_one("#why-gone", TextLines)
        said.set_class(not listed.why_gone, "hidden")
        said.show(lambda width: [line(Span(part, "bad")) for part in wrapped(safe_text(listed.why_gone), width)])
        if listed.news:
            self.dashboard.notify(listed.news, severity="warning")

    def _scrolled(self) -> None:
        self._look_beside()

    @work(exclusive=True, group="beside")
    async def _look_beside(self) -> None:
        """Find out what stands beside the rows on screen; a key that scrolls them begins it anew."""
        with suppress(BertmtError):  # a registry that cannot be used is the load's to tell of
            async for row in look_beside(self.dashboard, self.table, self._beside):
                if self.is_left:
                    return
                self.table.redraw(*([row] if row is not None else []))
                if row is not None and row is self.table.current:
                    self.query_one(Glance).show_standing(self._beside.standing(row))

    def _list(self, session: Session) -> Listed:
        """On the registry's thread."""
        return whole_listed(session, self.filter_text, self.order, self._open_groups if self.is_grouped else None)

    def current_run(self) -> Run | None:
        row = self.table.current
        return row.run if isinstance(row, Row) else None

    def chosen_runs(self) -> list[Run]:
        runs: dict[str, Run] = {}
        for row in self.table.chosen_rows():
            runs |= {run.id: run for run in runs_of(row)}
        return list(runs.values())

    @on(Table.Moved, "#runs")
    @work(exclusive=True, group="glance")
    async def _moved(self) -> None:
        """The run at the cursor at a glance, once the cursor rests: a key that is held down draws rows alone."""
        await asyncio.sleep(PAUSE_SECONDS)
        row = self.table.current
        self.query_one(PredictedPane).follow(self.current_run())
        if isinstance(row, GroupRow):
            self.query_one(Glance).show_group(row.group)
            return
        run = self.current_run()
        glimpse: Glimpse | None = None
        if run is not None:
            glimpse = await self.dashboard.attempt(self.dashboard.ask(lambda session: glimpse_of(session, run)))
        if not self.is_left:
            self.query_one(Glance).show(glimpse, self._beside.standing(row) if isinstance(row, Row) else ())

    @on(Table.Chosen, "#runs")
    def _chosen(self, event: Table.Chosen) -> None:
        if isinstance(event.row, GroupRow):
            self._open_groups ^= {event.row.key}
            self.reload()
        elif isinstance(event.row, Row):
            self.open_run(event.row.run)

    @on(Table.TitleClicked, "#runs")
    def _title_clicked(self, event: Table.TitleClicked) -> None:
        if event.column.field:
            self._order_by(event.column.field)

    def _order_by(self, field: str) -> None:
        """Best or newest first; a second time the other way round."""
        downwards = f"-{field}"
        self.order = STANDING if field == STANDING else field if self.order == downwards else downwards
        self.reload()

    @work(group="act")
    async def action_order(self) -> None:
        options = [Option(each.field, each.title or each.key, each.meaning) for each in self._columns if each.field]
        options = [Option(STANDING, "standing", "running, waiting, newest"), *options, Option("ended_at", "ended")]
        chosen = await self.dashboard.ask_person(Choice("Order runs by", options))
        if isinstance(chosen, str):
            self._order_by(chosen)

    def action_group(self) -> None:
        self.is_grouped = not self.is_grouped
        self._show_columns()
        self.reload()

    @work(group="act")
    async def action_columns(self) -> None:
        options = [Option(each.key, each.title or each.key, each.meaning) for each in self._columns]
        shown = frozenset[Hashable](each.column.key for each in self.table.placed)
        settings = self.dashboard.settings
        found = await self.dashboard.ask_person(ColumnChoice(options, shown, settings.pinned))
        if found is not None:
            chosen, pinned = found
            names = [each.key for each in self._columns]
            changed = {name: name in chosen for name in names if (name in chosen) != (name in shown)}
            self.dashboard.change(columns={**settings.columns, **changed}, pinned=pinned)
            self._show_columns()

    @property
    def _columns(self) -> tuple[Column, ...]:
        """All columns that the shown runs have something for."""
        return columns_of(self._tasks, self.is_grouped)

    def _show_columns(self) -> None:
        settings = self.dashboard.settings
        self.table.show_columns(arranged(self._columns, settings.columns, settings.pinned))
        self._say_no_room()

    def on_resize(self) -> None:
        self.query_one(PredictedPane).take_room(self.size)
        self.call_after_refresh(self._say_no_room)

    def _say_no_room(self) -> None:
        self.query_one(NoRoom).say(self.table.columns, self.table.placed)

    def action_filter(self) -> None:
        self.filter_bar.begin()

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        self.filter_text = event.text
        self.reload()

    @on(FilterBar.Left)
    def _filter_left(self) -> None:
        self.table.focus()

    def set_filter(self, text: str) -> None:
        """Show the runs that match."""
        self.filter_text = text
        self.filter_bar.show(text)
        self.reload()

    @work(group="act")
    async def action_views(self) -> None:
        settings = self.dashboard.settings
        now = View(self.filter_text, self.order, self.is_grouped, settings.columns, settings.pinned)
        view = await choose_view(self.dashboard, now)
        if view is not None:
            self.show_view(view)

    def show_view(self, view: View) -> None:
        """Filter, order and columns of a view; a view of tasks that no run here trains is refused."""
        fields = self.filter_bar.fields
        problem = check_filter(view.filter, fields)
        if problem is not None:
            self.dashboard.notify(f"This view cannot be shown. {problem}", severity="warning")
            return
        if view.order is not None:
            is_known = view.order == STANDING or view.order.removeprefix("-") in fields
            self.order = view.order if is_known else STANDING
        self.is_grouped = self.is_grouped if view.seeds is None else view.seeds
        choices = {"columns": view.columns, "pinned": view.pinned}
        self.dashboard.change(**{name: value for name, value in choices.items() if value is not None})
        self._show_columns()
        self.set_filter(view.filter)

    def more_commands(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        for name, view in self.dashboard.settings.views.items():
            yield f"View: {safe_text(name)}", safe_text(about(view)), partial(self.show_view, view)

    @work(group="act")
    async def action_mark_matching(self) -> None:
        if await mark_matching(self.dashboard, self.filter_text, self._listed.fields if self._listed else FIELDS):
            self.reload()

    @work(group="act")
    async def action_search(self) -> None:
        row = self.table.current
        await open_search(self, self.dashboard, [] if row is None else list(runs_of(row)))

    def action_back(self) -> None:
        """Leave the filter's line, else take the filter away, else the marks."""
        if self.filter_bar.field.has_focus:
            self.filter_bar.close()
        elif self.filter_text:
            self.set_filter("")
        else:
            self.table.unmark()
