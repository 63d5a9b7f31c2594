"""Everything about one run, in seven tabs; only the tab that is open reads anything."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line, plain, wrap_parts
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run, Transition
from bertmt.registry.states import ENDED, State
from bertmt.services.browse.alarms.rules import Alarm
from bertmt.services.browse.details import history_of
from bertmt.services.browse.rows import Row
from bertmt.services.lifecycle.applicable import QUEUED_AGAIN
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.formatting.run_signs import difference_span
from tui.formatting.run_standing import resilience_notes
from tui.registry_lane import Session
from tui.screens.run.panes.confusion import ConfusionPane
from tui.screens.run.panes.curves import CurvesPane
from tui.screens.run.panes.examples import ExamplesPane
from tui.screens.run.panes.history import HistoryPane
from tui.screens.run.panes.log import LogPane
from tui.screens.run.panes.pane import Pane
from tui.screens.run.panes.recipe import RecipePane
from tui.screens.run.panes.scrubbing import Scrub
from tui.screens.run.panes.similarity import SimilarityPane
from tui.widgets.form import sentence_lines
from tui.widgets.glance import about_line, alarm_lines, score_parts, scores_line
from tui.widgets.key_line import KeyLine
from tui.widgets.tab_line import TabLine
from tui.widgets.text_lines import TextLines

PANES: tuple[type[Pane], ...] = (
    CurvesPane,
    ConfusionPane,
    SimilarityPane,
    ExamplesPane,
    RecipePane,
    LogPane,
    HistoryPane,
)
GAP = "  "
MOST_LINES_BELOW = 3  # of what a run is at or why it failed
MOST_RESILIENCE_LINES = 2
MOST_SCORE_LINES = 4


class RunScreen(RunActions):
    """One run.

    Args:
        tab: which one is open at first, from 0.
    """

    SUBJECT = "a run"
    DEFAULT_CSS = """
    RunScreen #about { height: auto; padding: 0 1; }
    RunScreen #place { height: 1fr; }
    RunScreen #problem { height: 1fr; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            key(str(index + 1), f"open({index})", pane.TITLE.lower(), f"Open {pane.TITLE}.", f"run.tab{index + 1}")
            for index, pane in enumerate(PANES)
        ),
        key("n", "new", "new", "Queue new runs, from a copy of this run.", "run.new"),
        key(
            "c", "compare", "compare", "Compare with the marked runs, or with the baseline.", "run.compare", shown=True
        ),
    ]

    def __init__(self, run: Run, tab: int = 0):
        super().__init__()
        self.run = run
        self.tab = tab
        self.scrub = Scrub()
        self._row: Row | None = None
        self._transitions: Sequence[Transition] = ()
        self._alarms: Sequence[Alarm] = ()
        self._speed: float | None = None

    @property
    def GUIDE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - the name of the attribute
        """Of the tab that is open."""
        return (
            f"Everything about one run, in {len(PANES)} tabs; this one is {PANES[self.tab].TITLE}.",
            *PANES[self.tab].GUIDE,
        )

    def compose(self) -> ComposeResult:
        yield TabLine([pane.TITLE for pane in PANES], self.tab)
        yield TextLines(id="about")
        yield TextLines(id="problem", classes="hidden")
        yield Vertical(id="place")
        yield KeyLine()

    async def on_mount(self) -> None:  # type: ignore[override]  # Textual awaits it
        self._show_about()
        await self._open_pane(self.tab)

    @property
    def pane(self) -> Pane:
        """The tab that is open."""
        return self.query_one("#place").query_one(PANES[self.tab])

    async def _open_pane(self, tab: int) -> None:
        """Show a tab, made when it is opened first, and the open one only once it is there; the others keep theirs."""
        place = self.query_one("#place")
        if not place.query(PANES[tab]):
            await place.mount(PANES[tab]())
        self.tab = tab
        for pane in place.query_children(Pane):
            pane.set_class(pane is not self.pane, "hidden")
        self.pane.focus_first()

    async def action_open(self, tab: int) -> None:
        """Open a tab."""
        if tab == self.tab:
            return
        self.query_one(TabLine).active = tab
        await self._open_pane(tab)
        self.reload()

    @on(TabLine.Selected)
    async def _tab_clicked(self, event: TabLine.Selected) -> None:
        await self.action_open(event.index)

    @on(HistoryPane.LogWanted)
    async def _log_wanted(self, event: HistoryPane.LogWanted) -> None:
        await self.action_open(PANES.index(LogPane))
        self.query_one(LogPane).attempt = event.attempt

    async def load(self) -> None:
        row, transitions, alarms, speed = await self.dashboard.ask(self._look_up)
        if row is None:
            self._leave_removed()
            return
        is_other = (row.run.state, row.run.execution.request) != (self.run.state, self.run.execution.request)
        self._row, self.run, self._transitions, self._alarms = row, row.run, transitions, alarms
        self._speed = speed
        if is_other:
            self.refresh_bindings()
        self._show_about()
        pane, problem = self.pane, ""
        try:
            await pane.load(row.run)
        except RegistryError:
            raise
        except BertmtError as refusal:
            problem = str(refusal)
        if pane is self.pane:  # else another tab was opened meanwhile, and is loaded next
            self._show_problem(problem)

    def _look_up(self, session: Session) -> tuple[Row | None, Sequence[Transition], Sequence[Alarm], float | None]:
        """On the registry's thread: the run, its history, its alarms and its speed; no run where it was removed."""
        session.runs.refresh()
        row = session.runs.row(self.run.id)
        if row is None:
            return None, (), (), None
        alarms, speeds = session.alarms.of([row.run]), session.speeds.of([row.run])
        return row, history_of(session.database, row.run), alarms.get(row.run.id, ()), speeds.get(row.run.id)

    def _leave_removed(self) -> None:
        self._show_problem(f"Run {self.run.id} was removed from the registry; Esc goes back.")
        if self.is_active:  # else once what is above it is closed
            self.dashboard.notify(f"Run {self.run.id} was removed.")
            self.leave_screen()

    def _show_problem(self, sentence: str) -> None:
        """A sentence in the place of the tab; the tab again where there is none."""
        if sentence:
            self.set_focus(None)
        said = self.query_one("#problem", TextLines)
        said.set_class(not sentence, "hidden")
        said.show(lambda width: [line(Span(part, "dim")) for part in wrapped(safe_text(sentence), width)])
        self.query_one("#place").set_class(bool(sentence), "hidden")
        if self.focused is None and not sentence:
            self.pane.focus_first()

    def _show_about(self) -> None:
        self.query_one("#about", TextLines).show(self._about)

    def _about(self, width: int) -> list[Line]:
        """What the run is at and scores, and below it what happened to it that matters."""
        care = "; ".join(resilience_notes(self.run, self._transitions))
        below = sentence_lines(care, width - len(GAP), MOST_RESILIENCE_LINES, "dim") if care else []
        return [*self._facts(width), *alarm_lines(self._alarms, width), *(line(GAP, *each) for each in below)]

    def _facts(self, width: int) -> list[Line]:
        """What the run is, its scores and the difference from its baseline, on as few lines as they need."""
        about, scores, difference = about_line(self.run, self._speed), scores_line(self.run), self._difference()
        parts = [part for part in (scores, difference) if part]
        needed = sum(cells(plain(part)) + len(GAP) for part in parts)
        room = width - cells(plain(about))
        if needed <= room:
            return [(*about, Span(" " * (room - needed)), *(span for part in parts for span in (Span(GAP), *part)))]
        if difference and cells(plain(difference)) + len(GAP) <= room:
            about, parts = (*about, Span(GAP), *difference), parts[:-1]
        if cells(plain(scores)) > width:  # of many tasks
            parts = [*score_parts(self.run), *(part for part in parts if part is not scores)]
        return [*_with_its_end_below(about, width), *wrap_parts(parts, width)[:MOST_SCORE_LINES]]

    def _difference(self) -> Line:
        """From the run that it is compared with."""
        row = self._row
        if row is None or row.difference is None or row.baseline is None or row.baseline.key == row.run.key:
            return ()
        return (Span("Δ ", "dim"), difference_span(row.difference), Span(f" from {row.baseline.id}", "dim"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are there only where the run's state lets them do something."""
        if action == "cancel":
            return self.run.state not in ENDED
        if action in ("requeue", "from_start"):
            return self.run.state in QUEUED_AGAIN
        if action == "pause":
            return self.run.state in (State.RUNNING, State.PAUSED)
        return super().check_action(action, parameters)

    def current_run(self) -> Run:
        return self.run

    def chosen_runs(self) -> list[Run]:
        return [self.run]

    def action_compare(self) -> None:
        """Open the comparison with the marked runs or, where none is marked, with the baseline."""
        self._compare()

    @work(group="act")
    async def _compare(self) -> None:
        runs = await self.dashboard.attempt(self.dashboard.ask(self._compared))
        if runs is None:
            return
        if len(runs) > 1:
            self.open_comparison(runs)
        else:
            self.dashboard.notify(
                "Nothing to compare with: mark other runs in the list, or choose a baseline.", severity="warning"
            )

    def _compared(self, session: Session) -> list[Run]:
        """On the registry's thread: this run, then the others."""
        rows = [session.runs.row(each) for each in sorted(self.dashboard.marked - {self.run.id})]
        others = [row.run for row in rows if row is not None]
        baseline = self._row.baseline if self._row is not None else None
        if not others and baseline is not None and baseline.key != self.run.key:
            others = [baseline]
        return [self.run, *others]

    def action_back(self) -> None:
        """Leave what the tab has open, else the screen."""
        if not self.pane.leave_open():
            super().action_back()


def _with_its_end_below(about: Line, width: int) -> list[Line]:
    """The line; where it is too long, what a run is at or why it failed stands below its name."""
    if cells(plain(about)) <= width:
        return [about]
    last = about[-1]
    below = wrapped(last.text, width - len(GAP))[:MOST_LINES_BELOW]
    return [cut_line(about[:-1], width), *(line(GAP, Span(part, last.style)) for part in below)]
