"""The rows of the list of flips: all of them, and each cell that a mistake moved in or out of."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.services.analysis.changes.flip_formatting import format_examples
from bertmt.services.analysis.changes.flips import CLASS_KINDS, Cell, TwoRuns
from tui.widgets.tables.columns import Column

MOST_SHOWN = 50  # examples of each kind; `bertmt flips --limit` lists more
COUNTS = ("before", "fixed", "broken", "left", "entered", "after")
MEANINGS = {
    "before": "mistakes of the first run",
    "fixed": "of these right in the second",
    "broken": "right in the first, wrong in the second",
    "left": "wrong in both, for another class since",
    "entered": "wrong in both, for this class since",
    "after": "mistakes of the second run",
}
COLUMNS = (
    Column("name", "true → mistaken for", 24, rank=1, elastic=True, meaning="a cell of the confusion matrix"),
    *(Column(name, name, 7, rank=2, right=True, meaning=MEANINGS[name]) for name in COUNTS),
)
OF_NUMBERS = (
    Column("name", "predictions", 24, rank=1, elastic=True, meaning="how they moved against their label"),
    Column("after", "number", 7, rank=2, right=True, meaning="how many examples"),
)
STYLES = {"fixed": "good", "broken": "bad"}


@dataclass(frozen=True)
class FlipRow:
    """A cell, or all of them; of numbers a kind of examples.

    Attributes:
        key: stays.
        name: made safe.
        counts: by column.
    """

    key: str
    name: str
    counts: dict[str, int]
    cell: Cell | None = None
    kinds: tuple[str, ...] = ()


def rows_of(found: TwoRuns) -> list[FlipRow]:
    """All mistakes, then the cells with the most movement first; of numbers the closer and the farther ones."""
    cells, classes = found.cells, found.about.classes
    if cells is None:
        return [FlipRow(kind, kind, {"after": len(each)}, kinds=(kind,)) for kind, each in found.kinds.items()]
    totals = {name: int(getattr(cells, name).sum()) for name in COUNTS}
    rows = [FlipRow("all", "all mistakes", totals, kinds=CLASS_KINDS)]
    for true, wrong in cells.by_movement():
        counts = {name: int(getattr(cells, name)[true, wrong]) for name in COUNTS}
        name = safe_text(f"{true} {classes[true]} → {wrong} {classes[wrong]}")
        rows.append(FlipRow(f"{true},{wrong}", name, counts, (true, wrong), CLASS_KINDS))
    return rows


def flip_cell(row: FlipRow, column: Column) -> Span:
    """The cell of a column for a row."""
    if column.key == "name":
        return Span(row.name)
    count = row.counts.get(column.key, 0)
    return Span(numbers.count(count), STYLES.get(column.key, "") if count else "dim")


def sentence_page(found: TwoRuns, row: FlipRow, width: int) -> Sequence[Line]:
    """The examples of a row, with both predictions."""
    lines: list[Line] = []
    for kind in row.kinds:
        if len(found.of_kind(kind, row.cell)):
            lines += [*format_examples(found, kind, row.cell, MOST_SHOWN, width), ()]
    return lines[:-1] or [(Span("No example moved here.", "dim"),)]
