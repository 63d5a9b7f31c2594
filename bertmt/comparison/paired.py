"""One run compared with another on the same dev examples.

Run a is the one compared with (the baseline), run b the one that is judged: a positive difference means that b
scores higher. What is said holds for this pair of trained models; other seeds are the concern of `seeds.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bertmt.comparison import bootstrap, permutation, proportions
from bertmt.comparison.intervals import detectable_with
from bertmt.comparison.procedures import BY_METRIC, PERMUTATION, Generators, Procedure, Sample
from bertmt.comparison.verdicts import Difference, Verdict
from bertmt.drawing import numbers
from bertmt.tasks import scores
from bertmt.tasks.task import Task


@dataclass(frozen=True)
class PairedPredictions:
    """What two runs predicted for the same labelled examples of one task, in one order; shapes all (n,).

    Raises:
        ValueError: the three are not equally long.
    """

    task: Task
    labels: np.ndarray
    predicted_a: np.ndarray
    predicted_b: np.ndarray

    def __post_init__(self) -> None:
        lengths = {len(self.labels), len(self.predicted_a), len(self.predicted_b)}
        if len(lengths) != 1:
            raise ValueError(f"labels and predictions of {self.task.name} differ in number: {sorted(lengths)}")


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Difference):
    """How much better run b scores than run a on the same examples, and how sure that is; None: undefined.

    Attributes:
        standard_error: of the difference; None of accuracies, of which the numbers of flips say more.
        fixed, broken: examples that only b, or only a, got right; of accuracies alone.
        p_williams: by Williams' t, for readers who know it; it decides nothing. Of Pearson's ρ alone.
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


def compare_examples(
    pairs: Mapping[str, PairedPredictions], resamples: int, with_overall: bool = True
) -> tuple[PairedDifference, ...]:
    """Compare two runs on each task, and their overall scores where there are at least two tasks.

    Args:
        resamples: of permutations and of the bootstrap; `bootstrap.resamples_for` says how many a family needs.
        with_overall: these are all the tasks of either run, so that their overall scores are of the same.
    """
    compared = [_Compared.of(pair, resamples) for pair in pairs.values()]
    results = [each.difference for each in compared]
    if with_overall and len(compared) > 1:
        results.append(_overall(compared))
    return tuple(results)


@dataclass(frozen=True)
class _Compared:
    """One task's result, and what the overall score needs of it; None where the result is undefined."""

    task: Task
    difference: PairedDifference
    found: Procedure | None = None

    @classmethod
    def of(cls, pair: PairedPredictions, resamples: int) -> "_Compared":
        task, n = pair.task, len(pair.labels)
        score_a, score_b = (_score(pair, predicted) for predicted in (pair.predicted_a, pair.predicted_b))
        result = PairedDifference(task=task.name, n=n, score_a=score_a, score_b=score_b)
        if score_a is None or score_b is None:
            return cls(task, result)
        sample = Sample(pair.labels, pair.predicted_a, pair.predicted_b, score_a, score_b)
        found = BY_METRIC[task.metric.name](sample, resamples, _generators(task.name))
        return cls(task, _with(result, found), found)


def _with(result: PairedDifference, found: Procedure) -> PairedDifference:
    return replace(
        result,
        difference=found.difference,
        p=found.p,
        test=found.test,
        interval=found.interval,
        standard_error=found.standard_error,
        fixed=found.fixed,
        broken=found.broken,
        p_williams=found.p_williams,
    )


def _overall(compared: Sequence[_Compared]) -> PairedDifference:
    """The mean of the unit scores; each task's dev set is resampled and permuted on its own."""
    about = {each.task.name: each.task for each in compared}
    overall_a = scores.overall({each.task.name: each.difference.score_a for each in compared}, about)
    overall_b = scores.overall({each.task.name: each.difference.score_b for each in compared}, about)
    n = sum(each.difference.n for each in compared)
    result = PairedDifference(task="overall", n=n, score_a=overall_a, score_b=overall_b)
    parts = [(overall_weight(each.task, len(compared)), each.found) for each in compared if each.found is not None]
    if overall_a is None or overall_b is None or len(parts) < len(compared):
        return result
    together = bootstrap.total([found.resampled.times(weight) for weight, found in parts])
    exchanged = np.sum([weight * found.exchanged for weight, found in parts], axis=0)
    return replace(
        result,
        difference=overall_b - overall_a,
        p=permutation.permutation_p(overall_b - overall_a, exchanged),
        test=PERMUTATION,
        interval=bootstrap.symmetric_interval(together),
        standard_error=together.standard_error,
    )


def overall_weight(task: Task, tasks: int) -> float:
    """How much the overall score of so many tasks rises with a task's: a signed one counts as (1 + x)/2."""
    return (task.unit(1.0) - task.unit(0.0)) / tasks


def _generators(task: str) -> Generators:
    """For the bootstrap and the permutation of a task, independent of each other and of those of other tasks.

    With one seed for all tasks their resamples would go up and down together, and the overall interval be too wide.
    """
    for_bootstrap, for_permutation = np.random.default_rng([bootstrap.SEED, *task.encode()]).spawn(2)
    return for_bootstrap, for_permutation


def _score(pair: PairedPredictions, predicted: np.ndarray) -> float | None:
    is_defined = len(predicted) and np.isfinite(predicted).all()
    return scores.score(pair.task, predicted, pair.labels) if is_defined else None
