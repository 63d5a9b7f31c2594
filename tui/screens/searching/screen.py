"""A search: every recipe that it tried, its settings against the scores, and what may be said of the winner."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import NotFoundError
from bertmt.registry.records import Run
from bertmt.services.analysis.searching.charts import setting_charts
from bertmt.services.analysis.searching.formatting import how, outcome_lines
from bertmt.services.analysis.searching.looking import Tried
from bertmt.services.analysis.searching.report import Report, listed, report_of
from bertmt.services.analysis.searching.scoring import Scorer, scorer_of
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.searching.columns import columns_of, recipe_cell
from tui.screens.searching.setting_charts import SettingCharts
from tui.widgets.frame import framed
from tui.widgets.key_line import KeyLine
from tui.widgets.tables.columns import Column
from tui.widgets.tables.table import Table
from tui.widgets.text_lines import TextLines

ROOM_FOR_ALL = 30  # lines of the terminal from which on all is said of the outcome


class SearchScreen(RunActions):
    """The recipes, the charts of the settings, and the outcome.

    Args:
        name: of the search.
    """

    SUBJECT = "a search"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Every recipe that `bertmt search` tried, the best first. Half of dev chooses the winner; the other half, "
        "which has no part in any choice, confirms it: its score is the one to believe.",
        "Scores are those on the half that chooses. All recipes were trained equally far for the one at the first "
        "pause, which the charts set against the settings. Pruned runs keep their checkpoint: p resumes one, and it is "
        "trained to its end.",
        "Left and right go from setting to setting, ] and [ from search to search.",
    )
    DEFAULT_CSS = """
    SearchScreen #title { height: 1; background: $panel; }
    SearchScreen #body { height: 1fr; }
    SearchScreen Table { height: 1fr; }
    SearchScreen #outcome { height: auto; max-height: 8; padding: 0 1; }
    SearchScreen #charts-of { height: 11; padding: 0 1; }
    SearchScreen.-high #charts-of { height: 18; }
    SearchScreen.-huge #body { layout: horizontal; }
    SearchScreen.-huge #recipes { width: 3fr; }
    SearchScreen.-huge #charts-of { width: 2fr; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("right,l", "setting(1)", "right", "Chart of the next setting.", "search.setting"),
        key("left,h", "setting(-1)", "left", "Chart of the previous setting.", "search.setting_back"),
        key("right_square_bracket", "other(1)", "next", "The next search.", "search.next", True, "]"),
        key("left_square_bracket", "other(-1)", "previous", "The search before.", "search.previous", display="["),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._search = name
        self._report: Report | None = None
        self._scorer: Scorer | None = None

    def compose(self) -> ComposeResult:
        yield TextLines(self._title_lines, id="title")
        table: Table[Tried] = Table((), self._cell, lambda row: row.trial.run, id="recipes")
        with Container(id="body"):
            yield framed(table, "Recipes", first=True)
            yield framed(SettingCharts(id="charts-of"), "Settings against scores")
        yield framed(TextLines(self._outcome_lines, id="outcome"), "Outcome")
        yield KeyLine()

    def on_mount(self) -> None:
        self.draw()  # reading takes seconds on a busy machine
        self.table.focus()

    @property
    def table(self) -> "Table[Tried]":
        """The recipes."""
        return self.query_one("#recipes", Table)

    async def load(self) -> None:
        report = await self.dashboard.ask(self._read, slow=True)
        if self.is_left:
            return
        self._report = report
        self.table.show_columns(columns_of(report))
        self.table.show(report.ranked)
        self._show_charts()
        self.query_one("#title", TextLines).remake()
        self.query_one("#outcome", TextLines).remake()

    def _read(self, session: Session) -> Report:
        """On the registry's thread; what was scored before is kept, as long as it is the same registry and search."""
        self._scorer = scorer_of(session.database, self._search, self._scorer)
        return report_of(session.database, self._search, self._scorer)

    def _cell(self, row: Tried, column: Column) -> Span:
        return recipe_cell(row, column, self._report)

    @on(Table.Moved, "#recipes")
    def _show_charts(self) -> None:
        current = self.table.current
        if self._report is not None:
            charts = setting_charts(self._report, current.trial.number if current else None)
            self.query_one(SettingCharts).show(charts)

    def _title_lines(self, width: int) -> list[Line]:
        if self._report is None:
            name = Span(f" {safe_text(self._search)}  ", "title")
            return [cut_line(line(name, Span("Reading the search …", "dim")), width)]
        search, plan = self._report.looked.search, self._report.plan
        rungs = (
            f"epochs {', '.join(map(str, plan.rungs))}"
            if len(plan.rungs) > 1
            else f"{numbers.counted(plan.rungs[0], 'epoch')} each"
        )
        tried = numbers.counted(len(self._report.looked.tried), "recipe")
        about = f"{how(plan)}, {tried}, {rungs}, {'goes on' if search.ended_at is None else 'ended'}"
        return [cut_line(line(Span(f" {safe_text(search.name)}  ", "title"), Span(safe_text(about), "dim")), width)]

    def _outcome_lines(self, width: int) -> list[Line]:
        if self._report is None:
            return []
        said = outcome_lines(self._report, is_short=self.size.height < ROOM_FOR_ALL)
        return [line(part) for sentence in said for part in wrapped(sentence, width)]

    @on(Table.Chosen, "#recipes")
    def _chosen(self) -> None:
        run = self.current_run()
        if run is None:
            self.dashboard.notify("The run of this recipe was deleted.", severity="warning")
        else:
            self.open_screen(self.dashboard.run_screen(run))

    def current_run(self) -> Run | None:
        return self.table.current.run if self.table.current is not None else None

    def chosen_runs(self) -> list[Run]:
        run = self.current_run()
        return [] if run is None else [run]

    def action_setting(self, step: int) -> None:
        """Draw the chart of another setting first."""
        self.query_one(SettingCharts).turn(step)

    async def action_other(self, step: int) -> None:
        """Go to another search."""
        found = await self.dashboard.attempt(self.dashboard.ask(_names))
        if not found or len(found) < 2 or self._search not in found:
            self.dashboard.notify("There is no other search.")
            return
        self._search = found[(found.index(self._search) + step) % len(found)]
        self.reload()


def _names(session: Session) -> list[str]:
    """On the registry's thread: all searches, oldest first.

    Raises:
        NotFoundError: there is none.
    """
    found = [each.search.name for each in listed(session.database)]
    if not found:
        raise NotFoundError("There is no search.")
    return found
