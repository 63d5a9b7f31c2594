"""Scores by slice of the examples: of one run, or the difference of two, corrected over all slices that are judged.

A slice that is made of the labels cannot be judged by the task's own score: a correlation within a band of labels is
low because the band is narrow, and F1 within one class has no other. There classes are judged by accuracy (a class'
recall), numbers by how far the predictions are from the labels, after the straight line that fits the labels best:
runs of other losses predict on other scales.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import msgspec
import numpy as np

from bertmt.comparison import permutation
from bertmt.comparison.bootstrap import SEED, resamples_for
from bertmt.comparison.correlation.distances import fitted_distances
from bertmt.comparison.intervals import Interval, StudentInterval
from bertmt.comparison.paired import PairedDifference, PairedPredictions, compare_examples
from bertmt.comparison.procedures import PERMUTATION
from bertmt.comparison.proportions import TangoInterval
from bertmt.comparison.verdicts import LEVEL, judge
from bertmt.tasks.scores import commonest_class
from bertmt.tasks.task import Task

LEAST = 20  # examples; a score of fewer says next to nothing, and would only weaken the correction of the others
DISTANCE = "mean distance"


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of the examples.

    Attributes:
        chosen: bool (n,).
        by_label: what is in it depends on the labels.
    """

    name: str
    chosen: np.ndarray
    by_label: bool = False

    @property
    def n(self) -> int:
        """How many examples are in it."""
        return int(self.chosen.sum())

    @property
    def is_whole(self) -> bool:
        """Whether all examples are in it: their difference is judged by `compare`, in a family of other sizes."""
        return bool(self.chosen.all())


@dataclass(frozen=True, kw_only=True)
class SliceScore:
    """A run's score in a slice; None: undefined, or too few examples to say anything.

    Attributes:
        metric: what the score is: the name of a metric, or `DISTANCE`, of which less is better.
        commonest: the share of its commonest class, which always answering that one would score; None of numbers.
        method: how both intervals are computed, in words; "" where there is none.
        interval: `together`: with the level at which all slices' intervals hold at once with 95 % (Bonferroni).
    """

    name: str
    n: int
    metric: str
    commonest: float | None = None
    score: float | None = None
    interval: tuple[float, float] | None = None
    together: tuple[float, float] | None = None
    method: str = ""


@dataclass(frozen=True)
class SliceDifference:
    """Two runs in a slice.

    Attributes:
        metric, commonest: as in `SliceScore`; of distances a positive difference is how much closer run b is.
        result: None where the slice has too few examples to be judged.
        is_judged: whether the result has a verdict; that of all examples has none.
    """

    name: str
    n: int
    metric: str
    commonest: float | None
    result: PairedDifference | None
    is_judged: bool


@dataclass(frozen=True)
class Raised:
    """An interval of a score less the best one, 1, as one of the score."""

    WILSON: ClassVar = "Wilson score"  # what Tango's is where one run makes no mistakes

    interval: Interval

    @property
    def method(self) -> str:
        """Its name."""
        return self.WILSON if isinstance(self.interval, TangoInterval) else self.interval.method

    def at(self, level: float) -> tuple[float, float]:
        """Its ends; no score is above 1."""
        low, high = self.interval.at(level)
        return low + 1, min(high + 1, 1.0)


def metric_of(task: Task, each: Slice) -> str:
    """What a slice is judged by."""
    if not each.by_label:
        return task.metric.name
    return "accuracy" if task.classes else DISTANCE


