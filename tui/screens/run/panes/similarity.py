"""Predicted against true numbers, as in the paper's Figure 10, and the examples by how far one is from the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from bertmt.drawing import numbers
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.looks import look_of
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.registry.records import Run
from bertmt.services.analysis.evaluations import Evaluated
from bertmt.services.analysis.examples import ExampleTable, Similarity, by_error, similarity_in
from bertmt.services.browse.run_formatting import run_place
from bertmt.tasks.task import Task
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.panes.epoch_pane import EpochPane
from tui.screens.run.widgets.epoch_line import EpochLine
from tui.screens.run.widgets.example_lines import scale_words, task_in
from tui.screens.run.widgets.example_list import ExampleList
from tui.screens.run.widgets.scatter_chart import ScatterChart
from tui.widgets.frame import framed, name_frame
from tui.widgets.text_lines import TextLines


@dataclass(frozen=True)
class Numbers:
    """What one look brings; the style is the run's."""

    evaluated: Mapping[str, Evaluated]
    table: ExampleTable
    similarity: Similarity
    style: str


class SimilarityPane(EpochPane):
    """A chart, and beside it the examples by their error."""

    TITLE = "Similarity"
    SUBJECT = "A chart of similarities"
    NEEDS = "a number as label"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "Each dot is an example: across, its label; up, the prediction: the cosine of both embeddings, the output of "
        "a head, or their mean, times the range of the labels. By cosine this is the paper's Figure 10.",
        "The line is the least-squares fit. Beside it are the examples by their error: how far the label is from the "
        "best straight line in the predictions, the farthest first. A correlation leaves their scale open.",
    )
    DEFAULT_CSS = """
    SimilarityPane #facts { height: 1; padding: 0 1; }
    SimilarityPane ScatterChart { width: 46%; padding: 0 1; }
    SimilarityPane ExampleList { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("s", "save", "picture", "Save a picture of the chart (SVG).", "similarity.save", shown=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Numbers | None = None

    @staticmethod
    def suits(task: Task) -> bool:
        return not task.classes

    def compose(self) -> ComposeResult:
        yield EpochLine()
        yield TextLines(id="facts")
        with Horizontal():
            yield framed(ScatterChart(), "Predicted against true", first=True)
            yield framed(ExampleList(), "By error of the best fit", first=True)

    def focus_first(self) -> None:
        self.query_one(ExampleList).rows.focus()

    async def read_and_show(self, run: Run) -> None:
        known = self._found
        found = await self.dashboard.ask(lambda session: self._read(session, run, known), slow=True)
        self.now_shown(found.evaluated)
        self._found = found
        task = task_in(found.table)
        self.query_one(EpochLine).show_epoch(
            found.evaluated, found.table.run.tasks, self.task_name, found.table.place, tuple(found.evaluated)
        )
        name_frame(self.query_one(ScatterChart), f"Predicted against true, {self.moment}")
        if known is not None and known.table is found.table:
            return
        similarity = found.similarity
        scale = (task.minimum, task.maximum)
        cloud = Cloud(similarity.labels, similarity.predicted, similarity.fit, scale=scale, style=found.style)
        self.query_one(ScatterChart).show(cloud)
        self.query_one("#facts", TextLines).show(
            lambda width: [cut_line(_facts(found.table.run, task, similarity), width)]
        )
        self.query_one(ExampleList).show(found.table, by_error(found.table), sorted_by="-error")

    def _read(self, session: Session, run: Run, known: Numbers | None) -> Numbers:
        """On the registry's thread."""
        evaluated = self.look_up(session, run)
        before = {} if known is None else {known.table.task: known.table}
        table = self.read_task(session, run, evaluated[self.task_of(evaluated)], before)
        if known is not None and known.table is table:
            return Numbers(evaluated, table, known.similarity, known.style)
        session.runs.refresh()
        place = run_place(run, session.runs.baselines.references)
        return Numbers(evaluated, table, similarity_in(table), look_of(place, ascii_only=False).style)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key for the next task is there where there is another."""
        return action != "task" or len(self.evaluated) > 1

    def action_save(self) -> None:
        if self.run is not None and self._found is not None:
            self.save(self.query_one(ScatterChart), self.run.id, f"{self.task_name}-similarity")


def _facts(run: Run, task: Task, similarity: Similarity) -> Line:
    """What the chart's upward axis is, and the line of best fit in numbers."""
    return line(
        Span("predicted = ", "dim"), scale_words(run, task),
        Span("   best fit: slope ", "dim"), numbers.score(similarity.slope),
        Span(", intercept ", "dim"), numbers.score(similarity.intercept),
        Span("   n ", "dim"), numbers.count(len(similarity.labels)),
    )  # fmt: skip
