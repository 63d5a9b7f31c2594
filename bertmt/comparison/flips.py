"""Which examples one run fixed and broke relative to another."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Flips:
    """Indices of examples, ascending, and counts of those that did not flip.

    Attributes:
        fixed: the first run was wrong, the second is right.
        broken: the first was right, the second is wrong.
    """

    fixed: np.ndarray
    broken: np.ndarray
    both_right: int
    both_wrong: int

    @property
    def n(self) -> int:
        """All examples."""
        return len(self.fixed) + len(self.broken) + self.both_right + self.both_wrong


def flips(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray) -> Flips:
    """The flips from run a (the one compared with) to run b, for predicted classes; shapes all (n,).

    Raises:
        ValueError: the three are not equally long, so they are not about the same examples.
    """
    labels, predicted_a, predicted_b = (np.asarray(each) for each in (labels, predicted_a, predicted_b))
    if not labels.shape == predicted_a.shape == predicted_b.shape:
        raise ValueError(
            f"{len(labels)} labels, {len(predicted_a)} and {len(predicted_b)} predictions are not of one split"
        )
    right_a, right_b = predicted_a == labels, predicted_b == labels
    return Flips(
        fixed=np.flatnonzero(~right_a & right_b),
        broken=np.flatnonzero(right_a & ~right_b),
        both_right=int((right_a & right_b).sum()),
        both_wrong=int((~right_a & ~right_b).sum()),
    )


@dataclass(frozen=True, eq=False)
class FlipCells:
    """What became of each mistake from run a to run b; all (k, k) ints, rows the true class, columns the class that it
    was mistaken for, 0 on the diagonal.

    Attributes:
        before: mistakes of run a.
        fixed: of these, those that run b gets right; `left`: those that it mistakes for a third class.
        broken: mistakes of run b that run a got right; `entered`: those that run a mistook for a third class.
    """

    before: np.ndarray
    fixed: np.ndarray
    left: np.ndarray
    broken: np.ndarray
    entered: np.ndarray

    @property
    def after(self) -> np.ndarray:
        """Mistakes of run b."""
        mistakes: np.ndarray = self.before - self.fixed - self.left + self.broken + self.entered
        return mistakes

    def by_movement(self) -> list[tuple[int, int]]:
        """The cells, (true, predicted), that something moved in or out of, the most moved first, then by class."""
        moved = self.fixed + self.left + self.broken + self.entered
        cells = [(int(true), int(predicted)) for true, predicted in np.argwhere(moved)]
        return sorted(cells, key=lambda cell: (-int(moved[cell]), cell))


def flip_cells(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, classes: int) -> FlipCells:
    """The mistakes of two runs on the same examples by cell; shapes all (n,), values classes from 0."""
    right_a, right_b = predicted_a == labels, predicted_b == labels
    elsewhere = ~right_a & ~right_b & (predicted_a != predicted_b)

    def counted(chosen: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        counts = np.zeros((classes, classes), dtype=np.int64)
        np.add.at(counts, (labels[chosen], predicted[chosen]), 1)
        return counts

    return FlipCells(
        before=counted(~right_a, predicted_a),
        fixed=counted(~right_a & right_b, predicted_a),
        left=counted(elsewhere, predicted_a),
        broken=counted(right_a & ~right_b, predicted_b),
        entered=counted(elsewhere, predicted_b),
    )


def in_either_cell(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, cell: tuple[int, int]
) -> np.ndarray:
    """Which examples at least one of the runs puts into a cell, (true, predicted); bool (n,)."""
    true, predicted = cell
    chosen: np.ndarray = (labels == true) & ((predicted_a == predicted) | (predicted_b == predicted))
    return chosen
