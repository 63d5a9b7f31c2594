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
