"""How far apart two seeds of one recipe are: what any difference between two runs has to be seen against."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseFloor:
    """It describes the seeds that there are, and decides nothing.

    Attributes:
        difference: the root mean square of the difference of two seeds of one recipe, √2 times the standard deviation
            within recipes, pooled over them.
        recipes, seeds: how many it is known from.
    """

    difference: float
    recipes: int
    seeds: int


def noise_floor(recipes: Iterable[Sequence[float]]) -> NoiseFloor | None:
    """Of the scores of each recipe's seeds; None where no recipe has two."""
    known = [scores for scores in recipes if len(scores) > 1]
    freedom = sum(len(scores) - 1 for scores in known)
    if not freedom:
        return None
    means = [math.fsum(scores) / len(scores) for scores in known]
    squares = math.fsum((score - mean) ** 2 for scores, mean in zip(known, means, strict=True) for score in scores)
    return NoiseFloor(math.sqrt(2 * squares / freedom), len(known), sum(map(len, known)))
