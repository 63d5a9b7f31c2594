"""Two recipes over paired seeds on the same dev examples: seeds and examples are both resampled.

Seeds alone say what other seeds would give on these very examples. A claim about the recipes is one about other
examples too, and an interval over seeds covers that ever less the more seeds there are (docs/methods.md). So each
resample draws seeds and, independently, the examples of each dev set, and is studentised: distances are in standard
errors of the resample's own, from the two-way layout without repetition. That matters twice. Plain resamples of few
seeds vary too little, by √((k−1)/k); and they count what an example does in one seed alone three times (McCullagh 2000,
Bernoulli 6:285). Both are in the standard error of a resample as they are in its value, and go out.

What stays is that five seeds tell little of their spread, and so do resamples of them: at level 0.05 the bootstrap
alone is wrong in 7 % of samples of five seeds, at 0.0125 in 4 % (docs/methods.md). Student's quantile knows that, and
nothing of tails. So the larger p and the wider interval of the bootstrap and of `effects.TwoWayInterval` count.

A score is linear in its examples here, which accuracy is and other metrics are to first order (their influences).

Sources: Sellam et al. 2022, arXiv:2106.16163, the multi-bootstrap; Hall 1988 on the symmetric bootstrap-t, as in
`bootstrap`; Searle, Casella & McCulloch 1992, *Variance Components*, section 4.4, on the layout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bertmt.comparison import bootstrap
from bertmt.comparison.effects import TwoWayInterval
from bertmt.comparison.intervals import Interval
from bertmt.comparison.seeds import LEAST_TWO_WAY, TWO_WAY, SeedDifference

LAYOUT = "t over seeds and examples"
CHUNK = 50  # resamples at a time, as many as fit a core's own cache


@dataclass(frozen=True, eq=False)
class DevSet:
    """What resampling the examples of one dev set does to the differences of k seeds; row 0 is the sample itself.

    Attributes:
        drawn: how often each seed is in a resample, (resamples + 1, k); the same in all dev sets.
        shifts: what is added to each seed's difference, (resamples + 1, k).
        variances: of the mean over the drawn seeds, by these examples alone, (resamples + 1,).
    """

    drawn: np.ndarray
    shifts: np.ndarray
    variances: np.ndarray

    def times(self, weight: float) -> "DevSet":
        """Of the differences times a constant."""
        return DevSet(self.drawn, weight * self.shifts, weight**2 * self.variances)


def resampled_dev_set(task: str, influences: np.ndarray, resamples: int) -> DevSet:
    """Resample the examples of a task together with the seeds.

    Args:
        task: its name; it seeds the resampling, so that dev sets do not go up and down together.
        influences: what each example adds to each seed's difference, (k, n): `effects.influence` of run b less that of
            run a.
    """
    k, n = influences.shape
    rng = np.random.default_rng([bootstrap.SEED, *task.encode()])
    drawn = np.vstack([np.ones(k), _drawn_seeds(k, resamples)])
    parts = [_of_examples(influences, drawn[:1], np.ones((1, n)))]
    for start in range(1, resamples + 1, CHUNK):
        rows = drawn[start : start + CHUNK]
        parts.append(_of_examples(influences, rows, bootstrap.drawn_counts(len(rows), n, rng)))
    shifts, variances = (np.concatenate(each) for each in zip(*parts, strict=True))
    return DevSet(drawn, shifts, variances)


def _drawn_seeds(k: int, resamples: int) -> np.ndarray:
    """How often each of k seeds is in each resample, for every task alike: what a seed does to one score, it may do to
    another."""
    return np.random.default_rng(bootstrap.SEED).multinomial(k, np.full(k, 1 / k), size=resamples).astype(np.float64)


def _of_examples(influences: np.ndarray, seeds: np.ndarray, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts and variances where seeds and examples are there so often; (k, n), (r, k), (r, n) → (r, k), (r,).

    The variance is that of the mean over seeds, example by example, less the interaction, which the spread of seeds
    has in it already.
    """
    k, n = influences.shape
    shifts = examples @ influences.T / n
    of_mean = seeds @ influences / k
    mean = (seeds * shifts).sum(axis=1) / k
    columns = np.einsum("rn,rn->r", examples, np.square(of_mean)) - n * np.square(mean)
    every = (seeds * (examples @ np.square(influences).T - n * np.square(shifts))).sum(axis=1)
    interaction = (every - k * columns) / ((k - 1) * (n - 1))
    return shifts, np.maximum(columns / (n * (n - 1)) - interaction / (k * n), 0.0)


@dataclass(frozen=True)
class WiderInterval:
    """Of two intervals about the same estimate the wider one, at any level."""

    bootstrap: Interval
    layout: Interval

    @property
    def method(self) -> str:
        """Both names."""
        return f"the wider of {self.bootstrap.method} and {self.layout.method}"

    def at(self, level: float) -> tuple[float, float]:
        """The ends that are farther out."""
        (low, high), (other_low, other_high) = self.bootstrap.at(level), self.layout.at(level)
        return min(low, other_low), max(high, other_high)


def over_examples_too(found: SeedDifference, dev_sets: Sequence[DevSet], bound: float) -> SeedDifference:
    """The same comparison for other seeds and other examples; unchanged where seeds are too few to say so, or the arms
    score the same with each. Where all differ by the same, seeds tell of no spread, and the layout's examples decide.

    Args:
        found: of paired seeds.
        dev_sets: of its task or, with the tasks' weights, of all that an overall score is of; seeds in its order.
        bound: the largest size that the difference can have.
    """
    k = len(found.seeds)
    if k < LEAST_TWO_WAY or not dev_sets or found.spread is None or found.difference is None:
        return found
    over_examples = float(sum(each.variances[0] for each in dev_sets))
    if found.spread <= bootstrap.ROUNDING:
        if abs(found.difference) <= bootstrap.ROUNDING or not over_examples:
            return found
        alone = TwoWayInterval(found.difference, 0.0, k - 1, over_examples, LAYOUT)
        return replace(found, interval=alone, p=alone.p, test=LAYOUT, over_examples=over_examples)
    resampled = bootstrap.symmetric_interval(_together(np.asarray(found.differences), dev_sets, bound))
    layout = TwoWayInterval(resampled.estimate, found.spread**2 / k, k - 1, over_examples, LAYOUT)
    return replace(
        found,
        interval=WiderInterval(resampled, layout),
        p=max(bootstrap.p_value(resampled), layout.p),
        test=TWO_WAY,
        over_examples=over_examples,
    )


def _together(differences: np.ndarray, dev_sets: Sequence[DevSet], bound: float) -> bootstrap.Resampled:
    k, drawn = len(differences), dev_sets[0].drawn
    moved = differences + np.sum([each.shifts for each in dev_sets], axis=0)
    means = (drawn * moved).sum(axis=1) / k
    over_seeds = (drawn * np.square(moved - means[:, None])).sum(axis=1) / (k * (k - 1))
    errors = np.sqrt(over_seeds + np.sum([each.variances for each in dev_sets], axis=0))
    return bootstrap.Resampled(float(means[0]), float(errors[0]), means[1:], errors[1:], bound)


def weighted(dev_sets: Mapping[str, DevSet], weights: Mapping[str, float]) -> list[DevSet]:
    """Those of an overall score, of which a task's score has such a weight."""
    return [dev_sets[task].times(weight) for task, weight in weights.items()]
