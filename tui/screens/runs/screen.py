"""The list of runs, the first thing that a person sees: filtered, sorted, grouped, with the run at hand at a glance."""

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widgets import Input

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span, line
from bertmt.errors import BertmtError
from bertmt.recipe.marks import MARKS
from bertmt.registry.records import Run
from bertmt.services.browse.rows import FIELDS, Row
from bertmt.services.browse.run_formatting import common_scale
from bertmt.services.browse.run_list import STANDING, check_filter
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Tasks
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.dialogs.choice import Choice, Option, Switches
from tui.formatting.run_signs import ALARM_SIGN, MARK_OF_REQUEST, MARK_OF_STATE
from tui.registry_lane import Session
from tui.screens.home_screen import HomeScreen
from tui.screens.runs.beside import MARK_OF_VERDICT, Beside, look_beside
from tui.screens.runs.columns import GroupRow, cell, columns_of, first_key, key_of, marks_of, runs_of
from tui.screens.runs.listed import EMPTY, NOTHING_MATCHES, Listed
from tui.screens.runs.mark_matching import mark_matching
from tui.screens.runs.no_room import NoRoom
from tui.screens.runs.saved_filters import choose_filter
from tui.widgets.frame import framed
from tui.widgets.glance import Glance, Glimpse, glimpse_of
from tui.widgets.home_line import HomeLine
from tui.widgets.key_line import KeyLine
from tui.widgets.machine_strip import MachineStrip, surroundings_of
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines


