"""How probable it is that a run of one recipe scores higher than one of another, whatever their seeds.

It says what a mean does not: a recipe can be better on average and lose every second time. It decides nothing.

Source: Agarwal et al. 2021, arXiv:2108.13264, section 4.3; the interval is Newcombe's fifth (2006, Statistics in
Medicine 25:559), a score interval on Hanley & McNeil's variance: it has a width even where every run of one is better.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.comparison.intervals import upper_z
from bertmt.comparison.verdicts import LEVEL


@dataclass(frozen=True)
class Improvement:
    """P(b > a) + P(b = a) / 2 over all pairs of seeds, with its 95 % interval."""

    probability: float
    low: float
    high: float


def probability_of_improvement(scores_a: Sequence[float], scores_b: Sequence[float]) -> Improvement | None:
    """Of a run of b over one of a, with seeds of their own; None where an arm has fewer than two."""
    if min(len(scores_a), len(scores_b)) < 2:
        return None
    differences = np.subtract.outer(np.asarray(scores_b), np.asarray(scores_a))
    found = float((differences > 0).mean() + (differences == 0).mean() / 2)
    reach = _reach(len(scores_a), len(scores_b))
    return Improvement(found, _end(found, 0.0, reach), _end(found, 1.0, reach))


def _reach(m: int, n: int) -> Callable[[float], float]:
    """How far an estimate may lie from a true probability, by that."""

    def reach(true: float) -> float:
        others = ((m + n) / 2 - 1) * ((1 - true) / (2 - true) + true / (1 + true))
        return upper_z(LEVEL) * math.sqrt(true * (1 - true) * (1 + others) / (m * n))

    return reach


def _end(found: float, end: float, reach: Callable[[float], float]) -> float:
    """The probability farthest from `found`, towards `end`, from which it may come; by bisection."""
    near, far = found, end
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if abs(middle - found) <= reach(middle) else (near, middle)
    return far
