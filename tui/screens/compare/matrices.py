"""Confusion matrices of several runs side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.charts.heatmap import Shown, draw_confusion, draw_confusion_difference
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, beside, cells, cut, line
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import CLASS_TASKS, Confusion, confusion_of
from tui.registry_lane import Session
from tui.screens.compare.arms import Looks
from tui.screens.compare.formatting import sentence_lines

LEAST_MATRIX, MOST_MATRIX = 37, 70  # cells
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


def task_of(runs: Sequence[Run], other: bool) -> str:
    """The task whose confusion is shown: the first with classes that a run was trained on, or the other one."""
    trained = {task for run in runs for task in run.recipe["tasks"]}
    known = [task for task in CLASS_TASKS if task in trained] or list(CLASS_TASKS)
    return known[other and len(known) > 1]


def matrix_of(session: Session, run: Run, task: str) -> RunMatrix:
    """On the registry's thread: a run's confusion matrix, or why there is none."""
    if task not in run.recipe["tasks"]:
        return RunMatrix(run, None, f"Not trained on {task.upper()}.")
    if run.scores.selected_epoch is None:
        return RunMatrix(run, None, "Nothing has been evaluated yet.")
    try:
        return RunMatrix(run, confusion_of(session.database, run, task))
    except RegistryError:
        raise
    except BertmtError as problem:
        return RunMatrix(run, None, str(problem))


def matrices_page(
    matrices: Sequence[RunMatrix], looks: Looks, shown: Shown, first: RunMatrix | None, task: str, width: int
) -> list[Line]:
    """The matrices side by side, as many in a row as can be read.

    Args:
        first: whose counts are taken from those of the others; None shows each as it is.
    """
    across = max(1, min(len(matrices), (width + GAP) // (LEAST_MATRIX + GAP)))
    wide = min((width - GAP * (across - 1)) // across, MOST_MATRIX)
    if first is None:
        caption = CAPTIONS[shown]
    else:
        caption = f"counts minus those of {first.run.name} ({first.run.id}); its own counts where it stands"
    lines: list[Line] = [line(Span(task, "title"), Span(cut(safe_text(f": {caption}"), width - len(task)), "dim")), ()]
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
    if found.fingerprint != first.confusion.fingerprint:
        return [title, *sentence_lines(f"{matrix.run.id} was evaluated on other examples.", width)]
    return [title, *draw_confusion_difference(found.counts, first.confusion.counts, found.classes, width=width)]
