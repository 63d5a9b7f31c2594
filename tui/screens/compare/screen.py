"""Two or more runs side by side: a forest of their differences, scores, recipes, curves, confusion matrices."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.events import DescendantFocus
from textual.geometry import Size
from textual.widget import Widget

from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.heatmap import Shown
from bertmt.drawing.styled import Line, Span
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.compare import Comparison
from bertmt.services.analysis.groups.more_seeds import MoreSeeds, compared
from bertmt.services.browse.times.along import Along
from bertmt.services.browse.times.axis_names import axis_after
from tui.actions.runs import RunActions
from tui.dialogs.choice import Choice, Option
from tui.pictures import save_picture
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.compare.arms import ArmRow, Looks, Sides, arm_cell, columns_of, runs_to_flip, seeds_of, sides_of
from tui.screens.compare.curves import ArmCurves
from tui.screens.compare.formatting import forest_page, format_left_out, recipe_page, score_page, sentence_lines
from tui.screens.compare.guide import GUIDE
from tui.screens.compare.keys import KEYS, TABS
from tui.screens.compare.matrices import CAPTIONS, ArmMatrix, Matrices, matrices_page, task_of
from tui.screens.compare.reporting import save_report
from tui.screens.compare.seeds import queue_seeds
from tui.widgets.frame import framed, name_frame
from tui.widgets.key_line import KeyLine
from tui.widgets.line_chart import LineChart
from tui.widgets.page import Page
from tui.widgets.tab_line import TabLine
from tui.widgets.tables.table import Table

SCORES, RECIPES, CURVES, CONFUSION = range(4)
# The panes of each tab. Where there is room all stand on one page, and the digits go from pane to pane.
PANES = (("forest", "scores"), ("recipes",), ("curves",), ("confusion",))
ONE_PAGE = Size(120, 36)  # cells from which on
SHARE_OF_ARMS = 4  # the list of arms takes a fourth of the screen at most


class CompareScreen(RunActions):
    """Runs in arms, one of which is the reference.

    Args:
        runs: two or more; the seeds of a recipe are one arm.
    """

    SUBJECT = "a comparison"
    GUIDE: ClassVar[tuple[str, ...]] = GUIDE
    DEFAULT_CSS = """
    CompareScreen Page { padding: 0 1; scrollbar-gutter: stable; }
    CompareScreen #panes, CompareScreen #others { height: 1fr; }
    CompareScreen #forest { height: auto; max-height: 60%; scrollbar-gutter: auto; }
    CompareScreen.one-page #others { layout: grid; grid-size: 2; grid-columns: 5fr 7fr; grid-rows: 6fr 5fr; }
    CompareScreen.one-page #forest { max-height: 20; }
    CompareScreen.one-page #scores { padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

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
        self._is_alone = False  # one pane, though there is room for all
        self._arm_curves, self._arm_matrices = ArmCurves(), Matrices()
        self._asked: Hashable = None  # what `_found` is, or will be, the comparison of
        self._found: Comparison | None = None
        self._wanted = MoreSeeds(())
        self._problem = ""
        self._matrices: tuple[ArmMatrix, ...] = ()
        self._starts: dict[int, int] = {}
        self._at: int | None = None  # key of the arm that the score page was scrolled to

    def compose(self) -> ComposeResult:
        yield TabLine(TABS, self.tab, (Span("compare", "title"),))
        columns = columns_of((), 0)
        arms: Table[ArmRow] = Table(
            columns, lambda row, column: arm_cell(row, column, self.looks), lambda row: row.key, id="arms"
        )
        yield framed(arms, "Arms", first=True)
        with Container(id="panes"):
            yield framed(Page(self._forest_lines, id="forest"), "Differences")
            with Container(id="others"):
                yield framed(LineChart(id="curves"), "Curves")
                yield framed(Page(self._matrix_lines, id="confusion"), "Confusion")
                yield framed(Page(self._recipe_lines, id="recipes"), "Recipes: what differs")
                yield framed(Page(self._score_lines, id="scores"), "Scores")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_tab()
        if self.shows_all:
            self.arms.focus()

    @property
    def shows_all(self) -> bool:
        """Whether all panes are on one page."""
        return self._has_room and not self._is_alone

    @property
    def _has_room(self) -> bool:
        return not in_words() and self.size.width >= ONE_PAGE.width and self.size.height >= ONE_PAGE.height

    @property
    def arms(self) -> "Table[ArmRow]":
        """The list of arms."""
        return self.query_one("#arms", Table)

    @property
    def looks(self) -> Looks:
        """How each arm is known on this screen."""
        return self._sides.looks(self.dashboard.ascii_only)

    async def load(self) -> None:
        sides, panels, placed, matrices = await self.dashboard.ask(self._read)
        if not sides.present_runs:
            if self.is_active:  # else once what is above it is closed
                self.dashboard.notify("The runs of this comparison were removed.")
                self.leave_screen()
            return
        self._sides = sides
        self._show_arms()
        rows = min(len(self._rows), max(2, self.size.height // SHARE_OF_ARMS))
        self.arms.styles.height = 1 + rows + self.arms.gutter.height
        if placed is not None:
            self.query_one(LineChart).show(panels, placed.axis)
            name_frame(self.query_one(LineChart), placed.title)
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
        if self.has_class("one-page") != self.shows_all:
            self._show_tab()
            self.reload()

    def _needs(self, tab: int) -> bool:
        return self.shows_all or self.tab == tab

    def _read(self, session: Session) -> tuple[Sides, list[Panel], Along | None, tuple[ArmMatrix, ...]]:
        """On the registry's thread: the runs as they are, and what the open tab needs."""
        session.runs.refresh()
        rows = [row for each in self._ids if (row := session.runs.row(each)) is not None]
        sides = sides_of(rows, self._sides, self.is_apart, self._reference, session.runs.baselines.references)
        panels: list[Panel] = []
        placed = None
        if self._needs(CURVES):
            floors = self._found.floors if self._found is not None else {}
            panels, placed = self._arm_curves.read(session, sides, self.dashboard.x_axis, floors)
        matrices = self._matrices
        if self._needs(CONFUSION):
            task = task_of(sides.present_runs, self._task_place)
            matrices = () if task is None else self._arm_matrices.of_arms(session, sides.all_arms, task)
        return sides, panels, placed, matrices

    @work(exclusive=True, group="compare")
    async def _compare(self, sides: Sides) -> None:
        """What takes seconds; what is shown stays until it is there."""
        groups = [arm.runs for arm in sides.arms]
        found, wanted, problem = None, MoreSeeds(()), ""
        self.query_one(TabLine).status = (Span("comparing … ", "accent"),)
        try:
            if len(groups) > 1:
                found, wanted = await self.dashboard.ask(lambda session: compared(session.database, groups), slow=True)
        except RegistryError as damage:
            self._asked = None
            self.dashboard.show_error(damage)
        except BertmtError as refusal:
            problem = str(refusal)
        self._found, self._wanted, self._problem = found, wanted, problem
        self._show_arms()
        self.query_one(TabLine).status = (Span(f"{len(self._rows)} arms ", "dim"),)
        self._show_pages()
        if found is not None and found.noise and self._needs(CURVES):  # which stands behind the curves
            self.reload()

    def _show_pages(self) -> None:
        for page, draw in (
            ("#forest", self._forest_lines),
            ("#scores", self._score_lines),
            ("#recipes", self._recipe_lines),
            ("#confusion", self._matrix_lines),
        ):
            self.query_one(page, Page).show(draw)

    def _forest_lines(self, width: int) -> list[Line]:
        if self._found is None or self._problem:
            return self._score_lines(width) if self.shows_all else []
        if in_words():  # its figures are those of the page of scores
            return []
        return forest_page(self._found, self.looks, width)

    def _score_lines(self, width: int) -> list[Line]:
        left_out = [run for arm in self._sides.left_out for run in arm.runs]
        if self._problem:
            return sentence_lines(self._problem, width)
        if self._found is not None:
            lines, self._starts = score_page(self._found, self._wanted, left_out, self.looks, width)
            return lines
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
        return matrices_page(self._matrices, self.looks, self.shown, self.shows_differences, task, width)

    def current_run(self) -> Run | None:
        return self.arms.current.arm.runs[0] if self.arms.current is not None else None

    def chosen_runs(self) -> list[Run]:
        return list(self.arms.current.arm.runs) if self.arms.current is not None else []

    def action_open(self, tab: int) -> None:
        """Open a tab. On one page go to its pane, and from there show it alone; alone, go back to the page."""
        is_there = tab == self.tab and self._pane.has_focus
        if self.shows_all and not is_there:
            self.tab = tab
            self._pane.focus()
            return
        if self._has_room and is_there:
            self._is_alone = not self._is_alone
        elif tab == self.tab:
            return
        self.tab = tab
        self._show_tab()
        self.reload()

    @property
    def _pane(self) -> Widget:
        """The first pane of the open tab."""
        return self.query_one(f"#{PANES[self.tab][0]}")

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """On one page the open tab is that of the pane that keys go to."""
        for tab, panes in enumerate(PANES):
            if event.widget.id in panes and tab != self.tab:
                self.tab = tab
                self._name_tab()

    def action_back(self) -> None:
        if self._has_room and self._is_alone:
            self._is_alone = False
            self._show_tab()
            self.reload()
        else:
            super().action_back()

    @on(LineChart.AxisWanted)
    def _axis_wanted(self) -> None:
        self.dashboard.x_axis = axis_after(self.dashboard.x_axis)
        self.reload()

    @on(TabLine.Selected)
    def _tab_clicked(self, event: TabLine.Selected) -> None:
        self.action_open(event.index)

    def _show_tab(self) -> None:
        self.set_class(self.shows_all, "one-page")
        for tab, panes in enumerate(PANES):
            for pane in panes:
                self.query_one(f"#{pane}").set_class(not self._needs(tab), "hidden")
        (self._pane if self.tab == CURVES or self._has_room else self.arms).focus()
        self._name_tab()

    def _name_tab(self) -> None:
        self.query_one(TabLine).active = self.tab
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Some keys belong to one tab."""
        tab = {"save": CURVES, "other_task": CONFUSION, "turn": CONFUSION, "differ": CONFUSION}.get(action)
        goes_on = parameters == ("tab",) and self.shows_all  # on one page Tab goes from pane to pane
        return tab is None or (self._needs(tab) and not goes_on)

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

    def action_flips(self) -> None:
        """What the run at the cursor fixed and broke since the reference; of seeds the first that both arms have."""
        row = self.arms.current
        runs = runs_to_flip(self._sides.arms, row.arm if row is not None else None)
        if runs is None:
            self.dashboard.notify("Two arms with scores are needed.", severity="warning")
        else:
            self.open_screen(self.dashboard.flips_screen(*runs, seeds_of(self._sides.arms, runs)))

    @work(group="act")
    async def action_queue(self) -> None:
        """Queue the seeds that would decide, once a person has seen how many runs and how long."""
        if await queue_seeds(self.dashboard, self._wanted):
            self._asked = None  # what lacks is others now
            self.reload()

    def action_apart(self) -> None:
        self.is_apart = not self.is_apart
        self.reload()

    @work(group="act")
    async def action_save(self) -> None:
        await self.dashboard.attempt(save_picture(self.dashboard, self.query_one(LineChart), "compare", *self._ids[:2]))

    @work(group="act")
    async def action_report(self) -> None:
        """All arms with scores, apart or together as they are shown, against the first."""
        await self.dashboard.attempt(save_report(self.dashboard, self._sides.arms))

    def action_other_task(self, key: str = "]") -> None:
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
