"""Confusion matrices of the arms side by side, and what changed."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertmt.drawing.charts.heatmap import Shown, draw_confusion, draw_confusion_difference
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.sentences import matrix_sentences, sentence_page
from bertmt.drawing.styled import Line, Span, beside, cells, cut, cut_name, line
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.confusion import Confusion, confusion_of
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import Task
from tui.plain.words import in_words
from tui.registry_lane import Session
from tui.screens.compare.arms import Looks
from tui.screens.compare.formatting import sentence_lines

MOST_MATRIX = 70  # cells, of up to so many classes:
FEW_CLASSES = 6
LABELS, CELL = 6, 5  # cells that a legible matrix has at least: for the names of classes, and per class
GAP = 2
CAPTIONS: dict[Shown, str] = {
    "counts": "counts, shaded by the share of the true class",
    "rows": "share of each true class: rows add up to 100 %",
    "columns": "share of each predicted class: columns add up to 100 %",
}


@dataclass(frozen=True)
class ArmMatrix:
    """The confusion matrix of an arm, of several seeds their sum; or why there is none.

    Attributes:
        by_seed: the counts of each seed, (k, k) ints; none where there is no matrix.
        classes: names in order.
        epoch: of a single run, that of its predictions.
        fingerprint: of the examples.
    """

    arm: Arm
    by_seed: Mapping[int, np.ndarray] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    epoch: int | None = None
    fingerprint: str = ""
    problem: str = ""

    @property
    def run(self) -> Run:
        """The first of the arm, by whose look it is known."""
        return self.arm.runs[0]

    @property
    def name(self) -> str:
        """What it is called; not yet safe for a screen."""
        if len(self.arm.runs) == 1:
            return f"{self.run.name} {self.run.id}"
        return f"{self.run.name}, sum of {counted(len(self.by_seed), 'seed')}"

    def counts(self, seeds: Iterable[int]) -> np.ndarray:
        """The sum over seeds, (k, k) ints."""
        summed: np.ndarray = np.sum([self.by_seed[seed] for seed in seeds], axis=0)
        return summed


def task_of(runs: Sequence[Run], place: int) -> Task | None:
    """The task whose confusion is shown; None where no run trains one with classes.

    Args:
        place: among those with classes, round and round.
    """
    known = [task for task in tasks_of(runs).values() if task.classes]
    return known[place % len(known)] if known else None


class Matrices:
    """Matrices of runs, each read once: what a run predicted in its selected epoch does not change."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Confusion | str] = {}

    def of_arms(self, session: Session, arms: Sequence[Arm], task: Task) -> tuple[ArmMatrix, ...]:
        """On the registry's thread: the matrix of each arm in a task."""
        before, self._known = self._known, {}
        return tuple(_summed(arm, [self._of_run(session, run, task, before) for run in arm.runs]) for arm in arms)

    def _of_run(
        self, session: Session, run: Run, task: Task, before: dict[Hashable, Confusion | str]
    ) -> Confusion | str:
        """A run's matrix, or why there is none."""
        key = run.key, run.attempt, run.scores, task.name
        self._known[key] = before[key] if key in before else _read(session, run, task)
        return self._known[key]


def _read(session: Session, run: Run, task: Task) -> Confusion | str:
    if task.name not in run.tasks:
        return f"Not trained on {task.title}."
    if run.scores.selected_epoch is None:
        return "Nothing has been evaluated yet."
    try:
        return confusion_of(session.database, run, task.name)
    except RegistryError:
        raise
    except BertmtError as problem:
        return str(problem)


def _summed(arm: Arm, found: Sequence[Confusion | str]) -> ArmMatrix:
    """The sum over the seeds that have a matrix of the same examples; of a seed that was run twice, the newer."""
    known = {each.run.seed: each for each in found if isinstance(each, Confusion)}
    if not known:
        return ArmMatrix(arm, problem=next(each for each in found if isinstance(each, str)))
    first = next(iter(known.values()))
    same = first.fingerprint, first.classes
    by_seed = {seed: each.counts for seed, each in known.items() if (each.fingerprint, each.classes) == same}
    epoch = first.epoch if len(arm.runs) == 1 else None
    return ArmMatrix(arm, by_seed, first.classes, epoch, first.fingerprint)


