"""Several seeds per arm: wrong claims, family error and coverage where both arms have the same true mean."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bertmt.comparison.seeds import compare_seeds
from bertmt.comparison.verdicts import LEVEL, Verdict, judge

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def normal(rng: np.random.Generator, arm: int, seeds: int) -> np.ndarray:
    """Scores that vary alike in every arm."""
    return rng.normal(size=seeds)


def other_spread(rng: np.random.Generator, arm: int, seeds: int) -> np.ndarray:
    """The reference varies three times as much as the others."""
    return rng.normal(size=seeds) * (3 if arm == 0 else 1)


def collapsing(rng: np.random.Generator, arm: int, seeds: int) -> np.ndarray:
    """One seed in ten collapses, in any arm."""
    return rng.normal(size=seeds) - 10 * (rng.random(seeds) < 0.1)


POPULATIONS: dict[str, Draw] = {
    "normal": normal,
    "reference varies 3 times as much": other_spread,
    "one seed in ten collapses": collapsing,
}


@dataclass(frozen=True, kw_only=True)
class SeedError:
    """Shares of samples without any true difference.

    Attributes:
        sizes: seeds of the reference and of each other arm; `paired`: whether they are the same seeds.
        wrong: p ≤ 0.05 in a row, before any correction; `family`: at least one verdict.
        covered: the 95 % interval held 0.
    """

    population: str
    sizes: tuple[int, int]
    paired: bool
    rows: int
    samples: int
    wrong: float
    family: float
    covered: float


def no_difference(
    population: str, sizes: tuple[int, int], paired: bool, rows: int, samples: int, seed: int
) -> SeedError:
    """Compare rows / 4 arms with a reference on four independent scores, judged as one family."""
    rng, draw = np.random.default_rng(seed), POPULATIONS[population]
    wrong = family = covered = 0
    for _ in range(samples):
        results = []
        for _score in range(4):
            reference = dict(enumerate(draw(rng, 0, sizes[0])))
            for arm in range(1, rows // 4 + 1):
                scores = draw(rng, arm, sizes[1])
                results.append(compare_seeds("sst", reference, dict(enumerate(scores, 0 if paired else 100))))
        judged = judge(results)
        family += any(each.verdict is not Verdict.UNDECIDED for each in judged)
        wrong += sum(each.p is not None and each.p <= LEVEL for each in judged)
        covered += sum(each.low is not None and each.high is not None and each.low <= 0 <= each.high for each in judged)
    return SeedError(
        population=population,
        sizes=sizes,
        paired=paired,
        rows=rows,
        samples=samples,
        wrong=wrong / samples / rows,
        family=family / samples,
        covered=covered / samples / rows,
    )
