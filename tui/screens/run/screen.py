"""Everything about one run, in seven tabs; only the tab that is open reads anything."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.registry.records import Run
from bertmt.registry.states import ENDED, State
from bertmt.services.browse.find.found import Found
from bertmt.services.lifecycle.applicable import QUEUED_AGAIN
from tui.actions.runs import RunActions
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.one_run import PANES, OneRun
from tui.screens.run.panes.history import HistoryPane
from tui.screens.run.panes.pane import Pane
from tui.screens.run.panes.scrubbing import Scrub
from tui.widgets.key_line import KeyLine
from tui.widgets.tab_line import TabLine


class RunScreen(RunActions):
    """One run.

    Args:
        tab: which one is open at first, from 0.
        found: what is to be shown at first, in the tab that it stands in.
    """

    SUBJECT = "a run"
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

    def __init__(self, run: Run, tab: int = 0, found: Found | None = None):
        super().__init__()
        self.scrub = Scrub()
        self.halves = [OneRun(run, tab, found)]

    @property
    def half(self) -> OneRun:
        """The run that keys go to."""
        return next(each for each in self.halves if each.has_keys)

    @property
    def run(self) -> Run:
        """What is known of it now."""
        return self.half.run

    @property
    def tab(self) -> int:
        """Which one is open."""
        return self.half.tab

    @property
    def pane(self) -> Pane:
        """The tab that is open."""
        return self.half.pane

    @property
    def GUIDE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - the name of the attribute
        """Of the tab that is open."""
        return (
            f"Everything about one run, in {len(PANES)} tabs; this one is {PANES[self.tab].TITLE}.",
            *PANES[self.tab].GUIDE,
        )

    def compose(self) -> ComposeResult:
        yield TabLine([pane.TITLE for pane in PANES], self.tab)
        yield from self.halves
        yield KeyLine()

    async def action_open(self, tab: int) -> None:
        """Open a tab, of every run that is shown."""
        if tab == self.tab:
            return
        self.query_one(TabLine).active = tab
        for each in self.halves:
            await each.turn_to(tab)
        self.reload()

    @on(TabLine.Selected)
    async def _tab_clicked(self, event: TabLine.Selected) -> None:
        await self.action_open(event.index)

    @on(HistoryPane.LogWanted)
    async def _log_wanted(self, event: HistoryPane.LogWanted) -> None:
        half = self.half
        await half.show_log(event.attempt)
        self.query_one(TabLine).active = half.tab
        for each in self.halves:
            await each.turn_to(half.tab)
        self.reload()

    async def load(self) -> None:
        for each in self.halves:
            await each.load()

    @on(OneRun.Removed)
    def _removed(self, event: OneRun.Removed) -> None:
        if self.is_active:  # else once what is above it is closed
            event.of.is_told_removed = True
            self.dashboard.notify(f"Run {event.of.run.id} was removed.")
            self.leave_removed()

    def leave_removed(self) -> None:
        """Nothing is left to be seen."""
        self.leave_screen()

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
        others = await self.dashboard.attempt(self.dashboard.ask(self._others))
        if others:
            self.open_comparison([self.run, *others])
        elif others is not None:
            self._compare_with_baseline(self.run)

    def _others(self, session: Session) -> list[Run]:
        """On the registry's thread: the marked runs besides this one."""
        rows = [session.runs.row(each) for each in sorted(self.dashboard.marked - {self.run.id})]
        return [row.run for row in rows if row is not None]

    def action_back(self) -> None:
        """Leave what the tab has open, else the screen."""
        if not self.pane.leave_open():
            super().action_back()
