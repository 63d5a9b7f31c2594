"""Several seeds per arm: is the difference larger than what the seed alone does?

Arms are paired by seed where at least two seeds are in both: the seed fixes initialization and data order, which
contribute about equally to the spread of fine-tuned BERTs (Dodge et al. 2020, arXiv:2002.06305). What is said here
holds for the dev examples that there are; from five paired seeds up `two_way` says it for others too.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from bertmt.comparison.bootstrap import ROUNDING
from bertmt.comparison.intervals import StudentInterval
from bertmt.comparison.several_seeds.improvement import Improvement, probability_of_improvement
from bertmt.comparison.several_seeds.more_seeds import seeds_to_decide
from bertmt.comparison.verdicts import LEVEL, Difference, Verdict

EXACT_LIMIT = 70_000  # sign vectors or splits that are enumerated; beyond, as many are drawn
SEED = 0
TWO_WAY = "bootstrap and t over paired seeds and examples, the larger p"
LEAST_TWO_WAY = 5  # of fewer seeds there are too few different resamples: 4 have 35, 5 have 126
# Unpaired arms of 3 and 9 seeds, the smaller varying 3 times as much, hold a wrong verdict in more than 6 % of families
# of four rows (docs/methods.md).
ENOUGH_UNPAIRED = 5


@dataclass(frozen=True, kw_only=True)
class SeedDifference(Difference):
    """How much better arm b scores than arm a over several seeds; None: undefined or not enough seeds.

    p is exact by flipping signs where the arms are paired; else the larger of Welch's and of that by exchanging seeds
    between the arms, which alone is far too ready where the smaller arm varies more (docs/methods.md).

    Attributes:
        seeds: those that were paired; empty where the arms share fewer than two seeds.
        left_out: seeds whose scores play no part: in one arm only, or without a score.
        seeds_a, seeds_b: those whose scores are compared, in the order of `scores_a` and `scores_b`.
        differences: b − a per paired seed, in the order of `seeds`; `difference` is mean of b − mean of a.
        spread: standard deviation of the paired differences; unpaired, of one difference between two seeds.
        over_examples: variance of the mean difference by the dev examples alone, which no number of seeds makes less;
            None: not known, and the result holds for these examples.
        has_examples: the predictions of all seeds are known, so that with more of them `two_way` could decide.
    """

    seeds: tuple[int, ...]
    left_out: tuple[int, ...]
    seeds_a: tuple[int, ...]
    seeds_b: tuple[int, ...]
    scores_a: tuple[float, ...]
    scores_b: tuple[float, ...]
    differences: tuple[float, ...]
    spread: float | None
    over_examples: float | None = None
    has_examples: bool = False

    @property
    def smallest_p(self) -> float | None:
        """The least that p can be with so few seeds."""
        k, n = len(self.scores_b), len(self.scores_a) + len(self.scores_b)
        if self.p is None:
            return None
        if self.over_examples is not None:
            return 0.0
        # Exchanging the arms gives the same difference with the other sign only where they are equally large.
        return 2 / 2**k if self.paired else (2 if 2 * k == n else 1) / math.comb(n, k)

    @property
    def paired(self) -> bool:
        """Whether the arms were paired by seed."""
        return bool(self.seeds)

    @property
    def mean_a(self) -> float | None:
        """Of the scores of arm a that are compared."""
        return float(np.mean(self.scores_a)) if self.scores_a else None

    @property
    def mean_b(self) -> float | None:
        """Of the scores of arm b that are compared."""
        return float(np.mean(self.scores_b)) if self.scores_b else None

    @property
    def can_decide(self) -> bool:
        """Whether so many seeds can reach 0.05 in this family at all, whatever the scores."""
        return self._least is not None and self._least <= LEVEL

    @property
    def _least(self) -> float | None:
        return self.smallest_p if self.smallest_corrected is None else self.smallest_corrected

    @property
    def seeds_needed(self) -> int:
        """How many seeds in each arm, paired or not as now, could decide in a family of this size."""
        if self.over_examples is not None or (self.has_examples and len(self.scores_b) < LEAST_TWO_WAY):
            return LEAST_TWO_WAY
        arrangements = (lambda k: 2**k) if self.paired else (lambda k: math.comb(2 * k, k))
        return next(k for k in itertools.count(2) if 2 * max(self.family, 1) / arrangements(k) <= LEVEL)

    @property
    def enough_seeds(self) -> int | None:
        """How many seeds in each arm would decide 4 times in 5 if the true difference is the one that was seen; fewer
        than can decide at all tell too little of the spread: then those that can. None: decided, undefined, or no
        number up to 1,000 would, as the examples are too few or there is no difference."""
        if self.verdict is not Verdict.UNDECIDED or self.difference is None:
            return None
        if self.spread is None or not self.can_decide:
            return self.seeds_needed
        if abs(self.difference) <= ROUNDING:  # nor would any number find a difference of none
            return None
        now = min(len(self.scores_a), len(self.scores_b))
        return seeds_to_decide(self.difference, self.spread, self.over_examples or 0.0, self.level, now + 1)

    @property
    def improvement(self) -> Improvement | None:
        """How probable it is that a run of b scores higher than one of a."""
        return probability_of_improvement(self.scores_a, self.scores_b)

    @property
    def remark(self) -> str | None:
        """What so few seeds cannot say, in words."""
        if self.difference is None:
            return "One of the arms has no score, so there is nothing to compare."
        if self.smallest_p is None:
            return "One seed in an arm says nothing about other seeds: queue more with `--seed`."
        if not self.can_decide:
            counts = f"{len(self.seeds)}" if self.paired else f"{len(self.scores_a)} and {len(self.scores_b)}"
            family = f" in a family of {self.family} comparisons" if self.family > 1 else ""
            each = "paired seeds" if self.paired else "seeds in each arm"
            return (
                f"Cannot reach 0.05 with {counts} seeds{family}: the smallest possible p is {self._least:.3g}. "
                f"{self.seeds_needed} {each} could."
            )
        said = []
        if self.verdict is Verdict.UNDECIDED:
            said.append("Undecided is not “no effect”: the interval says which differences are still possible.")
        if self.over_examples is None:
            said.append("It holds for these dev examples.")
        if not self.paired and min(len(self.scores_a), len(self.scores_b)) < ENOUGH_UNPAIRED:
            said.append(
                f"With fewer than {ENOUGH_UNPAIRED} seeds in an arm, not paired, p and interval promise a little too "
                "much where the smaller arm varies more: pair the seeds."
            )
        return " ".join(said) or None


def compare_seeds(
    task: str, scores_a: Mapping[int, float | None], scores_b: Mapping[int, float | None]
) -> SeedDifference:
    """Compare two arms, each a mapping from seed to score; missing scores are left out and listed."""
    known_a = {seed: score for seed, score in sorted(scores_a.items()) if score is not None and math.isfinite(score)}
    known_b = {seed: score for seed, score in sorted(scores_b.items()) if score is not None and math.isfinite(score)}
    shared = tuple(seed for seed in known_a if seed in known_b)
    everything = set(scores_a) | set(scores_b)
    if len(shared) >= 2 or (shared and min(len(known_a), len(known_b)) == 1):
        arm_a, arm_b = tuple(known_a[seed] for seed in shared), tuple(known_b[seed] for seed in shared)
        return _paired(task, shared, tuple(sorted(everything - set(shared))), arm_a, arm_b)
    left_out = tuple(sorted(everything - set(known_a) - set(known_b)))
    return _unpaired(task, left_out, known_a, known_b)


def sign_flip_p(differences: np.ndarray) -> float:
    """Two-sided p of the mean under all 2^k flips of signs; at least 2/2^k."""
    k = len(differences)
    if 2**k <= EXACT_LIMIT:
        signs = 1.0 - 2.0 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
        return _share_at_least(signs @ differences, differences.sum())
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(EXACT_LIMIT, k))
    return _drawn_share(signs @ differences, differences.sum())


def exchange_p(scores_a: np.ndarray, scores_b: np.ndarray) -> float:
    """Two-sided p of the difference of means under all ways to deal the seeds to the two arms."""
    pooled = np.concatenate([scores_a, scores_b])
    pooled = pooled - pooled.mean()
    k, n = len(scores_b), len(pooled)
    observed = pooled[n - k :].sum()  # with a centred pool, arm b's sum alone orders the differences of means
    if math.comb(n, k) <= EXACT_LIMIT:
        dealt = np.array(list(itertools.combinations(range(n), k)))
        return _share_at_least(pooled[dealt].sum(axis=1), observed)
    rng = np.random.default_rng(SEED)
    return _drawn_share(rng.permuted(np.tile(pooled, (EXACT_LIMIT, 1)), axis=1)[:, :k].sum(axis=1), observed)


def _share_at_least(values: np.ndarray, observed: float) -> float:
    # A little slack: sums of the same numbers in another order differ in their last bits.
    return float((np.abs(values) >= abs(observed) - 1e-12).mean())


def _drawn_share(values: np.ndarray, observed: float) -> float:
    return float((1 + (np.abs(values) >= abs(observed) - 1e-12).sum()) / (1 + len(values)))


def welch_p(scores_a: np.ndarray, scores_b: np.ndarray) -> float:
    """Two-sided p of Welch's t: the means of two arms whose seeds need not vary alike."""
    standard_error, freedom = _welch(scores_a, scores_b)
    difference = float(np.mean(scores_b) - np.mean(scores_a))
    if standard_error == 0:
        return 0.0 if difference else 1.0
    return 2 * float(special.stdtr(freedom, -abs(difference) / standard_error))


