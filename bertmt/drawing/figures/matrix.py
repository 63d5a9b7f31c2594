"""A confusion matrix: its numbers, each shaded by its share of the true class."""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing.figures.marks import TEXT, Figure, Mark, Words, box
from bertmt.drawing.figures.plot import TICK, shortened
from bertmt.drawing.numbers import count, counted

MOST_CLASSES = 40
MOST_NUMBERED = 12  # classes up to which numbers fit into the cells
WIDTH, LABELS, TOP = 330.0, 110.0, 44.0
LARGEST_CELL = 44.0
DARK = 0.55  # share from which on numbers are in the colour of the ground


def draw_matrix(matrix: np.ndarray, classes: Sequence[str], title: str, said: str) -> Figure:
    """The matrix.

    Args:
        matrix: counts, shape (k, k); rows are the true classes, columns the predicted ones. k is at most
            `MOST_CLASSES`.
        said: of what it is, for whoever does not see it.
    """
    cell = min(LARGEST_CELL, (WIDTH - LABELS) / len(classes))
    marks: list[Mark] = [
        Words((0, 14), shortened(title, WIDTH), bold=True),
        Words((0, TOP - 8), "true", "dim", size=TICK),
        Words((LABELS + cell * len(classes) / 2, TOP - 22 + TICK / 2), "predicted", "dim", "middle", TICK),
    ]
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, where=totals > 0, out=np.zeros(matrix.shape))
    every = max(1, -(-int(TICK * 1.6) // max(1, int(cell))))  # small cells: not every class has room for its number
    for row, name in enumerate(classes):
        top = TOP + row * cell
        if row % every == 0:
            label = shortened(f"{row} {name}", LABELS - 8, TICK)
            marks.append(Words((LABELS - 6, top + cell / 2 + TICK / 3), label, "ink", "end", TICK))
            marks.append(Words((LABELS + (row + 0.5) * cell, TOP - 5), str(row), "dim", "middle", TICK))
        marks += _row(matrix[row].tolist(), shares[row].tolist(), top, cell, len(classes) <= MOST_NUMBERED)
    total = counted(int(matrix.sum()), "example")
    said = f"{said}: {int(np.trace(matrix)):,} of {total} on the diagonal"
    return Figure(WIDTH, TOP + cell * len(classes) + 8, marks, said)


def _row(counts: Sequence[int], shares: Sequence[float], top: float, cell: float, numbered: bool) -> list[Mark]:
    marks: list[Mark] = []
    for column, (number, share) in enumerate(zip(counts, shares, strict=True)):
        left = LABELS + column * cell
        marks.append(box(left + 0.5, top + 0.5, cell - 1, cell - 1, "grid", 0.45))
        if number:
            marks.append(box(left + 0.5, top + 0.5, cell - 1, cell - 1, "series0", 0.08 + 0.92 * share))
        if numbered:
            text = count(int(number))
            size = min(TEXT, 1.5 * cell / max(len(text), 2))
            colour = "ground" if share > DARK else "ink" if number else "dim"
            marks.append(Words((left + cell / 2, top + cell / 2 + size / 3), text, colour, "middle", size))
    return marks