def matrices_page(
    matrices: Sequence[ArmMatrix], looks: Looks, shown: Shown, differs: bool, task: Task, width: int
) -> list[Line]:
    """The matrices side by side, as many in a row as can be read; of two arms their difference beside them.

    Args:
        differs: the first's counts are taken from those of the others, in place of each as it is.
    """
    first, wanted = matrices[0], "counts" if differs else shown
    known = [each for each in matrices if each.by_seed]
    changed = known if len(known) == 2 and not differs else []
    if in_words():
        return _pages_in_words(matrices, task, differs, width)
    across, wide = _grid(len(matrices) + bool(changed), len(task.classes), width)
    blocks = []
    for each in matrices:
        is_change = differs and each is not first
        body = _change(each, first, wide) if is_change else _own(each, wanted, wide)
        blocks.append([_head(each, looks, wide), *body])
        if changed and each is changed[1]:
            title = cut(f"change{_on_seeds(each, changed[0])}", wide)
            blocks.append([line(Span(title, "title")), *_change(each, changed[0], wide)])
    own = f"counts minus those of {first.name}; its own counts where it stands"
    title = safe_text(task.title)
    about = cut(safe_text(f": {own if differs else CAPTIONS[shown]}"), width - cells(title))
    lines: list[Line] = [line(Span(title, "title"), Span(about, "dim")), ()]
    for start in range(0, len(blocks), across):
        row = blocks[start : start + across]
        lines += [*beside(row, [wide] * len(row)), ()]
    return lines[:-1]


def _grid(count: int, classes: int, width: int) -> tuple[int, int]:
    """How many matrices stand in a row, and in how many cells each."""
    few = classes <= FEW_CLASSES  # else each needs all the room there is
    least = LABELS + CELL * classes if few else MOST_MATRIX
    across = max(1, min(count, (width + GAP) // (least + GAP)))
    wide = (width - GAP * (across - 1)) // across
    return across, min(wide, MOST_MATRIX) if few else wide


def _head(matrix: ArmMatrix, looks: Looks, width: int) -> Line:
    look = looks[matrix.run.key]
    name = cut_name(safe_text(matrix.name), width - 2)
    epoch = f" epoch {matrix.epoch}" if matrix.epoch is not None and cells(name) + 12 <= width else ""
    return line(Span(f"{look.mark} ", look.style), Span(name, "title"), Span(epoch, "dim"))


def _pages_in_words(matrices: Sequence[ArmMatrix], task: Task, differs: bool, width: int) -> list[Line]:
    """A sentence per true class, one matrix below the other."""
    lines: list[Line] = []
    first = matrices[0]
    for each in matrices:
        name = f"{safe_text(task.title)}, {safe_text(each.name)}"
        if not each.by_seed:
            lines += [*sentence_lines(f"{name}: {each.problem}", width), ()]
        elif differs and each is not first:
            lines += [*sentence_lines(f"{name}, counts minus those of {first.name}:", width)]
            lines += [*_change(each, first, width), ()]
        else:
            lines += sentence_lines(f"{name}, counts:", width)
            lines += [*sentence_page(matrix_sentences(each.counts(each.by_seed), each.classes), width), ()]
    return lines[:-1]


def _own(matrix: ArmMatrix, shown: Shown, width: int) -> list[Line]:
    if not matrix.by_seed:
        return sentence_lines(matrix.problem, width)
    return draw_confusion(matrix.counts(matrix.by_seed), matrix.classes, shown, width=width)


def _on_seeds(matrix: ArmMatrix, first: ArmMatrix) -> str:
    """Over how many seeds a change is summed; "" of two runs."""
    shared = _shared(matrix, first)
    return (
        f", over {counted(len(shared), 'shared seed')}"
        if shared and len(matrix.by_seed) + len(first.by_seed) > 2
        else ""
    )


def _shared(matrix: ArmMatrix, first: ArmMatrix) -> list[int]:
    return [seed for seed in matrix.by_seed if seed in first.by_seed]


def _change(matrix: ArmMatrix, first: ArmMatrix, width: int) -> list[Line]:
    """Its counts minus the first's, of several seeds over those that both have; or why that is not to be had."""
    if not matrix.by_seed or not first.by_seed:
        return sentence_lines(matrix.problem or first.problem, width)
    if len(matrix.classes) != len(first.classes):
        return sentence_lines(f"{matrix.name} has other classes.", width)
    if matrix.fingerprint != first.fingerprint:
        return sentence_lines(f"{matrix.name} was evaluated on other examples.", width)
    shared = _shared(matrix, first)
    own, other = (shared, shared) if shared else (list(matrix.by_seed), list(first.by_seed))
    if len(own) != len(other):
        return sentence_lines(f"{first.name} and {matrix.name} share no seed whose counts could be compared.", width)
    if in_words():
        return sentence_page(matrix_sentences(matrix.counts(own), matrix.classes, first.counts(other)), width)
    return draw_confusion_difference(matrix.counts(own), first.counts(other), matrix.classes, width=width)
