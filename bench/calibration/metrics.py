"""Run against run in one task, for each metric that none of the built-in tasks is judged by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial

import msgspec
import numpy as np
from scipy import optimize, special

from bench.calibration.populations import Exchanged, Population, Sample, UnequalNoise
from bench.calibration.real_predictions import RealPredictions
from bertmt.comparison.paired import PairedPredictions, compare_examples
from bertmt.comparison.verdicts import LEVEL
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.metrics import spearman
from bertmt.tasks.task import Task

ALIKE = 0.5  # how much of what decides about an example two made-up runs share


@dataclass(frozen=True)
class Row:
    """What came out of samples without any true difference: p ≤ 0.05, and how often the interval held 0.

    Attributes:
        covered_in_four: at the level of the first step in a family of four.
    """

    metric: str
    population: str
    n: int
    samples: int = 0
    wrong: int = 0
    covered: int = 0
    covered_in_four: int = 0

    def add(self, other: "Row") -> "Row":
        """Both together."""
        counts = [each.name for each in fields(self)[3:]]
        sums = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Row(self.metric, self.population, self.n, **sums)


@dataclass(frozen=True)
class OfTask:
    """Two equally good runs in one task."""

    task: Task
    name: str
    draw: Callable[[np.random.Generator], Sample]


def no_difference(population: OfTask, samples: int, resamples: int, seed: int) -> Row:
    """Compare two equally good runs in so many samples."""
    rng = np.random.default_rng([seed, *population.task.name.encode()])
    row = Row(population.task.metric.title, population.name, 0)
    for _ in range(samples):
        drawn = population.draw(rng)
        pair = PairedPredictions(population.task, drawn.labels, *drawn.predicted)
        (found,) = compare_examples({population.task.name: pair}, resamples)
        ends = [found.interval.at(level) if found.interval else (-1.0, 1.0) for level in (LEVEL, LEVEL / 4)]
        held = [low <= 0 <= high for low, high in ends]
        wrong = found.p is not None and found.p <= LEVEL
        row = Row(row.metric, row.population, found.n).add(
            Row(row.metric, row.population, found.n, row.samples + 1, row.wrong + wrong, row.covered + held[0],
                row.covered_in_four + held[1])
        )  # fmt: skip
    return row


def populations(real: RealPredictions) -> list[OfTask]:
    """Real runs exchanged, and runs that are as good as each other by erring in other ways."""
    by_metric = (("f1", "para"), ("matthews", "para"), ("matthews", "sst"), ("macro_f1", "sst"), ("spearman", "sts"))
    exchanged = [_of_real(Exchanged(real), metric, name) for metric, name in by_metric]
    noisy = _of_real(UnequalNoise(real), "spearman", "sts")
    return [
        *exchanged,
        noisy,
        _unequal_noise(real),
        *(_erring(metric, n) for metric in ("f1", "matthews", "macro_f1") for n in (200, 1000)),
    ]


def _of_real(population: Population, metric: str, name: str) -> OfTask:
    task = msgspec.structs.replace(BUILTIN[name], metrics=(metric,))
    return OfTask(task, f"{population.name}, {task.title}", partial(_drawn, population, name))


def _drawn(population: Population, name: str, rng: np.random.Generator) -> Sample:
    return population.sample(2, rng)[name]


def _unequal_noise(real: RealPredictions) -> OfTask:
    """Similarities of which the noise of run b grows with dissimilarity, by so much that both have the same ρ.

    (Not `UnequalNoise` in every other run: that has the same Pearson's ρ, and then Spearman's is another.)
    """
    known = real.labels["sts"]
    rng = np.random.default_rng(0)
    labels, noise = rng.choice(known, size=20_000), rng.normal(size=20_000)

    def rho(size: float) -> float:
        return spearman(_noisy(labels, known, noise, size), labels) or math.nan

    size = optimize.brentq(lambda size: rho(size) - rho(0.0), 0.1, 3.0)
    task = msgspec.structs.replace(BUILTIN["sts"], metrics=("spearman",))
    return OfTask(task, "noise grows with dissimilarity, in one run, STS", partial(_unequally_noisy, known, size))


def _unequally_noisy(known: np.ndarray, size: float, rng: np.random.Generator) -> Sample:
    labels = rng.choice(known, size=len(known))
    shared = rng.normal(size=len(known))
    noise = [math.sqrt(0.7) * shared + math.sqrt(0.3) * rng.normal(size=len(known)) for _ in range(2)]
    return Sample(labels, np.array([_noisy(labels, known, noise[0], 0.0), _noisy(labels, known, noise[1], size)]))


def _noisy(labels: np.ndarray, known: np.ndarray, noise: np.ndarray, size: float) -> np.ndarray:
    """Standardised labels with noise, even where `size` is 0, else growing by so much with dissimilarity."""
    standard: np.ndarray = (labels - known.mean()) / known.std()
    return standard + noise * (size * (5.1 - labels) / 5.1 if size else 0.6)


def _erring(metric: str, n: int) -> OfTask:
    """Runs of which one finds more and the other is more precise, or each errs in a class of its own.

    Of the first two metrics 20 % are of class 1, run a finds 80 % of them and run b 50 %, with as many false alarms as
    make F1 0.6 or φ 0.5. Of macro-F1 run b is run a with two equally frequent classes exchanged.
    """
    if metric == "macro_f1":
        shares = np.array([0.4, 0.3, 0.3])
        run_a = np.array([[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.1, 0.05, 0.85]])
        runs = [run_a, run_a[[0, 2, 1]][:, [0, 2, 1]]]
    else:
        shares = np.array([0.8, 0.2])
        runs = [_with_alarms(metric, recall) for recall in (0.8, 0.5)]
    classes = tuple(f"class {number}" for number in range(len(shares)))
    task = Task(name=metric, title=metric, inputs="single", classes=classes, metrics=(metric,))
    return OfTask(task, "each errs in its own way", partial(_made_up, n, shares, runs))


def _with_alarms(metric: str, recall: float) -> np.ndarray:
    """P(predicted | label) of two classes with so many false alarms that the metric is what it should be."""

    def away(alarms: float) -> float:
        predicted = 0.2 * recall + 0.8 * alarms
        if metric == "f1":
            return 2 * 0.2 * recall / (0.2 + predicted) - 0.6
        return float((0.2 * recall - 0.2 * predicted) / np.sqrt(0.16 * predicted * (1 - predicted))) - 0.5

    alarms = float(optimize.brentq(away, 1e-6, recall))
    return np.array([[1 - alarms, alarms], [1 - recall, recall]])


def _made_up(n: int, shares: np.ndarray, runs: Sequence[np.ndarray], rng: np.random.Generator) -> Sample:
    labels = rng.choice(len(shares), size=n, p=shares)
    shared = rng.normal(size=n)
    predicted = []
    for run in runs:
        level = special.ndtr(np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * rng.normal(size=n))
        predicted.append((level[:, None] > np.cumsum(run, axis=1)[labels, :-1]).sum(axis=1))
    return Sample(labels, np.array(predicted))
