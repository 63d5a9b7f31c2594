"""The best of many, chosen on one half of dev and judged on the other, which had no part in the choice.

The largest of several scores is on average larger than the truth of the recipe that has it, the more of them there are
and the smaller dev is; on examples that decided nothing its score is unbiased.

Source: Cawley & Talbot 2010, "On over-fitting in model selection and subsequent selection bias in performance
evaluation", J. Mach. Learn. Res. 11:2079.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.comparison.bootstrap import SEED
from bertmt.tasks.metrics import COMPUTED, aligned

RESAMPLES = 500  # of a standard error, which is shown with two digits
LEAST_FOR_IMPORTANCE = 4


def held_out_mask(ids: Sequence[str]) -> np.ndarray:
    """Which examples are held out: those whose id has a SHA-256 that ends in a 1 bit.

    The same example is held out whatever the search and whichever others are evaluated with it, so that what one
    search may look at no other has chosen by. All and the examples of each class are halved as coins would halve them.

    Returns:
        bool, (n,): about half are True.
    """
    return np.array([_last_bit(each) for each in ids], dtype=bool)


def _last_bit(example: str) -> int:
    return hashlib.sha256(example.encode("utf-8", "surrogatepass")).digest()[-1] & 1


@dataclass(frozen=True)
class Halves:
    """What a recipe scores on the half of dev that is chosen by, and on the other; None: undefined."""

    chosen_by: float | None
    held_out: float | None


@dataclass(frozen=True)
class BestOf:
    """The best of several recipes by the half that is chosen by; the first of equals.

    Attributes:
        place: among the recipes.
        optimism: what the winner scores less on the other half; it has the luck of the choice in it, the difference
            of the halves, and chance.
        easier: how much higher recipes score on the first half for its examples' sake, the mean over all that were
            tried; None where nothing is known.
    """

    place: int
    halves: Halves
    optimism: float | None
    easier: float | None


def best_of(recipes: Sequence[Halves], tried: Sequence[Halves] = ()) -> BestOf | None:
    """The winner; None where no recipe has a score.

    Args:
        recipes: those that were trained to their end.
        tried: all that were tried, at a moment before any of them was chosen; by default `recipes`.
    """
    known = [place for place, halves in enumerate(recipes) if _is_number(halves.chosen_by)]
    if not known:
        return None
    place = max(known, key=lambda each: (recipes[each].chosen_by or 0.0, -each))
    halves = recipes[place]
    gaps = [gap for each in (tried or recipes) if (gap := _gap(each)) is not None]
    return BestOf(place, halves, _gap(halves), math.fsum(gaps) / len(gaps) if gaps else None)


def _gap(halves: Halves) -> float | None:
    if halves.chosen_by is None or halves.held_out is None:
        return None
    gap = halves.chosen_by - halves.held_out
    return gap if math.isfinite(gap) else None


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def standard_error(score: Callable[[Mapping[str, np.ndarray]], float | None], sizes: Mapping[str, int]) -> float | None:
    """How far a score would be from itself on other examples, by the bootstrap; None where it is undefined.

    Args:
        score: of examples of each task, by their places; each task is resampled on its own.
        sizes: task to number of examples.
    """
    source = np.random.default_rng(SEED)
    found = [
        value
        for _ in range(RESAMPLES)
        if (value := score({task: source.integers(0, size, size) for task, size in sizes.items()})) is not None
    ]
    return float(np.std(found, ddof=1)) if len(found) > RESAMPLES // 2 else None


@dataclass(frozen=True)
class Importance:
    """How much of the scores of the tried recipes goes with a setting; with so few recipes a hint, and no more.

    Attributes:
        rank_correlation: of its values with the scores, where they are numbers (Spearman's ρ, −1 to 1).
        share: of the variance of the scores that lies between its values, where they are words: ε², which chance
            alone leaves at 0 on average and which is at least 0 here (Kelley 1935, Proc. Natl. Acad. Sci. 21:554);
            None where each recipe has a value of its own.
    """

    recipes: int
    rank_correlation: float | None = None
    share: float | None = None

    @property
    def size(self) -> float:
        """By what settings are ordered: the share of the variance that goes with it."""
        return self.share if self.share is not None else (self.rank_correlation or 0.0) ** 2


def importance(values: Sequence[object], scores: Sequence[float | None]) -> Importance:
    """Of one setting; both in the order of the recipes, None where one has no score."""
    known = [(value, score) for value, score in zip(values, scores, strict=True) if score is not None]
    if len(known) < LEAST_FOR_IMPORTANCE:
        return Importance(len(known))
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value, _ in known):
        numbers = aligned([float(str(value)) for value, _ in known], [score for _, score in known])
        return Importance(len(known), rank_correlation=COMPUTED["spearman"](*numbers))
    groups: dict[str, list[float]] = defaultdict(list)
    for value, score in known:
        groups[str(value)].append(score)
    mean = math.fsum(score for _, score in known) / len(known)
    whole = math.fsum((score - mean) ** 2 for _, score in known)
    between = math.fsum(len(each) * (math.fsum(each) / len(each) - mean) ** 2 for each in groups.values())
    if not whole or len(groups) == len(known):
        return Importance(len(known))
    # η² of k values among n recipes is (k - 1) / (n - 1) on average where nothing depends on them.
    unexplained = (1 - between / whole) * (len(known) - 1) / (len(known) - len(groups))
    return Importance(len(known), share=max(1 - unexplained, 0.0))
