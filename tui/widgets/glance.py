"""The run under the cursor at a glance: what it is at, its curves, its last scores, its last log line."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical

from bertmt.drawing import numbers
from bertmt.drawing.curves import Panel
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.logs import read_log
from bertmt.services.run_words import doing
from tui.registry_lane import Session
from tui.run_columns import state_sign
from tui.run_panels import AT_A_GLANCE, panels_of, patterns
from tui.widgets.line_chart import LineChart
from tui.widgets.text_lines import TextLines


@dataclass(frozen=True)
class Glimpse:
    """What is shown of a run."""

    run: Run
    panels: Sequence[Panel]
    log_line: str


def glimpse_of(session: Session, run: Run) -> Glimpse:
    """Read it; the curves from where they were read before."""
    curves = session.curves.update([run], patterns(AT_A_GLANCE))
    try:
        last = read_log(session.database, run, 1)
    except BertmtError:  # not started yet, or its folder is gone
        last = []
    return Glimpse(run, panels_of(curves, [run], AT_A_GLANCE), last[0] if last else "")


class Glance(Vertical):
    """Two or three lines about a run, and its charts between them."""

    DEFAULT_CSS = """
    Glance { height: 40%; min-height: 8; border-top: solid $border-blurred; background: $background; }
    Glance TextLines { height: auto; }
    Glance LineChart { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield TextLines(id="about")
        yield LineChart(id="glance-chart")
        yield TextLines(id="last")

    def on_mount(self) -> None:
        self.query_one(LineChart).can_focus = False

    def show(self, glimpse: Glimpse | None) -> None:
        """Show a run, or nothing."""
        chart = self.query_one(LineChart)
        chart.show(glimpse.panels if glimpse else ())
        if glimpse is None:
            self.query_one("#about", TextLines).show([])
            self.query_one("#last", TextLines).show([])
            return
        self.query_one("#about", TextLines).show(lambda width: [cut_line(about_line(glimpse.run), width)])
        self.query_one("#last", TextLines).show(lambda width: _last_lines(glimpse, width))


def about_line(run: Run) -> Line:
    """Sign, name, id, seed, and what it is at or why it ended."""
    said: list[str | Span] = [Span(safe_text(f" {run.name}"), "title"), Span(f" {run.id} seed {run.seed}", "dim"), "  "]
    if run.state is State.RUNNING:
        return line(state_sign(run), *said, Span(f"{doing(run)} on {safe_text(run.device or '?')}", "good"))
    if run.failure:
        return line(state_sign(run), *said, Span(safe_text(run.failure), "bad"))
    return line(state_sign(run), *said, Span(str(run.state), "dim"))


def scores_line(run: Run) -> Line:
    """The scores of the selected epoch, with ρ and S side by side under their own names."""
    if run.selected_epoch is None or run.state in (State.QUEUED, State.HELD):
        return ()
    parts: list[str | Span] = [Span(f"dev, epoch {run.selected_epoch}:", "dim")]
    for task, title in (("sst", "SST"), ("para", "PARA"), ("sts", "STS ρ")):
        if run.score(task) is not None:
            parts += [Span(f"  {title} ", "dim"), numbers.score(run.score(task))]
    if run.sts is not None:
        parts += [Span("  S ", "dim"), numbers.score((1 + run.sts) / 2)]
    if run.overall is not None:
        parts += [Span("  overall ", "dim"), Span(numbers.score(run.overall), "title")]
    return line(*parts)


def _last_lines(glimpse: Glimpse, width: int) -> list[Line]:
    lines = [scores_line(glimpse.run), line(Span(safe_text(glimpse.log_line), "dim"))]
    return [cut_line(each, width) for each in lines if each]
