"""A run in lines of a table: its state, and the one line that says what to know of it."""

from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line
from bertmt.services.browse.run_formatting import asked, conditions, doing

if TYPE_CHECKING:
    from bertmt.registry.records import Run

_STYLES = {
    "running": "good",
    "failed": "bad",
    "lost": "bad",
    "queued": "dim",
    "held": "dim",
    "paused": "dim",
    "cancelled": "dim",
}


def state_cell(run: "Run") -> Cell:
    """The state; a running run that was asked to stop is stopping."""
    word = asked(run)
    if word is not None:
        return Cell(word, "bad")
    return Cell(str(run.state), _STYLES.get(run.state, ""))


def detail_line(run: "Run", indent: int, width: int | None, speed: float | None = None) -> list[Line]:
    """What stands below a run in a list: why it failed, how far it is, what it waits for; nothing for others."""
    spans: Line = ()
    if run.execution.failure:
        spans = (Span(safe_text(run.execution.failure), "bad"),)
    elif run.state == "lost":
        spans = (Span(f"its process died; `bertmt logs {run.id}`, `bertmt requeue {run.id}`", "bad"),)
    elif run.state == "paused":
        step = numbers.count(run.progress.checkpoint_step)
        spans = (Span(f"paused at step {step}; `bertmt resume {run.id}`", "dim"),)
    elif run.state in ("queued", "held"):
        spans = (Span(conditions(run), "dim"),) if conditions(run) else ()
    elif run.state == "running":
        spans = (Span(doing(run, speed), "dim"),)
    if not spans:
        return []
    whole = (Span(" " * indent), *spans)
    return [whole if width is None else cut_line(whole, width)]
