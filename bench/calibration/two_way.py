"""Paired seeds on common examples: wrong claims and coverage where the recipes are equally good over all of both."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bench.calibration.effects import drawn
from bertmt.comparison.intervals import Interval
from bertmt.comparison.seeds import SeedDifference, compare_seeds
from bertmt.comparison.several_seeds.improvement import probability_of_improvement
from bertmt.comparison.several_seeds.two_way import WiderInterval, over_examples_too, resampled_dev_set
from bertmt.comparison.verdicts import LEVEL, Verdict, judge

ROWS = 4


@dataclass(frozen=True, kw_only=True)
class TwoWayError:
    """Shares of samples without any true difference.

    Attributes:
        seeds: paired; `of_seed`, `of_example`: spreads, as `effects.drawn` has them.
        wrong, covered: by seeds and examples.
        bootstrap_covered: by the bootstrap without Student's t; `seeds_covered`: by seeds alone, as with fewer than 5.
        family: samples of four independent scores with a verdict.
        improvement_covered: how often the interval of the probability of improvement held one half, of independent
            normal scores of as many seeds.
    """

    seeds: int
    of_seed: float
    of_example: float
    samples: int
    wrong: float
    covered: float
    bootstrap_covered: float
    seeds_covered: float
    family: float
    improvement_covered: float


def no_difference(
    seeds: int, of_seed: float, of_example: float, samples: int, resamples: int, seed: int
) -> TwoWayError:
    """Two recipes that are right as often over all seeds and examples; accuracies of 1,000 examples, four rows."""
    rng = np.random.default_rng([seed, seeds])
    both: list[SeedDifference] = []
    held: Counter[str] = Counter()
    family = 0
    for _ in range(samples):
        rows = []
        for row in range(ROWS):
            differences, influences = drawn(rng, seeds, of_seed, of_example)
            found = compare_seeds(f"task {row}", dict.fromkeys(range(seeds), 0.0), dict(enumerate(differences)))
            held["seeds"] += _holds_zero(found.interval)
            rows.append(over_examples_too(found, [resampled_dev_set(found.task, np.stack(influences), resamples)], 1.0))
            better = probability_of_improvement(list(rng.normal(size=seeds)), list(rng.normal(size=seeds)))
            held["improvement"] += better is not None and better.low <= 0.5 <= better.high
        judged = judge(rows)
        family += any(each.verdict is not Verdict.UNDECIDED for each in judged)
        both += judged
    count = len(both)
    bootstraps = [each.interval.bootstrap for each in both if isinstance(each.interval, WiderInterval)]
    return TwoWayError(
        seeds=seeds, of_seed=of_seed, of_example=of_example, samples=samples,
        wrong=sum(each.p is not None and each.p <= LEVEL for each in both) / count,
        covered=sum(_holds_zero(each.interval) for each in both) / count,
        bootstrap_covered=sum(map(_holds_zero, bootstraps)) / max(len(bootstraps), 1),
        seeds_covered=held["seeds"] / count, family=family / samples, improvement_covered=held["improvement"] / count,
    )  # fmt: skip


def _holds_zero(interval: Interval | None) -> bool:
    low, high = interval.at(LEVEL) if interval is not None else (-1.0, 1.0)
    return low <= 0 <= high
