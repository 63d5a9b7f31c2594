"""The columns of the paper's figures beside our runs; each score of the paper has ours at its right."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.registry.states import State
from bertmt.services.analysis.paper.table import LEAST_COLOURED, AtScale, PaperRow
from bertmt.services.browse.run_formatting import progress
from bertmt.tasks.builtin import BUILTIN
from tui.formatting.run_signs import MARK_OF_STATE, STYLE_OF_STATE, difference_span
from tui.widgets.tables.columns import WIDE, Column

if TYPE_CHECKING:
    from bertmt.services.analysis.paper.cells import Cell

TITLES = tuple((name, task.score_title) for name, task in BUILTIN.items())
FRAMED = WIDE - 8  # of 120 cells a frame and a bar leave so many
COLUMNS = (
    Column("state", "", 1, rank=1, meaning="✓ we have runs, ● one runs, ○ one waits", words=8),
    Column("figure", "fig.", 4, rank=2, meaning="figure of the paper; * on its test set"),
    Column("preset", "preset", 18, rank=1, meaning="its recipe here"),
    *(
        column
        for task, title in TITLES
        for column in (
            Column(f"paper {task}", title, 5, rank=3, right=True, meaning="what the paper reports"),
            Column(f"mean {task}", "ours", 5, rank=3, right=True, meaning="the mean over our seeds"),
            Column(f"best {task}", "best of n", 10, rank=8, right=True, from_width=WIDE + 38, meaning="our best run"),
        )
    ),
    Column("difference", "Δ", 6, rank=4, right=True, meaning="ours − the paper's, mean over the tasks, STS as S"),
    Column("stands", "stands", 11, rank=5, meaning="whether the paper's lie among our single runs"),
    Column("scale", "scale", 8, rank=6, elastic=True, meaning="encoder and data of our runs, or progress"),
    Column("summary", "description", 30, rank=7, elastic=True, from_width=FRAMED, meaning="description"),
)


@dataclass(frozen=True)
class FigureLine:
    """A row of the paper's table, which of our scales is shown of it, and its scores, once they are judged."""

    row: PaperRow
    place: int = 0
    cells: "tuple[Cell, ...]" = ()

    @property
    def key(self) -> str:
        """Stays."""
        return self.row.preset.name

    @property
    def entry(self) -> AtScale | None:
        """Our runs at the chosen scale; None where we have none."""
        return self.row.measured[self.place] if self.row.measured else None


def figure_cell(figure: FigureLine, column: Column) -> Span:
    """The cell of a column for a figure."""
    row, entry = figure.row, figure.entry
    kind, _, task = column.key.partition(" ")
    match kind:
        case "state":
            return _state(row)
        case "figure":
            mark = "*" if row.reported and row.reported.split == "test" else ""
            return Span(f"{row.preset.figure}{mark}") if row.preset.figure else Span("ours", "dim")
        case "preset":
            return Span(row.preset.name, "" if entry else "dim")
        case "paper":
            return Span(numbers.score(row.reported.scores[task] if row.reported else None), "dim")
        case "best" | "mean":
            return _ours(entry, kind, task)
        case "difference":
            return _difference(figure)
        case "stands":
            return _stands(figure)
        case "scale":
            return _scale(figure)
        case _:
            return Span(safe_text(row.preset.summary), "dim")


def _state(row: PaperRow) -> Span:
    if row.running:
        return Span(MARK_OF_STATE[State.RUNNING], STYLE_OF_STATE[State.RUNNING])
    if row.waiting:
        return Span(MARK_OF_STATE[State.QUEUED], "dim")
    return Span(MARK_OF_STATE[State.FINISHED] if row.measured else "")


def _ours(entry: AtScale | None, kind: str, task: str) -> Span:
    measured = entry.scores.get(task) if entry else None
    if measured is None:
        return Span(numbers.MISSING if entry else "", "dim")
    if kind == "mean":
        return Span(numbers.score(measured.mean), "title")
    return Span(f"{numbers.score(measured.best_score)} of {measured.seeds}", "dim")


def _difference(figure: FigureLine) -> Span:
    """In the colours of good and bad only where the scale is the paper's."""
    row, entry = figure.row, figure.entry
    if entry is None:
        return Span("")
    shown = difference_span(row.difference(entry))
    is_like = not entry.scale_differences(row.preset) and row.reported is not None and row.reported.split == "dev"
    return shown if is_like else Span(shown.text, "dim")


def _stands(figure: FigureLine) -> Span:
    """How the scores that the paper reports stand to ours, where all of them do alike; else how many are inside."""
    found = [str(each.standing) for each in figure.cells if each.reported is not None]
    if not found or figure.entry is None:
        return Span("")
    inside, outside = found.count("inside"), found.count("outside")
    are_few = min(each.seeds for each in figure.cells if each.reported is not None) < LEAST_COLOURED
    if outside:
        return Span("outside" if outside == len(found) else f"{inside} of {len(found)} in", "dim" if are_few else "bad")
    if inside:
        return Span("inside" if inside == len(found) else f"{inside} of {len(found)} in", "dim" if are_few else "good")
    return Span(found[0], "dim")


def _scale(figure: FigureLine) -> Span:
    """The encoder and the data; of several scales, which one; without runs, what is under way."""
    row, entry = figure.row, figure.entry
    if entry is not None:
        run = entry.runs[-1]
        which = f"{figure.place + 1}/{len(row.measured)} " if len(row.measured) > 1 else ""
        return Span(safe_text(f"{which}{run.recipe.get('encoder')} {run.submission.data}"), "dim")
    if row.running:
        return Span(progress(row.running[-1]), "good")
    return Span("queued" if row.waiting else "", "dim")
