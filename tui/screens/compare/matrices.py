"""Confusion matrices of several runs side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.charts.heatmap import Shown, draw_confusion, draw_confusion_difference
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, beside, cells, cut, line
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import Confusion, confusion_of
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Task
from tui.registry_lane import Session
from tui.screens.compare.arms import Looks
from tui.screens.compare.formatting import sentence_lines

LEAST_MATRIX, MOST_MATRIX = 37, 70  # cells, of up to so many classes:
FEW_CLASSES = 6
GAP = 2
CAPTIONS: dict[Shown, str] = {
    "counts": "counts, shaded by the share of the true class",
    "rows": "share of each true class: rows add up to 100 %",
    "columns": "share of each predicted class: columns add up to 100 %",
}


@dataclass(frozen=True)
class RunMatrix:
    """A run's confusion matrix, or why there is none."""

    run: Run
    confusion: Confusion | None
    problem: str = ""


def task_of(runs: Sequence[Run], place: int) -> Task | None:
    """The task whose confusion is shown; None where no run trains one with classes.

    Args:
        place: among those with classes, round and round.
    """
    known = [task for task in tasks_of(runs).values() if task.classes]
    return known[place % len(known)] if known else None


def matrix_of(session: Session, run: Run, task: Task) -> RunMatrix:
    """On the registry's thread: a run's confusion matrix, or why there is none."""
    if task.name not in run.tasks:
        return RunMatrix(run, None, f"Not trained on {task.title}.")
    if run.scores.selected_epoch is None:
        return RunMatrix(run, None, "Nothing has been evaluated yet.")
    try:
        return RunMatrix(run, confusion_of(session.database, run, task.name))
    except RegistryError:
        raise
    except BertmtError as problem:
        return RunMatrix(run, None, str(problem))


def matrices_page(
    matrices: Sequence[RunMatrix], looks: Looks, shown: Shown, first: RunMatrix | None, task: Task, width: int
) -> list[Line]:
    """The matrices side by side, as many in a row as can be read.

    Args:
        first: whose counts are taken from those of the others; None shows each as it is.
    """
    few = len(task.classes) <= FEW_CLASSES  # else each needs all the room there is
    across = max(1, min(len(matrices), (width + GAP) // ((LEAST_MATRIX if few else MOST_MATRIX) + GAP)))
    wide = (width - GAP * (across - 1)) // across
    wide = min(wide, MOST_MATRIX) if few else wide
    title = safe_text(task.title)
    if first is None:
        caption = CAPTIONS[shown]
    else:
        caption = f"counts minus those of {first.run.name} ({first.run.id}); its own counts where it stands"
    lines: list[Line] = [
        line(Span(title, "title"), Span(cut(safe_text(f": {caption}"), width - cells(title)), "dim")),
        (),
    ]
    blocks = [_block(each, looks, shown, first, wide) for each in matrices]
    for start in range(0, len(blocks), across):
        row = blocks[start : start + across]
        lines += [*beside(row, [wide] * len(row)), ()]
    return lines[:-1]


def _block(matrix: RunMatrix, looks: Looks, shown: Shown, first: RunMatrix | None, width: int) -> list[Line]:
    look, found = looks[matrix.run.key], matrix.confusion
    name = cut(safe_text(f"{matrix.run.name} {matrix.run.id}"), width - 2)
    epoch = f" epoch {found.epoch}" if found is not None and cells(name) + 12 <= width else ""
    title = line(Span(f"{look.mark} ", look.style), Span(name, "title"), Span(epoch, "dim"))
    if found is None:
        return [title, *sentence_lines(matrix.problem, width)]
    if first is None or first.confusion is None or first.run.key == matrix.run.key:
        counted: Shown = shown if first is None else "counts"
        return [title, *draw_confusion(found.counts, found.classes, counted, width=width)]
    if len(found.classes) != len(first.confusion.classes):
        return [title, *sentence_lines(f"{matrix.run.id} has other classes.", width)]
    if found.fingerprint != first.confusion.fingerprint:
        return [title, *sentence_lines(f"{matrix.run.id} was evaluated on other examples.", width)]
    return [title, *draw_confusion_difference(found.counts, first.confusion.counts, found.classes, width=width)]
