"""One run compared with another on the same dev examples.

Run a is the one compared with (the baseline), run b the one that is judged: a positive difference means that b
scores higher. What is said holds for this pair of trained models; other seeds are the concern of `seeds.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bertmt.comparison import bootstrap, correlations, proportions
from bertmt.comparison.flips import flips
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.tasks import scores

# The course's overall score (docs/paper.md): (accuracy of SST + accuracy of PARA + (1 + ρ)/2) / 3.
OVERALL_WEIGHTS = {"sst": 1 / 3, "para": 1 / 3, "sts": 1 / 6}


@dataclass(frozen=True)
class PairedPredictions:
    """What two runs predicted for the same labelled examples of one task, in one order; shapes all (n,).

    Raises:
        ValueError: the three are not equally long.
    """

    task: str
    labels: np.ndarray
    predicted_a: np.ndarray
    predicted_b: np.ndarray

    def __post_init__(self) -> None:
        lengths = {len(self.labels), len(self.predicted_a), len(self.predicted_b)}
        if len(lengths) != 1:
            raise ValueError(f"labels and predictions of {self.task} differ in number: {sorted(lengths)}")


@dataclass(frozen=True)
class PairedDifference:
    """How much better run b scores than run a, and how sure that is; None: undefined.

    Attributes:
        task: sst, para, sts or overall. STS: ρ.
        low, high: 95 % confidence interval of the difference, by the method named in `interval`.
        p: two-sided, by `test`, before any correction; `p_corrected`: by Holm over the family, see `verdicts`.
        detectable: the smallest true difference that this test would have found in 80 % of samples of this
            size and disagreement. An undecided result says nothing about differences smaller than this.
        fixed, broken: examples that only b, or only a, got right; None for STS and overall.
    """

    task: str
    n: int
    score_a: float | None
    score_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    test: str
    interval: str
    detectable: float | None
    fixed: int | None = None
    broken: int | None = None
    p_corrected: float | None = None
    verdict: Verdict = Verdict.UNDECIDED

    @property
    def remark(self) -> str | None:
        """What an undecided or undefined result does not say, in words."""
        if self.difference is None:
            return "One of the two scores is undefined, so there is nothing to compare."
        if self.verdict is not Verdict.UNDECIDED:
            return None
        if self.detectable is None:
            return "Undecided, and with so few or such equal predictions no difference could have been found."
        size = numbers.score(self.detectable)
        return (
            f"Undecided is not “no effect”: with n = {self.n:,} a true difference of {size} is found 4 times in 5, "
            "smaller ones less often."
        )


def compare_task(pair: PairedPredictions, resamples: int = bootstrap.RESAMPLES) -> PairedDifference:
    """Compare two runs on one task: McNemar's mid-p for classes, Williams' t for similarities."""
    if not len(pair.labels):
        return _undefined(pair.task, 0, None, None)
    return _compare_similarities(pair, resamples) if pair.task == "sts" else _compare_classes(pair)


def compare_overall(
    pairs: Mapping[str, PairedPredictions], resamples: int = bootstrap.RESAMPLES
) -> PairedDifference | None:
    """Compare the course's overall score; each task's dev set is resampled on its own.

    Returns:
        None unless all three tasks are there; undefined where one of their scores is.
    """
    if set(pairs) != set(OVERALL_WEIGHTS):
        return None
    n = sum(len(pair.labels) for pair in pairs.values())
    overall_a = scores.overall({task: _score(pair, pair.predicted_a) for task, pair in pairs.items()})
    overall_b = scores.overall({task: _score(pair, pair.predicted_b) for task, pair in pairs.items()})
    if overall_a is None or overall_b is None:
        return _undefined("overall", n, overall_a, overall_b)
    rng = np.random.default_rng(bootstrap.SEED)
    parts = [_resampled(pairs[task], resamples, rng).times(weight) for task, weight in OVERALL_WEIGHTS.items()]
    result = bootstrap.bca(bootstrap.total(parts))
    detectable = (proportions.Z_95 + proportions.Z_POWER) * result.standard_error if result else 0.0
    return PairedDifference(
        task="overall",
        n=n,
        score_a=overall_a,
        score_b=overall_b,
        difference=overall_b - overall_a,
        low=result.low if result else None,
        high=result.high if result else None,
        p=result.p if result else None,
        test="paired bootstrap",
        interval=_bootstrap_name(resamples),
        detectable=detectable or None,
    )


def _compare_classes(pair: PairedPredictions) -> PairedDifference:
    n = len(pair.labels)
    score_a, score_b = _score(pair, pair.predicted_a), _score(pair, pair.predicted_b)
    if score_a is None or score_b is None:
        return _undefined(pair.task, n, score_a, score_b)
    flipped = flips(pair.labels, pair.predicted_a, pair.predicted_b)
    fixed, broken = len(flipped.fixed), len(flipped.broken)
    low, high = proportions.difference_interval(fixed, broken, n)
    return PairedDifference(
        task=pair.task,
        n=n,
        score_a=score_a,
        score_b=score_b,
        difference=(fixed - broken) / n,
        low=low,
        high=high,
        p=proportions.mcnemar_mid_p(fixed, broken),
        test="McNemar mid-p",
        interval="Tango score",
        detectable=proportions.detectable_difference((fixed + broken) / n, n),
        fixed=fixed,
        broken=broken,
    )


def _compare_similarities(pair: PairedPredictions, resamples: int) -> PairedDifference:
    n = len(pair.labels)
    r_a, r_b = _score(pair, pair.predicted_a), _score(pair, pair.predicted_b)
    r_ab = scores.pearson(pair.predicted_a, pair.predicted_b)
    if r_a is None or r_b is None or r_ab is None:
        return _undefined("sts", n, r_a, r_b)
    tested = correlations.williams(r_a, r_b, r_ab, n)
    result = bootstrap.bca(_resampled(pair, resamples, np.random.default_rng(bootstrap.SEED)))
    return PairedDifference(
        task="sts",
        n=n,
        score_a=r_a,
        score_b=r_b,
        difference=r_b - r_a,
        low=result.low if result else None,
        high=result.high if result else None,
        p=tested.p,
        test="Williams t",
        interval=_bootstrap_name(resamples),
        detectable=tested.detectable,
    )


def _resampled(pair: PairedPredictions, resamples: int, rng: np.random.Generator) -> bootstrap.Resampled:
    n = len(pair.labels)
    if pair.task != "sts":
        flipped = flips(pair.labels, pair.predicted_a, pair.predicted_b)
        return bootstrap.resampled_accuracy_difference(len(flipped.fixed), len(flipped.broken), n, resamples, rng)
    arrays = (pair.labels, pair.predicted_a, pair.predicted_b)
    r_a, r_b = _score(pair, pair.predicted_a), _score(pair, pair.predicted_b)
    assert r_a is not None and r_b is not None  # callers have checked that the scores are defined
    draws = correlations.correlation_differences(*arrays, resamples, rng)
    return bootstrap.Resampled(r_b - r_a, draws, correlations.correlation_influence(*arrays) / n)


def _score(pair: PairedPredictions, predicted: np.ndarray) -> float | None:
    return scores.score(pair.task, predicted, pair.labels) if np.isfinite(predicted).all() else None


def _bootstrap_name(resamples: int) -> str:
    return f"BCa bootstrap, {resamples:,} resamples"


def _undefined(task: str, n: int, score_a: float | None, score_b: float | None) -> PairedDifference:
    return PairedDifference(task, n, score_a, score_b, None, None, None, None, "none", "none", None)
