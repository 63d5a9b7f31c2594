"""Predicted against true similarity, the paper's Figure 10, and the pairs that are farthest from the line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from bertmt.drawing import numbers
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.registry.records import Run
from bertmt.services.analysis.evaluations import Evaluated
from bertmt.services.analysis.examples import ExampleTable, Similarity, by_error, similarity_in
from bertmt.tasks.task import STS
from tui.bindings import key
from tui.registry_lane import Session
from tui.screens.run.panes.epoch_pane import EpochPane
from tui.screens.run.widgets.epoch_line import EpochLine
from tui.screens.run.widgets.example_list import ExampleList
from tui.screens.run.widgets.scatter_chart import ScatterChart
from tui.widgets.text_lines import TextLines


@dataclass(frozen=True)
class Pairs:
    """What one look brings."""

    evaluated: Mapping[str, Evaluated]
    table: ExampleTable
    similarity: Similarity


class SimilarityPane(EpochPane):
    """A chart, and beside it the pairs by their error."""

    TITLE = "Similarity"
    TASKS: ClassVar[tuple[str, ...]] = (STS.name,)
    SUBJECT = "A chart of similarities"
    GUIDE: ClassVar[tuple[str, ...]] = (
        f"Each dot is a pair of sentences: across, its label from 0 to {STS.maximum:g}; up, the prediction, which is "
        f"the cosine of the two embeddings times {STS.maximum:g}. This is the paper's Figure 10.",
        "Beside it are the pairs, the one farthest from its label first. ρ is Pearson's; the line is the least-squares "
        "fit.",
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
        self._found: Pairs | None = None

    def compose(self) -> ComposeResult:
        yield EpochLine()
        yield TextLines(id="facts")
        with Horizontal():
            yield ScatterChart()
            yield ExampleList()

    def focus_first(self) -> None:
        self.query_one(ExampleList).rows.focus()

    async def read_and_show(self, run: Run) -> None:
        known = self._found
        found = await self.dashboard.ask(lambda session: self._read(session, run, known), slow=True)
        self.now_shown(found.evaluated)
        self._found = found
        self.query_one(EpochLine).show_epoch(found.evaluated, self.task_name, found.table.epoch)
        if known is not None and known.table is found.table:
            return
        similarity = found.similarity
        fit = None
        if similarity.slope is not None and similarity.intercept is not None:
            fit = (similarity.slope, similarity.intercept)
        cloud = Cloud(similarity.labels, similarity.predicted, fit, scale=(STS.minimum, STS.maximum))
        self.query_one(ScatterChart).show(cloud)
        self.query_one("#facts", TextLines).show(lambda width: [cut_line(_facts(similarity), width)])
        self.query_one(ExampleList).show(found.table, by_error(found.table), sorted_by="-error")

    def _read(self, session: Session, run: Run, known: Pairs | None) -> Pairs:
        """On the registry's thread."""
        evaluated = self.look_up(session, run)
        before = {} if known is None else {STS.name: known.table}
        table = self.read_task(session, run, evaluated[STS.name], before)
        if known is not None and known.table is table:
            return Pairs(evaluated, table, known.similarity)
        return Pairs(evaluated, table, similarity_in(table))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is one task only."""
        return action != "task"

    def action_save(self) -> None:
        if self.run is not None and self._found is not None:
            self.save(self.query_one(ScatterChart), self.run.id, "similarity")


def _facts(similarity: Similarity) -> Line:
    """What the chart's axes are, and the line of best fit in numbers."""
    return line(
        Span("predicted = ", "dim"), f"{STS.maximum:g} × cosine",
        Span("   best fit: slope ", "dim"), numbers.score(similarity.slope),
        Span(", intercept ", "dim"), numbers.score(similarity.intercept),
        Span("   n ", "dim"), numbers.count(len(similarity.labels)),
    )  # fmt: skip