def compare_slices(
    pair: PairedPredictions, slices: Sequence[Slice], resamples: int | None = None
) -> tuple[SliceDifference, ...]:
    """Two runs in each slice, by the procedures of `procedures`; Holm's correction is over all that are judged.

    That of all examples is measured alone: with it in the family one pair of runs would have two verdicts, this one
    and that of `compare`.

    Args:
        resamples: as many as the family needs, unless a calibration asks for fewer.
    """
    judged = [each for each in slices if each.n >= LEAST and not each.is_whole]
    resamples = resamples or resamples_for(len(judged))
    distances = _distances(pair) if not pair.task.classes else None
    by_name = {
        each.name: _compared_distances(each, *distances, resamples)
        if distances and metric_of(pair.task, each) == DISTANCE
        else _compared(pair, each, resamples)
        for each in slices
        if each.n >= LEAST
    }
    verdicts = judge(by_name[each.name] for each in judged)
    by_name |= {each.name: result for each, result in zip(judged, verdicts, strict=True)}
    return tuple(
        SliceDifference(
            each.name,
            each.n,
            metric_of(pair.task, each),
            _commonest(pair.task, pair.labels, each),
            by_name.get(each.name),
            each in judged,
        )
        for each in slices
    )


def score_slices(
    task: Task, labels: np.ndarray, predicted: np.ndarray, slices: Sequence[Slice], resamples: int | None = None
) -> list[SliceScore]:
    """A run's score in each slice.

    A score's interval is that of its difference from a run without mistakes: that one's score is 1 in every resample,
    so that the procedures of two runs give the spread of one (of accuracy Tango's interval is then Wilson's).
    """
    judged = sum(each.n >= LEAST for each in slices)
    level = LEVEL / max(judged, 1)
    perfect = PairedPredictions(task, labels, labels, predicted)
    distance = fitted_distances(labels, predicted) if not task.classes else None
    found = []
    for each in slices:
        metric, share = metric_of(task, each), _commonest(task, labels, each)
        if each.n < LEAST:
            found.append(SliceScore(name=each.name, n=each.n, metric=metric, commonest=share))
            continue
        if distance is not None and metric == DISTANCE:
            interval: Interval | None = _student(distance[each.chosen])
            score: float | None = float(distance[each.chosen].mean())
        else:
            result = _compared(perfect, each, resamples or resamples_for(judged))
            interval, score = Raised(result.interval) if result.interval else None, result.score_b
        ends, together = (interval.at(one) if interval else None for one in (LEVEL, level))
        found.append(
            SliceScore(
                name=each.name,
                n=each.n,
                metric=metric,
                commonest=share,
                score=score,
                interval=ends,
                together=together,
                method=interval.method if interval else "",
            )
        )
    return found


def _commonest(task: Task, labels: np.ndarray, each: Slice) -> float | None:
    found = commonest_class(task, labels[each.chosen])
    return found[1] if found else None


def _compared(pair: PairedPredictions, each: Slice, resamples: int) -> PairedDifference:
    task = msgspec.structs.replace(pair.task, metrics=(metric_of(pair.task, each),))
    arrays = (array[each.chosen] for array in (pair.labels, pair.predicted_a, pair.predicted_b))
    within = PairedPredictions(task, *arrays)
    [found] = compare_examples({task.name: within}, resamples, with_overall=False)
    return replace(found, task=each.name)


def _distances(pair: PairedPredictions) -> tuple[np.ndarray, np.ndarray]:
    return fitted_distances(pair.labels, pair.predicted_a), fitted_distances(pair.labels, pair.predicted_b)


def _compared_distances(each: Slice, of_a: np.ndarray, of_b: np.ndarray, resamples: int) -> PairedDifference:
    """How much closer run b is: a mean of differences, whose signs are exchanged at random."""
    a, b = of_a[each.chosen], of_b[each.chosen]
    gains = a - b
    rng = np.random.default_rng([SEED, *each.name.encode()])
    interval = _student(gains)
    return PairedDifference(
        task=each.name,
        n=each.n,
        score_a=float(a.mean()),
        score_b=float(b.mean()),
        difference=float(gains.mean()),
        p=permutation.permutation_p(float(gains.mean()), permutation.exchanged_means(gains, resamples, rng)),
        test=PERMUTATION,
        interval=interval,
        standard_error=interval.standard_error,
    )


def _student(values: np.ndarray) -> StudentInterval:
    n = len(values)
    return StudentInterval(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n), n - 1, "Student's t")
