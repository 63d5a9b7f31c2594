"""Two or more runs side by side: scores and differences, recipes, curves, confusion matrices."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.heatmap import Shown
from bertmt.drawing.styled import Line, Span
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.compare import Comparison, compare
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.dialogs.choice import Choice, Option
from tui.formatting.run_panels import CHARTS, panels_of, patterns
from tui.pictures import save_picture
from tui.registry_lane import Session
from tui.screens.compare.arms import ArmRow, Looks, Sides, arm_cell, columns_of, looks_of, sides_of
from tui.screens.compare.formatting import (
    format_left_out,
    recipe_page,
    score_page,
    sentence_lines,
)
from tui.screens.compare.matrices import CAPTIONS, RunMatrix, matrices_page, matrix_of, task_of
from tui.widgets.key_line import KeyLine
from tui.widgets.line_chart import LineChart
from tui.widgets.page import Page
from tui.widgets.tab_line import TabLine
from tui.widgets.table import Table

TABS = ("Scores", "Recipes", "Curves", "Confusion")
SCORES, RECIPES, CURVES, CONFUSION = range(4)
SHARE_OF_ARMS = 4  # the list of arms takes a fourth of the screen at most
# What a trained model scores is what a comparison is about; its training comes behind.
CHARTS_IN_ORDER = (CHARTS[1], CHARTS[0], *CHARTS[2:])


class CompareScreen(RunActions):
    """Runs in arms, one of which is the reference.

    Args:
        runs: two or more; the seeds of a recipe are one arm.
    """

    SUBJECT = "a comparison"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "The list on top names the arms: each is a run, or all marked seeds of a recipe. The others are compared "
        "with the first; f picks another. A run keeps its colour and its mark in all tabs.",
        "Run against run is paired by dev example, seeds against seeds by seed. A verdict needs a p value that holds "
        "after Holm's correction over all that is shown, and an interval without zero; undecided is not “no effect”.",
        "S is (1 + ρ)/2; the overall score is the mean over the tasks, with S in place of a correlation.",
        "Tab goes from the list of arms to what is below, and back.",
    )
    DEFAULT_CSS = """
    CompareScreen #arms { border-bottom: solid $border-blurred; }
    CompareScreen Page { padding: 0 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            key(str(index + 1), f"open({index})", title.lower(), f"Open {title}.", f"compare.tab{index + 1}")
            for index, title in enumerate(TABS)
        ),
        key("T", "make_first", "first", "Make this arm the reference.", "compare.first", shown=True),
        key("a", "apart", "seeds", "Single runs, or seeds grouped by recipe.", "compare.apart"),
        key("s", "save", "picture", "Save a picture of the curves (SVG) into the current folder.", "compare.save"),
        key("right_square_bracket", "other_task", "next", "Confusion of the next task.", "compare.task", shown=True,
            display="]"),
        key("percent_sign", "turn", "shares", "Counts, or shares.", "compare.shown", shown=True, display="%"),
        key("d", "differ", "change", "Counts minus the first run's, or plain counts.", "compare.differences",
            shown=True),
    ]  # fmt: skip

    def __init__(self, runs: Sequence[Run]):
        super().__init__()
        self._ids = tuple(run.id for run in sorted(runs, key=lambda run: run.key))
        self.tab = SCORES
        self.is_apart = False
        self._task_place = 0  # among those with classes
        self.shown: Shown = "counts"
        self.shows_differences = False
        self._reference: int | None = None  # key of a run
        self._sides = Sides()
        self._asked: Hashable = None  # what `_found` is, or will be, the comparison of
        self._found: Comparison | None = None
        self._problem = ""
        self._matrices: tuple[RunMatrix, ...] = ()
        self._starts: dict[int, int] = {}
        self._at: int | None = None  # key of the arm that the score page was scrolled to

    def compose(self) -> ComposeResult:
        yield TabLine(TABS, self.tab, (Span("compare", "title"),))
        columns = columns_of((), 0)
        arms: Table[ArmRow] = Table(
            columns, lambda row, column: arm_cell(row, column, self.looks), lambda row: row.key, id="arms"
        )
        yield arms
        yield Page(self._score_lines, id="scores")
        yield Page(self._recipe_lines, id="recipes", classes="hidden")
        yield LineChart(id="curves")
        yield Page(self._matrix_lines, id="confusion", classes="hidden")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_tab()

    @property
    def arms(self) -> "Table[ArmRow]":
        """The list of arms."""
        return self.query_one("#arms", Table)

    @property
    def looks(self) -> Looks:
        """How each run is known on this screen."""
        return looks_of(self._sides.runs, self.dashboard.ascii_only)

    async def load(self) -> None:
        sides, panels, matrices = await self.dashboard.ask(self._read)
        if not sides.present_runs:
            if self.is_active:  # else once what is above it is closed
                self.dashboard.notify("The runs of this comparison were removed.")
                self.leave_screen()
            return
        self._sides = sides
        self._show_arms()
        self.arms.styles.height = 2 + min(len(self._rows), max(2, self.size.height // SHARE_OF_ARMS))
        if self.tab == CURVES:
            self.query_one(LineChart).show(panels)
        self._matrices = matrices
        if sides.compared != self._asked:
            self._asked = sides.compared
            self._compare(sides)
        self._show_pages()

    @property
    def _rows(self) -> list[ArmRow]:
        return self._sides.rows(self._found)

    def _show_arms(self) -> None:
        self._show_columns()
        self.arms.show(self._rows)

    def _show_columns(self) -> None:
        self.arms.show_columns(columns_of(self._rows, self.size.width))

    def on_resize(self) -> None:
        self._show_columns()

    def _read(self, session: Session) -> tuple[Sides, list[Panel], tuple[RunMatrix, ...]]:
        """On the registry's thread: the runs as they are, and what the open tab needs."""
        session.runs.refresh()
        rows = [row for each in self._ids if (row := session.runs.row(each)) is not None]
        sides = sides_of(rows, self._sides.runs, self.is_apart, self._reference)
        panels: list[Panel] = []
        if self.tab == CURVES:
            curves = session.curves.update(sides.runs, patterns(CHARTS_IN_ORDER))
            panels = panels_of(curves, sides.runs, CHARTS_IN_ORDER)
        matrices = self._matrices
        if self.tab == CONFUSION:
            task = task_of(sides.present_runs, self._task_place)
            matrices = () if task is None else tuple(matrix_of(session, run, task) for run in sides.present_runs)
        return sides, panels, matrices

    @work(exclusive=True, group="compare")
    async def _compare(self, sides: Sides) -> None:
        """What takes seconds; what is shown stays until it is there."""
        groups = [arm.runs for arm in sides.arms]
        found, problem = None, ""
        self.query_one(TabLine).status = (Span("comparing … ", "accent"),)
        try:
            if len(groups) > 1:
                found = await self.dashboard.ask(lambda session: compare(session.database, groups), slow=True)
        except RegistryError as damage:
            self._asked = None
            self.dashboard.show_error(damage)
        except BertmtError as refusal:
            problem = str(refusal)
        self._found, self._problem = found, problem
        self._show_arms()
        self.query_one(TabLine).status = (Span(f"{len(self._rows)} arms ", "dim"),)
        self._show_pages()

    def _show_pages(self) -> None:
        for page, draw in (
            ("#scores", self._score_lines),
            ("#recipes", self._recipe_lines),
            ("#confusion", self._matrix_lines),
        ):
            self.query_one(page, Page).show(draw)

    def _score_lines(self, width: int) -> list[Line]:
        left_out = [run for arm in self._sides.left_out for run in arm.runs]
        if self._problem:
            return sentence_lines(self._problem, width)
        if self._found is not None:
            page = score_page(self._found, left_out, self.looks, width)
            self._starts = page.starts
            return page.lines
        if len(self._sides.arms) > 1:
            return sentence_lines(f"Comparing {len(self._sides.arms)} arms …", width)
        if not self._rows:
            return []
        return [*sentence_lines("Two arms with scores are needed; a run has some after its first epoch.", width), (),
                *format_left_out(left_out, width)]  # fmt: skip

    def _recipe_lines(self, width: int) -> list[Line]:
        rows = self._rows
        return recipe_page([row.arm for row in rows], self.looks, self.arms.cursor, width) if rows else []

    def _matrix_lines(self, width: int) -> list[Line]:
        task = task_of(self._sides.present_runs, self._task_place)
        if task is None:
            return sentence_lines("None of these runs trains a task with classes.", width)
        if not self._matrices:
            return []
        first = self._matrices[0] if self.shows_differences else None
        return matrices_page(self._matrices, self.looks, self.shown, first, task, width)

    def current_run(self) -> Run | None:
        return self.arms.current.arm.runs[0] if self.arms.current is not None else None

    def chosen_runs(self) -> list[Run]:
        return list(self.arms.current.arm.runs) if self.arms.current is not None else []

    def action_open(self, tab: int) -> None:
        """Open a tab."""
        if tab != self.tab:
            self.tab = tab
            self._show_tab()
            self.reload()

    @on(TabLine.Selected)
    def _tab_clicked(self, event: TabLine.Selected) -> None:
        self.action_open(event.index)

    def _show_tab(self) -> None:
        self.query_one(TabLine).active = self.tab
        for index, title in enumerate(TABS):
            self.query_one(f"#{title.lower()}").set_class(index != self.tab, "hidden")
        (self.query_one(LineChart) if self.tab == CURVES else self.arms).focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Some keys belong to one tab."""
        tab = {"save": CURVES, "other_task": CONFUSION, "turn": CONFUSION, "differ": CONFUSION}.get(action)
        return tab is None or tab == self.tab

    @on(Table.Moved, "#arms")
    def _moved(self, event: Table.Moved) -> None:
        """The page follows the cursor, once: who scrolls it on is not called back."""
        row = self.arms.current
        if row is not None and row.key != self._at:
            self._at = row.key
            self.query_one("#scores", Page).scroll_to(y=self._starts.get(row.key, 0), animate=False)
            self.query_one("#recipes", Page).show(self._recipe_lines)

    @on(Table.Chosen, "#arms")
    @work(group="act")
    async def _chosen(self) -> None:
        """Open the run; of several seeds a person says which."""
        runs = self.chosen_runs()
        if len(runs) > 1:
            options = [Option(run.key, f"{run.id} seed {run.seed}", run.name) for run in runs]
            chosen = await self.dashboard.ask_person(Choice("Open which run?", options))
            runs = [run for run in runs if run.key == chosen]
        if runs:
            self.open_run(runs[0])

    def action_make_first(self) -> None:
        row = self.arms.current
        if row is None or not row.has_scores:
            self.dashboard.notify("Only an arm with scores can be the reference.", severity="warning")
        else:
            self._reference = row.key
            self.reload()

    def action_apart(self) -> None:
        self.is_apart = not self.is_apart
        self.reload()

    @work(group="act")
    async def action_save(self) -> None:
        await self.dashboard.attempt(save_picture(self.dashboard, self.query_one(LineChart), "compare", *self._ids[:2]))

    def action_other_task(self) -> None:
        self._task_place += 1
        self.reload()

    def action_turn(self) -> None:
        ways = tuple(CAPTIONS)
        self.shown = ways[(ways.index(self.shown) + 1) % len(ways)]
        self.shows_differences = False
        self._show_pages()

    def action_differ(self) -> None:
        self.shows_differences = not self.shows_differences
        self._show_pages()