def _welch(scores_a: np.ndarray, scores_b: np.ndarray) -> tuple[float, float]:
    """Standard error of the difference of means, and its degrees of freedom (Welch 1947, Biometrika 34:28)."""
    parts = [float(np.var(arm, ddof=1)) / len(arm) for arm in (scores_a, scores_b)]
    weight = sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, (scores_a, scores_b), strict=True))
    return math.sqrt(sum(parts)), (sum(parts) ** 2 / weight if weight else 1.0)


def _paired(
    task: str, seeds: tuple[int, ...], left_out: tuple[int, ...], arm_a: tuple[float, ...], arm_b: tuple[float, ...]
) -> SeedDifference:
    deltas = np.subtract(arm_b, arm_a)
    k, mean = len(deltas), float(deltas.mean())
    spread = float(deltas.std(ddof=1)) if k > 1 else None
    return SeedDifference(
        task=task,
        seeds=seeds,
        left_out=left_out,
        seeds_a=seeds,
        seeds_b=seeds,
        scores_a=arm_a,
        scores_b=arm_b,
        differences=tuple(float(delta) for delta in deltas),
        difference=mean,
        spread=spread,
        interval=None if spread is None else StudentInterval(mean, spread / math.sqrt(k), k - 1, "Student's t"),
        p=sign_flip_p(deltas) if k > 1 else None,
        test="sign flips of paired seeds",
    )


def _unpaired(
    task: str, left_out: tuple[int, ...], known_a: Mapping[int, float], known_b: Mapping[int, float]
) -> SeedDifference:
    arm_a, arm_b = tuple(known_a.values()), tuple(known_b.values())
    difference = float(np.mean(arm_b) - np.mean(arm_a)) if arm_a and arm_b else None
    spread = interval = p = None
    if difference is not None and min(len(arm_a), len(arm_b)) >= 2:
        a, b = np.array(arm_a), np.array(arm_b)
        spread = math.sqrt(float(np.var(a, ddof=1) + np.var(b, ddof=1)))
        interval = StudentInterval(difference, *_welch(a, b), "Welch's t")
        p = max(welch_p(a, b), exchange_p(a, b))
    return SeedDifference(
        task=task,
        seeds=(),
        left_out=left_out,
        seeds_a=tuple(known_a),
        seeds_b=tuple(known_b),
        scores_a=arm_a,
        scores_b=arm_b,
        differences=(),
        difference=difference,
        spread=spread,
        interval=interval,
        p=p,
        test="Welch's t and exchange of seeds, the larger p",
    )
