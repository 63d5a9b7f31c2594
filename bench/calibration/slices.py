"""Scores by slice: wrong claims and coverage where no slice has a true difference, or a run's true score is known."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from bench.calibration.populations import Exchanged
from bench.calibration.real_predictions import RealPredictions
from bertmt.comparison.correlation.distances import fitted_distances
from bertmt.comparison.paired import PairedPredictions
from bertmt.comparison.slices import DISTANCE, Slice, compare_slices, metric_of, score_slices
from bertmt.comparison.verdicts import LEVEL, Verdict
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.scores import score

BANDS = 4
SHARES = (0.25, 0.1, 0.05)  # of the examples, as negation, hedges and a rare word have


@dataclass(frozen=True, kw_only=True)
class Row:
    """Samples of one task, each cut into slices.

    Attributes:
        what: two runs, or one.
        rows: slices that were judged, over all samples; `wrong`: p ≤ 0.05, before correction; `covered`: the 95 %
            interval held the true value.
        family: samples with a verdict in any slice; of one run in which not all joint intervals held.
    """

    task: str
    what: str
    slices: int
    samples: int = 0
    rows: int = 0
    wrong: int = 0
    covered: int = 0
    family: int = 0

    def add(self, other: "Row") -> "Row":
        """Both together."""
        counts = [each.name for each in fields(self)[3:]]
        sums = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Row(task=self.task, what=self.what, slices=max(self.slices, other.slices), **sums)


def slices_of(task: str, labels: np.ndarray, rng: np.random.Generator) -> list[Slice]:
    """All, four bands of a length, three overlapping slices, and those of the labels."""
    n = len(labels)
    length = np.argsort(np.argsort(rng.normal(size=n) + 0.2 * labels)) * BANDS // n
    found = [Slice("all", np.ones(n, dtype=bool))]
    found += [Slice(f"length {band}", length == band) for band in range(BANDS)]
    found += [Slice(f"words {share}", rng.random(n) < share) for share in SHARES]
    classes = BUILTIN[task].classes
    bands = labels.astype(int) if classes else np.minimum(labels.astype(int), 4)
    return found + [Slice(f"label {band}", bands == band, by_label=True) for band in range(len(classes) or 5)]


def no_difference(real: RealPredictions, task: str, samples: int, resamples: int, seed: int) -> Row:
    """Two equally good runs, in every slice: predictions are exchanged example by example."""
    rng = np.random.default_rng([seed, *task.encode()])
    found = Row(task=task, what="two runs", slices=0)
    for _ in range(samples):
        drawn = Exchanged(real).sample(2, rng)[task]
        pair = PairedPredictions(BUILTIN[task], drawn.labels, *drawn.predicted)
        results = [
            each.result
            for each in compare_slices(pair, slices_of(task, drawn.labels, rng), resamples)
            if each.result is not None and each.result.p is not None
        ]
        held = sum(each.low is not None and each.high is not None and each.low <= 0 <= each.high for each in results)
        wrong = sum(each.p is not None and each.p <= LEVEL for each in results)
        family = any(each.verdict is not Verdict.UNDECIDED for each in results)
        found = found.add(
            Row(
                task=task, what="two runs", slices=len(results), samples=1, rows=len(results), wrong=wrong,
                covered=held, family=int(family),
            )
        )  # fmt: skip
    return found


def one_run(real: RealPredictions, task: str, samples: int, resamples: int, seed: int) -> Row:
    """Samples of a run's real dev set, whose scores are then the true ones."""
    rng = np.random.default_rng([seed, 1, *task.encode()])
    labels, found = real.labels[task], Row(task=task, what="one run", slices=0)
    for _ in range(samples):
        predicted = real.predicted[task][rng.integers(len(real.names))]
        slices = slices_of(task, labels, rng)
        true = _true_scores(task, labels, predicted, slices)
        drawn = rng.integers(len(labels), size=len(labels))
        cut = [Slice(each.name, each.chosen[drawn], each.by_label) for each in slices]
        scores = score_slices(BUILTIN[task], labels[drawn], predicted[drawn], cut, resamples)
        known = [each for each in scores if each.interval is not None and each.together is not None]
        held = [sum(low <= true[each.name] <= high for low, high in [each.interval or (0, 0)]) for each in known]
        together = [low <= true[each.name] <= high for each in known for low, high in [each.together or (0, 0)]]
        found = found.add(
            Row(
                task=task, what="one run", slices=len(known), samples=1, rows=len(known), covered=sum(held),
                family=int(not all(together)),
            )
        )  # fmt: skip
    return found


def _true_scores(task: str, labels: np.ndarray, predicted: np.ndarray, slices: list[Slice]) -> Mapping[str, float]:
    about, found = BUILTIN[task], {}
    for each in slices:
        if metric_of(about, each) == DISTANCE:
            found[each.name] = float(fitted_distances(labels, predicted)[each.chosen].mean())
        else:
            found[each.name] = score(about, predicted[each.chosen], labels[each.chosen]) or 0.0
    return found
