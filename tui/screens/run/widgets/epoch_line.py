"""The epochs of a task in one line: which one is shown, its score, and the scores of all as a small curve."""

from collections.abc import Mapping, Sequence

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.charts.sparkline import sparkline
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import plain
from bertmt.services.analysis.evaluations import NOW, Evaluated
from bertmt.tasks.task import Tasks
from tui.plain.words import in_words
from tui.screens.run.widgets.click_line import ClickLine, Piece, tab_pieces

MANY = 4  # tabs from which on they have a short form
MOST_CELLS = 24  # of the curve; with more epochs a cell stands for several


class EpochLine(ClickLine):
    """Tabs of tasks, the score, the epoch, the curve; a click on a tab or on the curve is `Clicked` with the task's
    name or the epoch's number."""

    def show_epoch(
        self, evaluated: Mapping[str, Evaluated], tasks: Tasks, task: str, epoch: int, tabs: Sequence[str] = ()
    ) -> None:
        """Show a task at an epoch.

        Args:
            tasks: what they are.
            tabs: the tasks to choose from; by default this one alone.
        """
        names = [(safe_text(tasks[each].title), each) for each in tabs or (task,)]
        tab_line = tab_pieces(names, task)
        found = evaluated[task]
        score = Piece(f"  {tasks[task].metric.title} {numbers.score(found.score_at(epoch))}")
        curve = _curve(found, epoch, self.ascii_only)
        which = "now, partial" if epoch == NOW else f"epoch {epoch}"
        self.show(
            [*tab_line, score, Piece(_long(found, epoch), "dim"), *curve],
            *([*tab_line, score, Piece(f"  {each}", "dim"), *curve] for each in (_short(found, epoch), which)),
            [*tab_line, score, Piece(f"  {which}", "dim")],
            *self._few(names, task, [score, Piece(f"  {which}", "dim")]),
        )

    def _few(self, names: Sequence[tuple[str, str]], task: str, behind: Sequence[Piece]) -> list[list[Piece]]:
        """Where there are too many tabs: the task between arrows to its neighbours, and how many there are."""
        if len(names) < MANY:
            return []
        place = next(index for index, (_, name) in enumerate(names) if name == task)
        before, after = (names[(place + step) % len(names)][1] for step in (-1, 1))
        which = Piece(f"{place + 1} of {len(names)}", "dim")
        tabs = [Piece("◂ ", "mark", before), Piece(names[place][0], "title"), Piece(" ▸ ", "mark", after), which]
        return [[*tabs, *behind], tabs]


def _long(found: Evaluated, epoch: int) -> str:
    if epoch == NOW and found.now is not None:
        of = "" if found.now.all_examples is None else f" of {numbers.count(found.now.all_examples)}"
        return f"  {_short(found, epoch)}, {numbers.count(found.now.examples)}{of}"
    what = "selected" if found.is_final else "newest"
    newest = "now" if found.selected == NOW else str(found.selected)
    which = f"the {what} one" if epoch == found.selected else f"{what} {newest}"
    span = f"{found.epochs[0]}…{found.epochs[-1]}" if len(found.epochs) > 1 else str(found.epochs[0])
    return f"  epoch {epoch} of {span}, {which}"


def _short(found: Evaluated, epoch: int) -> str:
    if epoch == NOW and found.now is not None:
        return f"now, step {numbers.count(found.now.step)}: partial"
    return f"epoch {epoch} of {found.epochs[-1]}"


def _curve(found: Evaluated, epoch: int, ascii_only: bool) -> list[Piece]:
    """A cell per epoch, the shown one in brackets, so that it is found without colours."""
    if len(found.places) < 2 or in_words():
        return []
    parts = np.array_split(np.array(found.places), min(MOST_CELLS, len(found.places)))
    blocks = plain(sparkline(found.place_scores, len(parts), ascii_only))
    pieces = [Piece("  ")]
    for block, part in zip(blocks, parts, strict=True):
        if epoch in part:
            pieces.append(Piece(f"[{block}]", "mark"))
        else:
            pieces.append(Piece(block, "series0", int(part[-1])))
    return pieces
