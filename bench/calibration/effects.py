"""Average effects of a toggle that has none: pairs of runs on examples, each of which has its own share in it."""

from dataclasses import dataclass

import numpy as np

from bertmt.comparison.effects import Effect, average_effect, influence
from bertmt.comparison.verdicts import LEVEL, Verdict, judge
from bertmt.tasks.builtin import BUILTIN

N = 1000
# Standard deviations of what a seed does to a run's share of right answers, of what a toggle does in one pair, and of
# what it does to an example in all pairs, in standard normals below which a run is right.
SEED, OF_PAIR, OF_EXAMPLE = 0.05, 0.05, 1.0
ROWS = 4


@dataclass(frozen=True, kw_only=True)
class EffectError:
    """Shares of samples without any true effect.

    Attributes:
        covered: the 95 % interval held 0; `over_pairs`: that of Student's t over pairs alone did.
        family: samples of four independent effects with a verdict.
    """

    pairs: int
    of_pair: float
    of_example: float
    samples: int
    wrong: float
    covered: float
    over_pairs: float
    family: float


def no_effect(pairs: int, of_pair: float, of_example: float, samples: int, seed: int) -> EffectError:
    """A toggle that is right as often with as without, over all seeds and examples; accuracies of 1,000 examples."""
    rng = np.random.default_rng([seed, pairs])
    wrong = covered = alone = family = 0
    for _ in range(samples):
        results, over_pairs = [], []
        for _row in range(ROWS):
            differences, influences = drawn(rng, pairs, of_pair, of_example)
            results.append(average_effect("sst", differences, [influences]))
            over_pairs.append(average_effect("sst", differences))
        judged = judge(results)
        family += any(each.verdict is not Verdict.UNDECIDED for each in judged)
        wrong += sum(each.p is not None and each.p <= LEVEL for each in judged)
        covered += sum(map(_covers_zero, judged))
        alone += sum(map(_covers_zero, over_pairs))
    rows = samples * ROWS
    return EffectError(
        pairs=pairs, of_pair=of_pair, of_example=of_example, samples=samples, wrong=wrong / rows,
        covered=covered / rows, over_pairs=alone / rows, family=family / samples,
    )  # fmt: skip


def _covers_zero(effect: Effect) -> bool:
    return effect.low is None or effect.high is None or effect.low <= 0 <= effect.high


def drawn(
    rng: np.random.Generator, pairs: int, of_pair: float, of_example: float
) -> tuple[list[float], list[np.ndarray]]:
    """Differences of accuracy, and what each example adds to them."""
    labels = np.ones(N)
    hard = rng.normal(size=N)
    moved = of_example * rng.normal(size=N)  # of an example by the toggle, in every pair alike
    differences, influences = [], []
    for _ in range(pairs):
        of_seed, of_toggle = SEED * rng.normal(), of_pair * rng.normal()
        sides = []
        for on in (0.0, 1.0):
            # Its variance grows by what is moved, so that the toggle's true effect is 0 only if that is taken out.
            known = hard + of_seed + on * (moved + of_toggle) + rng.normal(size=N)
            spread = np.sqrt(2 + on * (of_example**2 + of_pair**2))
            sides.append((known / spread > 0).astype(np.float64))
        differences.append(float(sides[1].mean() - sides[0].mean()))
        of_a, of_b = (influence(BUILTIN["sst"], labels, side) for side in sides)
        influences.append(of_b - of_a)
    return differences, influences
