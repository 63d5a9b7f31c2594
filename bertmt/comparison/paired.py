"""One run compared with another on the same dev examples.

Run a is the one compared with (the baseline), run b the one that is judged: a positive difference means that b
scores higher. What is said holds for this pair of trained models; other seeds are the concern of `seeds.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bertmt.comparison import bootstrap, correlations, permutation, proportions
from bertmt.comparison.flips import flips
from bertmt.comparison.intervals import detectable_with
from bertmt.comparison.verdicts import Difference, Verdict
from bertmt.drawing import numbers
from bertmt.tasks import scores
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import pearson

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


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Difference):
    """How much better run b scores than run a on the same examples, and how sure that is; None: undefined.

    Attributes:
        standard_error: of the difference; for SST and PARA the numbers of flips say more.
        fixed, broken: examples that only b, or only a, got right; None for STS and overall.
        p_williams: by Williams' t, for readers who know it; it decides nothing.
    """

    n: int
    score_a: float | None
    score_b: float | None
    standard_error: float | None = None
    fixed: int | None = None
    broken: int | None = None
    p_williams: float | None = None

    @property
    def detectable(self) -> float | None:
        """The smallest true difference found in 80 % of samples of this size and spread, at the level that judged."""
        if self.fixed is not None and self.broken is not None:
            return proportions.detectable_difference((self.fixed + self.broken) / self.n, self.n, self.level)
        return detectable_with(self.standard_error, self.level) if self.standard_error else None

    @property
    def remark(self) -> str | None:
        """What an undecided or undefined result does not say, in words."""
        if self.difference is None:
            return "One of the two scores is undefined, so there is nothing to compare."
        if self.verdict is not Verdict.UNDECIDED:
            return None
        if self.detectable is None:
            return "Undecided, and with so few or such equal predictions no difference could have been found."
        size = numbers.magnitude(self.detectable)
        return (
            f"Undecided is not “no effect”: with n = {self.n:,} a true difference of {size} is found 4 times in 5, "
            "smaller ones less often."
        )


def compare_examples(pairs: Mapping[str, PairedPredictions], resamples: int) -> tuple[PairedDifference, ...]:
    """Compare two runs on each task, and their overall scores where all three tasks are there.

    Args:
        resamples: of permutations and of the bootstrap; `bootstrap.resamples_for` says how many a family needs.
    """
    compared = [_Compared.of(pair, resamples) for pair in pairs.values()]
    results = [each.difference for each in compared]
    if set(pairs) == set(OVERALL_WEIGHTS):
        results.append(_overall(dict(zip(pairs, compared, strict=True))))
    return tuple(results)


@dataclass(frozen=True)
class _Compared:
    """One task's result, and what the overall score needs of it; None where the result is undefined.

    Attributes:
        resampled: the difference in bootstrap resamples; `exchanged`: with predictions exchanged at random.
    """

    difference: PairedDifference
    resampled: bootstrap.Resampled | None = None
    exchanged: np.ndarray | None = None

    @classmethod
    def of(cls, pair: PairedPredictions, resamples: int) -> "_Compared":
        n = len(pair.labels)
        score_a, score_b = (_score(pair, predicted) for predicted in (pair.predicted_a, pair.predicted_b))
        if score_a is None or score_b is None:
            return cls(PairedDifference(task=pair.task, n=n, score_a=score_a, score_b=score_b))
        compare = _similarities if pair.task == "sts" else _classes
        return compare(pair, score_a, score_b, resamples)


def _classes(pair: PairedPredictions, score_a: float, score_b: float, resamples: int) -> _Compared:
    n = len(pair.labels)
    flipped = flips(pair.labels, pair.predicted_a, pair.predicted_b)
    fixed, broken = len(flipped.fixed), len(flipped.broken)
    p, test = proportions.mcnemar(fixed, broken)
    bootstrap_rng, permutation_rng = _generators(pair.task)
    result = PairedDifference(
        task=pair.task,
        n=n,
        score_a=score_a,
        score_b=score_b,
        difference=(fixed - broken) / n,
        p=p,
        test=test,
        interval=proportions.TangoInterval(fixed, broken, n),
        fixed=fixed,
        broken=broken,
    )
    return _Compared(
        result,
        bootstrap.resampled_accuracy_difference(fixed, broken, n, resamples, bootstrap_rng),
        permutation.exchanged_accuracies(fixed, broken, n, resamples, permutation_rng),
    )


def _similarities(pair: PairedPredictions, r_a: float, r_b: float, resamples: int) -> _Compared:
    n = len(pair.labels)
    arrays = (pair.labels, pair.predicted_a, pair.predicted_b)
    r_ab = pearson(pair.predicted_a, pair.predicted_b)
    bootstrap_rng, permutation_rng = _generators(pair.task)
    resampled = correlations.resampled_correlation_difference(*arrays, resamples, bootstrap_rng)
    exchanged = permutation.exchanged_correlations(*arrays, resamples, permutation_rng)
    result = PairedDifference(
        task=pair.task,
        n=n,
        score_a=r_a,
        score_b=r_b,
        difference=r_b - r_a,
        p=permutation.permutation_p(r_b - r_a, exchanged),
        test="paired permutation",
        interval=bootstrap.symmetric_interval(resampled),
        standard_error=resampled.standard_error,
        p_williams=None if r_ab is None else correlations.williams(r_a, r_b, r_ab, n).p,
    )
    return _Compared(result, resampled, exchanged)


def _overall(compared: Mapping[str, _Compared]) -> PairedDifference:
    """The course's overall score; each task's dev set is resampled and permuted on its own."""
    n = sum(each.difference.n for each in compared.values())
    overall_a = scores.overall({task: each.difference.score_a for task, each in compared.items()}, BUILTIN)
    overall_b = scores.overall({task: each.difference.score_b for task, each in compared.items()}, BUILTIN)
    resampled, exchanged = [], []
    for task, weight in OVERALL_WEIGHTS.items():
        each = compared[task]
        if each.resampled is not None and each.exchanged is not None:
            resampled.append(each.resampled.times(weight))
            exchanged.append(weight * each.exchanged)
    if overall_a is None or overall_b is None or len(resampled) < len(OVERALL_WEIGHTS):
        return PairedDifference(task="overall", n=n, score_a=overall_a, score_b=overall_b)
    together = bootstrap.total(resampled)
    return PairedDifference(
        task="overall",
        n=n,
        score_a=overall_a,
        score_b=overall_b,
        difference=overall_b - overall_a,
        p=permutation.permutation_p(overall_b - overall_a, np.sum(exchanged, axis=0)),
        test="paired permutation",
        interval=bootstrap.symmetric_interval(together),
        standard_error=together.standard_error,
    )


def _generators(task: str) -> list[np.random.Generator]:
    """For the bootstrap and the permutation of a task, independent of each other and of those of other tasks.

    With one seed for all tasks their resamples would go up and down together, and the overall interval be too wide.
    """
    return np.random.default_rng([bootstrap.SEED, *task.encode()]).spawn(2)


def _score(pair: PairedPredictions, predicted: np.ndarray) -> float | None:
    return (
        scores.score(BUILTIN[pair.task], predicted, pair.labels)
        if len(predicted) and np.isfinite(predicted).all()
        else None
    )
