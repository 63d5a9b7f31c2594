"""`bertmt confusion`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson, RunWord
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span

if TYPE_CHECKING:
    from bertmt.services.analysis.confusion import Confusion


class Shown(StrEnum):
    """What the cells hold."""

    COUNTS = "counts"
    ROWS = "rows"
    COLUMNS = "columns"


Task = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="One of the run's tasks with classes; by default the first."),
]
Epoch = Annotated[
    int | None,
    typer.Option("--epoch", metavar="N", min=0, help="By default the epoch whose scores count as the run's."),
]
Cells = Annotated[
    Shown,
    typer.Option("--show", help="Counts, or shares of the true class (rows) or of the predicted class (columns)."),
]
Baseline = Annotated[bool, typer.Option("--baseline", help="Show the counts minus the baseline's.")]


def confusion(
    context: typer.Context,
    run: RunWord,
    task: Task = None,
    epoch: Epoch = None,
    shown: Cells = Shown.COUNTS,
    baseline: Baseline = False,
    as_json: AsJson = False,
) -> None:
    """Show which classes a run mistakes for which.

    On the dev split; rows are the true classes, columns the predicted ones.
    """
    from bertmt.drawing.charts.heatmap import draw_confusion, draw_confusion_difference
    from bertmt.services.analysis.confusion import baseline_confusion, confusion_of
    from bertmt.services.browse.lookup import find_run

    database = existing_registry(context)
    own = confusion_of(database, find_run(database, run), task, epoch)
    other = baseline_confusion(database, own) if baseline else None
    if as_json:
        output.write_document("bertmt.confusion/1", _record(own, other))
        return
    title = f"{own.run.id} {own.run.name}, {own.task} dev, epoch {own.epoch}"
    title += f" − {other.run.id} {other.run.name}, epoch {other.epoch}" if other else ""
    drawn = (
        draw_confusion_difference(own.counts, other.counts, own.classes)
        if other
        else draw_confusion(own.counts, own.classes, shown.value)
    )
    output.write_lines([(Span(safe_text(title), "title"),), *drawn])
    if not other and shown is not Shown.COUNTS:
        diagnostics.note("Shares of each row add up to 100 %." if shown is Shown.ROWS else "Shares of each column do.")


def _record(own: "Confusion", other: "Confusion | None") -> dict[str, Any]:
    compared = {"run": other.run.id, "epoch": other.epoch, "counts": other.counts.tolist()} if other else None
    return {
        "run": own.run.id, "task": own.task, "epoch": own.epoch, "classes": list(own.classes),
        "counts": own.counts.tolist(), "baseline": compared,
    }  # fmt: skip