class RunsScreen(RunActions, HomeScreen):
    """The list, the run under the cursor, and the machine."""

    MODE = "runs"
    SUBJECT = "runs"
    AUTO_FOCUS = ""  # Textual's "*" finds the hidden filter first, and what is typed ahead would be typed into it
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Every run of the registry: running ones, then the queue in its order, then the newest. Keys act on the marked "
        "runs, or on the one under the cursor if none is marked. Quitting stops nothing: runs belong to workers.",
        "States: "
        + ", ".join(f"{sign} {state}" for state, sign in MARK_OF_STATE.items())
        + "; "
        + ", ".join(f"{sign.text} {word}" for word, sign in MARK_OF_REQUEST.items())
        + f"; {ALARM_SIGN.text} running, with an alarm (`[alarms]` of bertmt.toml: diverges, stalls, behind, on).",
        "Toggles: " + ", ".join(f"{mark.letter} {mark.meaning}" for mark in MARKS) + ".",
        "Δ is the mean difference from the baseline ★ over the tasks that both trained, a correlation x as "
        "(1 + x)/2, as in the overall score. b chooses the baseline; else it is the first `baseline` of equal scale "
        "that finished, of the same seed where there is one.",
        "Verdicts: "
        + ", ".join(f"{sign.text} {word}" for word, sign in MARK_OF_VERDICT.items())
        + ", each run judged alone against its baseline, as c does it. Undecided is not “no effect”; and of 20 runs "
        "that differ in nothing one is better or worse by chance.",
        "A filter such as `state:running lora>0 overall>0.5 tag:x -tag:y seed:1 | preset=final` names fields of a run "
        "and of its recipe; a bare word is looked for in names, ids, presets and tags.",
    )
    DEFAULT_CSS = """
    RunsScreen #body { height: 1fr; layout: vertical; }
    RunsScreen #filter { border: none; height: 1; padding: 0 1; background: $panel; }
    RunsScreen #filter-problem { height: auto; padding: 0 1; }
    RunsScreen #why-gone { height: auto; padding: 0 2; }
    RunsScreen #empty { padding: 1 2; height: 1fr; }
    RunsScreen Table { height: 1fr; }
    RunsScreen Glance { height: 40%; min-height: 9; }
    RunsScreen.-short Glance { display: none; }
    RunsScreen.-huge #body { layout: horizontal; }
    RunsScreen.-huge Table { height: 1fr; width: 3fr; }
    RunsScreen.-huge Glance { height: 1fr; width: 2fr; }
    RunsScreen.-huge Glance #charts { layout: vertical; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("slash", "filter", "filter", "Filter the runs.", "runs.filter", shown=True, display="/"),
        key("f", "saved", "saved filters", "Choose a saved filter, save this one, or forget one.", "runs.saved"),
        key("o", "order", "order", "Sort by a column; again to reverse.", "runs.order"),
        key("a", "group", "seeds", "One line for all seeds of a recipe: mean ± spread.", "runs.group"),
        key("C", "columns", "columns", "Choose the columns.", "runs.columns"),
        key("c", "compare", "compare", "Compare the marked runs.", "runs.compare", shown=True),
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
        yield Input(placeholder="state:running lora>0 overall>0.5 tag:x -tag:y", id="filter", classes="hidden")
        yield TextLines(id="filter-problem", classes="hidden")
        columns = columns_of(self._tasks)
        table: Table[Row | GroupRow] = Table(columns, self._cell, key_of, True, marks_of, id="runs")
        with Container(id="body"):
            yield framed(table, "Runs", first=True)
            yield TextLines(id="empty", classes="hidden")
            yield framed(Glance(), "Run at the cursor")
        yield TextLines(id="why-gone", classes="hidden")
        yield NoRoom(classes="hidden")
        yield MachineStrip()
        yield KeyLine()

    @property
    def table(self) -> "Table[Row | GroupRow]":
        """The list."""
        return self.query_one("#runs", Table)

    def on_mount(self) -> None:
        self._beside.ascii_only = self.dashboard.ascii_only
        self._show_columns()
        self.table.focus()
        self.watch(self.table, "scroll_y", self._scrolled, init=False)

    def _cell(self, row: Row | GroupRow, column: Column) -> Span:
        is_wrong = self._listed is not None and isinstance(row, Row) and row.run.id in self._listed.alarms
        # A run that goes wrong has the sign of that in the place of its state's.
        return ALARM_SIGN if is_wrong and column.key == "state" else cell(row, column, self._beside)

    async def load(self) -> None:
        listed = await self.dashboard.ask(self._list)
        self._listed = listed
        self.query_one(HomeLine).show_counts(listed.counts, listed.scale)
        self.query_one(MachineStrip).show(listed.surroundings)
        is_empty = not listed.lines
        empty = self.query_one("#empty", TextLines)
        empty.set_class(not is_empty, "hidden")
        empty.show(NOTHING_MATCHES if listed.total else EMPTY)
        for part in (self.table, self.query_one(Glance)):
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
                self.table.redraw()
                if row is not None and row is self.table.current:
                    self.query_one(Glance).show_standing(self._beside.standing(row))

    def _list(self, session: Session) -> Listed:
        """On the registry's thread: the lines as filter, order and groups want them."""
        session.runs.refresh()
        lines: list[Row | GroupRow] = []
        if self.is_grouped:
            for group in session.runs.groups(self.filter_text, self.order):
                head = GroupRow(group, False)
                is_open = head.key in self._open_groups
                lines += [GroupRow(group, is_open), *(group.rows if is_open else ())]
        else:
            lines += session.runs.rows(self.filter_text, self.order)
        runs = [run for each in lines for run in runs_of(each)]
        counts = session.runs.counts()
        return Listed(
            lines=lines,
            tasks=tasks_of(runs),
            fields=session.runs.fields(),
            total=sum(counts.values()),
            counts=counts,
            surroundings=surroundings_of(session),
            scale=common_scale(runs),
            why_gone=session.runs.baselines.why_gone,
            news=session.runs.told_of_baselines(),
            alarms=session.alarms.of(runs),
        )

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
        row = self.table.current
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
        chosen = await self.dashboard.ask_person(
            Switches("Columns of the runs, where there is room for them", options, shown)
        )
        if chosen is not None:
            names = [each.key for each in self._columns]
            changed = {name: name in chosen for name in names if (name in chosen) != (name in shown)}
            self.dashboard.change(columns={**self.dashboard.settings.columns, **changed})
            self._show_columns()

    @property
    def _columns(self) -> tuple[Column, ...]:
        """All columns that the shown runs have something for."""
        return columns_of(self._tasks, self.is_grouped)

    def _show_columns(self) -> None:
        """The columns that nobody switched off; one that was switched on goes before those that nobody named."""
        wanted = self.dashboard.settings.columns
        shown = [each for each in self._columns if wanted.get(each.key, True)]
        self.table.show_columns([replace(each, from_width=0, rank=0) if each.key in wanted else each for each in shown])
        self._say_no_room()

    def on_resize(self) -> None:
        self.call_after_refresh(self._say_no_room)

    def _say_no_room(self) -> None:
        self.query_one(NoRoom).say(self.table.columns, self.table.placed)

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.remove_class("hidden")
        field.value = self.filter_text
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        """Each key that leaves a filter that can be understood filters; one that cannot says why."""
        problem = self._check_filter(event.value)
        said = self.query_one("#filter-problem", TextLines)
        said.set_class(problem is None, "hidden")
        said.show(lambda width: [line(Span(part, "bad")) for part in wrapped(safe_text(problem or ""), width)])
        if problem is None and event.value != self.filter_text:
            self.filter_text = event.value
            self.reload()

    @on(Input.Submitted, "#filter")
    def _filter_entered(self, event: Input.Submitted) -> None:
        if self._check_filter(event.value) is None:  # else the field stays open, with what is wrong below it
            self._close_filter()

    def _check_filter(self, text: str) -> str | None:
        return check_filter(text, self._listed.fields) if self._listed is not None else check_filter(text)

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).set_class(not self.filter_text, "hidden")
        self.query_one("#filter-problem").add_class("hidden")
        self.table.focus()

    def set_filter(self, text: str) -> None:
        """Show the runs that match."""
        self.filter_text = text
        field = self.query_one("#filter", Input)
        field.value = text
        field.set_class(not text, "hidden")
        self.reload()

    @work(group="act")
    async def action_saved(self) -> None:
        query = await choose_filter(self.dashboard, self.filter_text)
        if query is not None:
            self.set_filter(query)

    @work(group="act")
    async def action_mark_matching(self) -> None:
        if await mark_matching(self.dashboard, self.filter_text, self._listed.fields if self._listed else FIELDS):
            self.reload()

    def action_back(self) -> None:
        """Leave the filter's line, else take the filter away, else the marks."""
        if self.query_one("#filter", Input).has_focus:
            self._close_filter()
        elif self.filter_text:
            self.set_filter("")
        else:
            self.table.unmark()
