"""What a run is at and scores, and below it the tab that is open; only that one reads anything."""

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut_line, line, plain, wrap_parts
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run, Transition
from bertmt.services.browse.alarms.rules import Alarm
from bertmt.services.browse.details import history_of
from bertmt.services.browse.find.found import Found, Where
from bertmt.services.browse.rows import Row
from tui.formatting.run_signs import difference_span
from tui.formatting.run_standing import resilience_notes
from tui.host import Host, host_of
from tui.registry_lane import Session
from tui.screens.run.panes.confusion import ConfusionPane
from tui.screens.run.panes.curves import CurvesPane
from tui.screens.run.panes.examples import ExamplesPane
from tui.screens.run.panes.history import HistoryPane
from tui.screens.run.panes.log import LogPane
from tui.screens.run.panes.pane import Pane
from tui.screens.run.panes.recipe import RecipePane
from tui.screens.run.panes.similarity import SimilarityPane
from tui.widgets.form import sentence_lines
from tui.widgets.glance import about_line, alarm_lines, score_parts, scores_line
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
# Where what was found is shown; what is about a run as a whole in the first tab.
PANE_OF: Mapping[Where, type[Pane]] = {Where.LOG: LogPane, Where.SENTENCE: ExamplesPane, Where.FAILURE: HistoryPane}
GAP = "  "
MOST_LINES_BELOW = 3  # of what a run is at or why it failed
MOST_RESILIENCE_LINES = 2
MOST_SCORE_LINES = 4
MOST_BESIDE_ANOTHER = 2  # lines, where two runs share a small screen
ROOM_FOR_ALL = 30  # lines of the terminal from which on both say all


