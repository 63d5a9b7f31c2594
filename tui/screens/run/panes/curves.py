"""The curves of a run: losses, dev scores and all else that it measured, alone or with the marked runs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from bertmt.drawing.charts.curves import Panel
from bertmt.errors import NotFoundError
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.evaluations import Evaluated, evaluated_tasks
from bertmt.services.browse.run_formatting import run_places
from bertmt.services.browse.times.along import Along
from bertmt.services.browse.times.axis_names import STEP, axis_after
from tui.bindings import bound, key
from tui.formatting.run_panels import CHARTS, panels_of, patterns, with_shared_axes
from tui.registry_lane import Session
from tui.screens.run.panes.scrubbing import ScrubPane, moment
from tui.screens.run.waiting import why_it_waits
from tui.widgets.frame import framed, name_frame
from tui.widgets.line_chart import LineChart


class CurvesPane(ScrubPane):
    """All charts of the run, a panel each."""

    TITLE = "Curves"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Every column of dots spans the smallest to the largest value of its steps, so no spike is lost; × on the "
        "axis marks a value that is not a number. Drag to move, scroll to zoom, click to read all values at a step.",
        ", and . go from one evaluation to another, here and on the tabs about predictions; 0 goes back to the newest.",
        "O overlays the runs marked in the list, each in its own colour and mark.",
        "X goes from steps to epochs and to the time that was trained: evaluations are part of it; pauses, the time "
        "between two attempts, and steps that were lost and done again are not.",
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
        self._evaluated: Evaluated | None = None
        self._at: tuple[int, float] | None = None  # the evaluation, and its place, that the cursor was brought to

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
        over, epoch = self.dashboard.x_axis, self.scrub.epoch
        beside = "" if marked else self.beside
        found = await self.dashboard.ask(lambda session: _read(session, run, marked, over, epoch, beside))
        if not found.panels:
            waits = run.state is State.QUEUED
            why = await self.dashboard.ask(lambda session: why_it_waits(session, run)) if waits else ""
            raise NotFoundError(_nothing_yet(run, why))
        self._evaluated = found.evaluated
        self.chart.show(found.panels, found.placed.axis)
        self._show_moment(found)

    def _show_moment(self, found: "Drawn") -> None:
        """The cursor goes where a person went to, once: from there it may be moved."""
        said, at = "", None
        if found.evaluated is not None and found.place is not None and self.scrub.epoch is not None:
            said, at = moment(found.evaluated, self.scrub.epoch), (self.scrub.epoch, found.place)
        if at != self._at:
            self._at = at
            self.chart.move_cursor_to(found.place, f"epoch {self.scrub.epoch}" if at else "")
        name_frame(self.chart, f"{found.placed.title}, {said}" if said else found.placed.title)

    def action_epoch(self, step: int) -> None:
        found = self._evaluated
        if found is None:
            self.dashboard.notify("Nothing was evaluated yet.")
            return
        self.scrub.go_to(found.neighbour(self.scrub.epoch_in(found), step), found)
        self._go_there()

    def action_selected_epoch(self) -> None:
        self.scrub.epoch = None
        self._go_there()

    @on(LineChart.Reset)
    def _reset(self) -> None:
        self.action_selected_epoch()

    @on(LineChart.AxisWanted)
    def _axis_wanted(self) -> None:
        self.dashboard.x_axis = axis_after(self.dashboard.x_axis)
        self._go_there()

    def _go_there(self) -> None:
        self._load_anew()
        self.post_message(self.Moved())

    @work(group="curves", exclusive=True)
    async def _load_anew(self) -> None:
        if self._run is not None:
            await self.dashboard.attempt(self.load(self._run))

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


@dataclass(frozen=True)
class Drawn:
    """What one look brings.

    Attributes:
        placed: what the panels are over.
        evaluated: of the first task that was evaluated; None: none was.
        place: of the evaluation that was gone to, on the axis; None: nowhere was gone to.
    """

    panels: Sequence[Panel]
    placed: Along
    evaluated: Evaluated | None
    place: float | None


def _read(session: Session, run: Run, marked: Sequence[str], over: str, epoch: int | None, beside: str) -> Drawn:
    """On the registry's thread."""
    evaluated = None
    with suppress(NotFoundError):
        evaluated = next(iter(evaluated_tasks(session.database, run, "", list(run.tasks)).values()), None)
    panels, placed = _overlaid(session, run, marked, over)
    other = session.runs.row(beside) if beside else None
    if other is not None:
        panels = with_shared_axes(panels, _overlaid(session, other.run, (), over)[0])
    step = evaluated.step_at(epoch) if evaluated is not None and epoch is not None else None
    axis = STEP if placed.is_of_steps else over
    place = None if step is None else session.axes.place(run, step, axis, placed.axis)
    return Drawn(panels, placed, evaluated, place)


def _overlaid(session: Session, run: Run, marked: Sequence[str], over: str) -> tuple[list[Panel], Along]:
    rows = [session.runs.row(each) for each in marked]
    runs = [run, *(row.run for row in rows if row is not None)]
    placed = session.axes.along(session.curves.update(runs, patterns(CHARTS)), over)
    return panels_of(placed.curves, runs, CHARTS, run_places(runs, session.runs.baselines.references)), placed


def _nothing_yet(run: Run, why: str) -> str:
    """Why there are no curves, and what to do; of a run in the queue that is `why`, a sentence."""
    if run.state is State.QUEUED:
        return f"No curves yet: the run waits in the queue. {why}"
    if run.state is State.HELD:
        return f"No curves yet: the run is held. `bertmt release {run.id}` lets it start."
    if run.state is State.PAUSED:
        return f"No curves yet: the run was paused before its first step. {bound('runs.pause')} resumes it."
    if run.state is State.RUNNING:
        return "No curves yet: they appear with the run's first step."
    return "This run ended before it measured anything; see its log (6) and history (7)."
