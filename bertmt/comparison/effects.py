"""The average effect of a toggle over matched pairs of runs: pairs and examples are both samples.

A pair's difference varies with its seed and the rest of its recipe; and all pairs are evaluated on the same dev
examples, so that their differences share what these examples do to them. An interval over pairs alone holds for other
seeds on these very examples, one over examples alone for these very runs. This one holds for both: its reach is the
root of the squares of Student's reach over pairs and the normal one over examples, less what is in both (the
interaction), as in a two-way layout with one observation a cell. So it is Student's where pairs differ most, however
few they are. (A two-way bootstrap of five pairs is too narrow by √(4/5) and by the quantile; one Student's t with
degrees of freedom by Satterthwaite's formula decides wrongly in 11 % of samples of two pairs: docs/methods.md.)

Sources: Sellam et al. 2022, arXiv:2106.16163, on resampling seeds and examples at once; Searle, Casella & McCulloch
1992, *Variance Components*, section 4.4, on the layout; Howe 1974, J. Am. Stat. Assoc. 69:789, on adding reaches.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bertmt.comparison import confusions
from bertmt.comparison.bootstrap import ROUNDING
from bertmt.comparison.correlation import rank
from bertmt.comparison.intervals import detectable_with, upper_z
from bertmt.comparison.permutation import standardised
from bertmt.comparison.verdicts import Difference, Verdict
from bertmt.tasks.task import Task

TWO_WAY, OVER_PAIRS = "t over pairs and examples", "t over pairs alone"


@dataclass(frozen=True, kw_only=True)
class Effect(Difference):
    """What switching a toggle does to a score on average; None: undefined, or of too few pairs.

    Attributes:
        pairs: how many differences it is the mean of, where pairs that share a run are one; `differences`: b − a each.
        standard_error: of the mean; None of one pair.
    """

    pairs: int
    differences: tuple[float, ...]
    standard_error: float | None = None

    @property
    def detectable(self) -> float | None:
        """The smallest true effect found in about 80 % of such samples, by normal theory, at the level that judged."""
        return detectable_with(self.standard_error, self.level) if self.standard_error else None

    @property
    def remark(self) -> str | None:
        """What so few pairs cannot say, in words."""
        if self.pairs < 2:
            return "One pair says nothing about others."
        if self.verdict is Verdict.UNDECIDED:
            return "Undecided is not “no effect”."
        return None


@dataclass(frozen=True)
class TwoWayInterval:
    """An interval whose reach is √(t² · variance over pairs + z² · variance over examples).

    Attributes:
        over_pairs, over_examples: variances of the mean; `freedom`: degrees of freedom of the first.
        method: its name.
    """

    mean: float
    over_pairs: float
    freedom: int
    over_examples: float
    method: str

    def at(self, level: float) -> tuple[float, float]:
        """mean ∓ the reach at this level."""
        t = float(special.stdtrit(self.freedom, 1 - level / 2))
        reach = math.sqrt(t * t * self.over_pairs + upper_z(level) ** 2 * self.over_examples)
        return self.mean - reach, self.mean + reach

    @property
    def p(self) -> float:
        """The largest level at which it holds 0, by bisection."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            ends = self.at(middle)
            low, high = (low, middle) if ends[0] > 0 or ends[1] < 0 else (middle, high)
        return high


def average_effect(score: str, differences: Sequence[float], influences: Sequence[Sequence[np.ndarray]] = ()) -> Effect:
    """The mean difference of pairs with its interval.

    Args:
        score: the name of a task, or overall.
        differences: score of run b less that of run a, by pair.
        influences: for each dev set that pairs were evaluated on, of each of these pairs what every example adds to its
            difference (`influence` of run b less that of run a, times the task's weight); dev sets are independent.
            Without any the interval is over pairs alone, and says so.
    """
    deltas = np.asarray(differences, dtype=np.float64)
    k, mean = len(deltas), float(deltas.mean())
    known = tuple(float(each) for each in deltas)
    if k < 2:
        return Effect(task=score, difference=mean, pairs=k, differences=known)
    over_pairs = float(deltas.var(ddof=1)) / k
    over_examples = variance_over_examples([np.stack(list(group)) for group in influences if len(group)], k)
    name = TWO_WAY if influences else OVER_PAIRS
    interval = TwoWayInterval(mean, over_pairs, k - 1, over_examples, name)
    # Pairs that agree to the bit are copies of each other, and no sample: then nothing is known.
    if over_pairs <= ROUNDING**2:
        return Effect(task=score, difference=mean, test=name, pairs=k, differences=known)
    return Effect(
        task=score, difference=mean, p=interval.p, test=name, interval=interval, pairs=k, differences=known,
        standard_error=math.sqrt(over_pairs + over_examples),
    )  # fmt: skip


def variance_over_examples(groups: Sequence[np.ndarray], k: int) -> float:
    """What the examples add to the variance of the mean over k pairs.

    Args:
        groups: of each dev set, (pairs on it, n).
    """
    variance = 0.0
    for group in groups:
        pairs, n = group.shape
        if n < 2:
            continue
        of_mean = group.sum(axis=0) / k
        columns = float(of_mean @ of_mean) / (n * (n - 1))
        rest = group - group.mean(axis=0)
        # In the spread of pairs already: what an example does in one pair alone.
        both = float((rest**2).sum()) / (max(pairs - 1, 1) * (n - 1)) * pairs / (k * k * n)
        variance += max(columns - both, 0.0)
    return variance


def influence(task: Task, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """What each example adds to a run's score, to first order; (n,), of mean 0.

    The score of a resample is about the score plus the mean of the influences of its examples (the infinitesimal
    jackknife, Efron & Tibshirani 1993, chapter 21).
    """
    metric = task.metric.name
    if metric == "accuracy":
        right = (predicted == labels).astype(np.float64)
        values: np.ndarray = right - right.mean()
        return values
    if metric == "pearson":
        y, x = standardised(labels), standardised(predicted)
        values = y * x - float(y @ x) / len(y) * (y * y + x * x) / 2
        return values
    if metric == "spearman":
        return rank.influence(labels, predicted)
    return confusions.influence(labels, predicted, metric)
