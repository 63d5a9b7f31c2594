"""Several seeds per arm: is the difference larger than what the seed alone does?

Arms are paired by seed where at least two seeds are in both: the seed fixes initialization and data order, which
contribute about equally to the spread of fine-tuned BERTs (Dodge et al. 2020, arXiv:2002.06305).
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from bertmt.comparison.verdicts import LEVEL, Verdict

EXACT_LIMIT = 70_000  # sign vectors or splits that are enumerated; beyond, as many are drawn
SEED = 0


@dataclass(frozen=True)
class SeedDifference:
    """How much better arm b scores than arm a over several seeds; None: undefined or not enough seeds.

    Attributes:
        seeds: those that were paired; empty where the arms share fewer than two seeds.
        left_out: seeds whose scores play no part: in one arm only, or without a score.
        seeds_a, seeds_b: those whose scores are compared, in the order of `scores_a` and `scores_b`.
        differences: b − a per paired seed, in the order of `seeds`.
        difference: mean of b − mean of a.
        spread: standard deviation of the paired differences; unpaired, of one difference between two seeds.
        low, high: 95 % t-interval of the mean (Welch's where unpaired).
        p: two-sided, exact by flipping signs (paired) or exchanging seeds between the arms (unpaired).
        smallest_p: the least that this p can be with so few seeds.
    """

    task: str
    seeds: tuple[int, ...]
    left_out: tuple[int, ...]
    seeds_a: tuple[int, ...]
    seeds_b: tuple[int, ...]
    scores_a: tuple[float, ...]
    scores_b: tuple[float, ...]
    differences: tuple[float, ...]
    difference: float | None
    spread: float | None
    low: float | None
    high: float | None
    p: float | None
    smallest_p: float | None
    test: str
    p_corrected: float | None = None
    verdict: Verdict = Verdict.UNDECIDED

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
        """Whether p could reach 0.05 at all with so many seeds, before any correction."""
        return self.smallest_p is not None and self.smallest_p <= LEVEL

    @property
    def remark(self) -> str | None:
        """What so few seeds cannot say, in words."""
        if self.difference is None:
            return "One of the arms has no score, so there is nothing to compare."
        if self.smallest_p is None:
            return "One seed in an arm says nothing about other seeds: queue more with `--seed`."
        if not self.can_decide:
            counts = f"{len(self.seeds)}" if self.paired else f"{len(self.scores_a)} and {len(self.scores_b)}"
            return f"Cannot reach 0.05 with {counts} seeds: the smallest possible p is {self.smallest_p:.3g}."
        if self.verdict is Verdict.UNDECIDED:
            return "Undecided is not “no effect”: the interval says which differences are still possible."
        return None


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
    differences = np.asarray(differences, dtype=np.float64)
    k = len(differences)
    if 2**k <= EXACT_LIMIT:
        signs = 1.0 - 2.0 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
        return _share_at_least(signs @ differences, differences.sum())
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(EXACT_LIMIT, k))
    return _drawn_share(signs @ differences, differences.sum())


def exchange_p(scores_a: np.ndarray, scores_b: np.ndarray) -> float:
    """Two-sided p of the difference of means under all ways to deal the seeds to the two arms."""
    pooled = np.concatenate([scores_a, scores_b]).astype(np.float64)
    pooled -= pooled.mean()
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


def _paired(
    task: str, seeds: tuple[int, ...], left_out: tuple[int, ...], arm_a: tuple[float, ...], arm_b: tuple[float, ...]
) -> SeedDifference:
    deltas = np.subtract(arm_b, arm_a)
    k = len(deltas)
    spread = float(deltas.std(ddof=1)) if k > 1 else None
    low, high = _t_interval(float(deltas.mean()), None if spread is None else spread / math.sqrt(k), k - 1)
    return SeedDifference(
        task=task,
        seeds=seeds,
        left_out=left_out,
        seeds_a=seeds,
        seeds_b=seeds,
        scores_a=arm_a,
        scores_b=arm_b,
        differences=tuple(float(delta) for delta in deltas),
        difference=float(deltas.mean()),
        spread=spread,
        low=low,
        high=high,
        p=sign_flip_p(deltas) if k > 1 else None,
        smallest_p=2 / 2**k if k > 1 else None,
        test="sign flips of paired seeds",
    )


def _unpaired(
    task: str, left_out: tuple[int, ...], known_a: Mapping[int, float], known_b: Mapping[int, float]
) -> SeedDifference:
    arm_a, arm_b = tuple(known_a.values()), tuple(known_b.values())
    enough = min(len(arm_a), len(arm_b)) >= 2
    difference = float(np.mean(arm_b) - np.mean(arm_a)) if arm_a and arm_b else None
    spread = low = high = p = smallest = None
    if enough and difference is not None:
        variance_a, variance_b = float(np.var(arm_a, ddof=1)), float(np.var(arm_b, ddof=1))
        part_a, part_b = variance_a / len(arm_a), variance_b / len(arm_b)
        spread = math.sqrt(variance_a + variance_b)
        weight = part_a**2 / (len(arm_a) - 1) + part_b**2 / (len(arm_b) - 1)
        freedom = (part_a + part_b) ** 2 / weight if weight else 1.0
        low, high = _t_interval(difference, math.sqrt(part_a + part_b), freedom)
        p = exchange_p(np.array(arm_a), np.array(arm_b))
        # Exchanging the arms gives the same difference with the other sign only where they are equally large.
        mirrored = 2 if len(arm_a) == len(arm_b) else 1
        smallest = mirrored / math.comb(len(arm_a) + len(arm_b), len(arm_b))
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
        low=low,
        high=high,
        p=p,
        smallest_p=smallest,
        test="exchange of seeds between the arms",
    )


def _t_interval(mean: float, standard_error: float | None, freedom: float) -> tuple[float | None, float | None]:
    if standard_error is None:
        return None, None
    reach = float(special.stdtrit(freedom, 0.975)) * standard_error
    return mean - reach, mean + reach
