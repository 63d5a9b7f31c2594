"""The curves of a run: losses, dev scores and all else that it measured, alone or with the marked runs."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.charts.curves import Panel
from bertmt.errors import NotFoundError
from bertmt.registry.records import Run
from bertmt.registry.states import State
from tui.bindings import key
from tui.formatting.run_panels import CHARTS, panels_of, patterns
from tui.registry_lane import Session
from tui.screens.run.panes.pane import Pane
from tui.widgets.frame import framed
from tui.widgets.line_chart import LineChart


class CurvesPane(Pane):
    """All charts of the run, a panel each."""

    TITLE = "Curves"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Every column of dots spans the smallest to the largest value of its steps, so no spike is lost; × on the "
        "axis marks a value that is not a number. Drag to move, scroll to zoom, click to read all values at a step.",
        "O overlays the runs marked in the list, each in its own colour and mark.",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "O", "overlay", "overlay", "Overlay the marked runs, or show this one alone.", "curves.overlay", shown=True
        ),
        key("s", "save", "picture", "Save a picture (SVG) into the current folder.", "curves.save"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.is_overlaid = False
        self._run: Run | None = None

    def compose(self) -> ComposeResult:
        yield framed(LineChart(), "Curves", first=True)

    @property
    def chart(self) -> LineChart:
        """The chart."""
        return self.query_one(LineChart)

    def focus_first(self) -> None:
        self.chart.focus()

    async def load(self, run: Run) -> None:
        self._run = run
        marked = sorted(self.dashboard.marked - {run.id}) if self.is_overlaid else []
        panels = await self.dashboard.ask(lambda session: _overlaid(session, run, marked))
        if not panels:
            raise NotFoundError(_nothing_yet(run))
        self.chart.show(panels)

    async def action_overlay(self) -> None:
        """With the marked runs, or without."""
        others = self.dashboard.marked - ({self._run.id} if self._run else set())
        if not others and not self.is_overlaid:
            self.dashboard.notify(
                "Mark other runs in the list with the space bar; O then draws them here.", severity="warning"
            )
            return
        self.is_overlaid = not self.is_overlaid
        self.chart.first_panel = 0
        if self._run is not None:
            await self.dashboard.attempt(self.load(self._run))

    def action_save(self) -> None:
        if self._run is not None:
            self.save(self.chart, self._run.id, "curves")


def _overlaid(session: Session, run: Run, marked: Sequence[str]) -> list[Panel]:
    """On the registry's thread: this run first, so that its colour stays."""
    rows = [session.runs.row(each) for each in marked]
    runs = [run, *(row.run for row in rows if row is not None)]
    curves = session.curves.update(runs, patterns(CHARTS))
    return panels_of(curves, runs, CHARTS)


def _nothing_yet(run: Run) -> str:
    """Why there are no curves, and what to do."""
    if run.state is State.QUEUED:
        return "No curves yet: the run waits in the queue. `bertmt worker` works it."
    if run.state is State.HELD:
        return f"No curves yet: the run is held. `bertmt release {run.id}` lets it start."
    if run.state is State.PAUSED:
        return "No curves yet: the run was paused before its first step. p resumes it."
    if run.state is State.RUNNING:
        return "No curves yet: they appear with the run's first step."
    return "This run ended before it measured anything; see its log (6) and history (7)."