class OneRun(Vertical):
    """A run on a screen that shows one or several.

    Args:
        tab: which one is open at first, from 0.
        found: what is to be shown at first, in the tab that it stands in.
        beside: id of the run that it shares the screen with.

    Attributes:
        row: the run in a list; None before the first load.
        has_keys: it is the one that keys go to; others of the screen take no focus by themselves.
        is_told_removed: a person was told that it was removed.
    """

    DEFAULT_CSS = """
    OneRun { height: 1fr; }
    OneRun #about { height: auto; padding: 0 1; }
    OneRun #place { height: 1fr; }
    OneRun #problem { height: 1fr; padding: 1 2; }
    """

    class Removed(Message):
        """The registry has the run no longer."""

        def __init__(self, of: "OneRun"):
            super().__init__()
            self.of = of

    def __init__(self, run: Run, tab: int = 0, found: Found | None = None, has_keys: bool = True, beside: str = ""):
        super().__init__()
        self.run = run
        self.tab = PANES.index(PANE_OF.get(found.where, PANES[0])) if found is not None else tab
        self.row: Row | None = None
        self.has_keys = has_keys
        self.is_told_removed = False
        self.beside = beside
        self._found = found
        self._transitions: Sequence[Transition] = ()
        self._alarms: Sequence[Alarm] = ()
        self._speed: float | None = None

    def compose(self) -> ComposeResult:
        yield TextLines(id="about")
        yield TextLines(id="problem", classes="hidden")
        yield Vertical(id="place")

    async def on_mount(self) -> None:
        self._show_about()
        await self._open_pane(self.tab)

    @property
    def dashboard(self) -> Host:
        """The app, as far as a widget knows it."""
        return host_of(self)

    @property
    def pane(self) -> Pane:
        """The tab that is open."""
        return self.query_one("#place").query_one(PANES[self.tab])

    async def _open_pane(self, tab: int) -> None:
        """Show a tab, made when it is opened first, and the open one only once it is there; the others keep theirs."""
        place = self.query_one("#place")
        if not place.query(PANES[tab]):
            pane = PANES[tab]()
            pane.beside = self.beside
            await place.mount(pane)
        self.tab = tab
        if self._found is not None:
            self.pane.go_to(self._found)
            self._found = None
        for pane in place.query_children(Pane):
            pane.set_class(pane is not self.pane, "hidden")
        self.take_keys()

    async def turn_to(self, tab: int) -> None:
        """Open a tab; the next load fills it."""
        if tab != self.tab:
            await self._open_pane(tab)

    def take_keys(self) -> None:
        """Let keys go to the open tab, where they are this run's."""
        if self.has_keys:
            self.pane.focus_first()

    async def show_log(self, attempt: int) -> None:
        """Open the log of an attempt; the next load reads it."""
        await self.turn_to(PANES.index(LogPane))
        self.query_one(LogPane).show_attempt(attempt)

    async def load(self) -> None:
        """Read what is shown, and show it.

        Raises:
            RegistryError: the registry cannot be used.
        """
        row, transitions, alarms, speed = await self.dashboard.ask(self._look_up)
        if row is None:
            self.show_problem(f"Run {self.run.id} was removed from the registry; Esc goes back.")
            if not self.is_told_removed:
                self.post_message(self.Removed(self))
            return
        self.is_told_removed = False
        is_other = (row.run.state, row.run.execution.request) != (self.run.state, self.run.execution.request)
        self.row, self.run, self._transitions, self._alarms = row, row.run, transitions, alarms
        self._speed = speed
        if is_other:
            self.screen.refresh_bindings()
        self._show_about()
        pane, problem = self.pane, ""
        try:
            await pane.load(row.run)
        except RegistryError:
            raise
        except BertmtError as refusal:
            problem = str(refusal)
        if pane is self.pane:  # else another tab was opened meanwhile, and is loaded next
            self.show_problem(problem)

    def _look_up(self, session: Session) -> tuple[Row | None, Sequence[Transition], Sequence[Alarm], float | None]:
        """On the registry's thread: the run, its history, its alarms and its speed; no run where it was removed."""
        session.runs.refresh()
        row = session.runs.row(self.run.id)
        if row is None:
            return None, (), (), None
        alarms, speeds = session.alarms.of([row.run]), session.speeds.of([row.run])
        return row, history_of(session.database, row.run), alarms.get(row.run.id, ()), speeds.get(row.run.id)

    def show_problem(self, sentence: str) -> None:
        """A sentence in the place of the tab; the tab again where there is none."""
        if sentence and self.has_keys:
            self.screen.set_focus(None)
        said = self.query_one("#problem", TextLines)
        said.set_class(not sentence, "hidden")
        said.show(lambda width: [line(Span(part, "dim")) for part in wrapped(safe_text(sentence), width)])
        self.query_one("#place").set_class(bool(sentence), "hidden")
        if self.screen.focused is None and not sentence:
            self.take_keys()

    def _show_about(self) -> None:
        self.query_one("#about", TextLines).show(self._about)

    def _about(self, width: int) -> list[Line]:
        """What the run is at and scores, and below it what happened; in short where room is little."""
        care = "; ".join(resilience_notes(self.run, self._transitions))
        below = sentence_lines(care, width - len(GAP), MOST_RESILIENCE_LINES, "dim") if care else []
        found = [*self._facts(width), *alarm_lines(self._alarms, width), *(line(GAP, *each) for each in below)]
        has_little_room = self.beside and self.app.size.height < ROOM_FOR_ALL
        return self._in_short(width) if has_little_room and len(found) > MOST_BESIDE_ANOTHER else found

    def _in_short(self, width: int) -> list[Line]:
        """Two lines: what it is at, and its scores or, before there are any, what is wrong with it."""
        about, scores, difference = about_line(self.run, self._speed), scores_line(self.run), self._difference()
        rest = wrap_parts([part for part in (scores, difference) if part], width) or alarm_lines(self._alarms, width)
        return [cut_line(each, width) for each in (about, *rest[:1])]

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
        row = self.row
        if row is None or row.difference is None or row.baseline is None or row.baseline.key == row.run.key:
            return ()
        return (Span("Δ ", "dim"), difference_span(row.difference), Span(f" from {row.baseline.id}", "dim"))


def _with_its_end_below(about: Line, width: int) -> list[Line]:
    """The line; where it is too long, what a run is at or why it failed stands below its name."""
    if cells(plain(about)) <= width:
        return [about]
    last = about[-1]
    below = wrapped(last.text, width - len(GAP))[:MOST_LINES_BELOW]
    return [cut_line(about[:-1], width), *(line(GAP, Span(part, last.style)) for part in below)]
