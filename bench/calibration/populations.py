"""Samples in which the truth is known: several runs that are equally good, on dev sets of the real sizes.

Every population draws the same thing: labels and, per run, predictions, so that a procedure can be asked as `compare`
asks it. In all of them each run has the same true score, so whatever is called better or worse is called so wrongly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.calibration.real_predictions import RealPredictions


@dataclass(frozen=True)
class Sample:
    """Labels, shape (n,), and the predictions of each run, shape (runs, n)."""

    labels: np.ndarray
    predicted: np.ndarray


class Population(Protocol):
    """Where samples come from."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def sample(self, runs: int, rng: np.random.Generator) -> Mapping[str, Sample]:
        """One dev set per task with the predictions of so many equally good runs."""


@dataclass(frozen=True)
class Exchanged:
    """Real runs whose predictions were exchanged at random, example by example, on resampled dev examples.

    After the exchange no run is better than another, while labels, errors and the likeness of runs stay the real ones.
    Similarities are standardised before, since a mixture of two scales is the prediction of no run.
    """

    real: RealPredictions
    name: str = "real runs, exchanged"

    def sample(self, runs: int, rng: np.random.Generator) -> Mapping[str, Sample]:
        drawn = {}
        columns = rng.choice(len(self.real.names), size=runs, replace=False)
        for task, labels in self.real.labels.items():
            predicted = self.real.predicted[task][columns]
            if task == "sts":
                predicted = (predicted - predicted.mean(axis=1, keepdims=True)) / predicted.std(axis=1, keepdims=True)
            rows = rng.integers(len(labels), size=len(labels))
            drawn[task] = Sample(labels[rows], rng.permuted(predicted[:, rows], axis=0))
        return drawn


@dataclass(frozen=True)
class UnequalNoise:
    """Similarities whose noise grows with dissimilarity, and classes that some examples make harder than others.

    Attributes:
        every_other: in every second run only; the others have the same amount of noise everywhere.
    """

    real: RealPredictions
    every_other: bool = False

    @property
    def name(self) -> str:
        return f"noise grows with dissimilarity, in {'every other run' if self.every_other else 'all runs'}"

    def sample(self, runs: int, rng: np.random.Generator) -> Mapping[str, Sample]:
        return {
            "sts": self._similarities(runs, rng),
            **{task: self._classes(task, runs, rng) for task in ("sst", "para")},
        }

    def _similarities(self, runs: int, rng: np.random.Generator) -> Sample:
        everything = self.real.labels["sts"]
        labels = rng.choice(everything, size=len(everything))
        growing = (5.1 - labels) / math.sqrt(((5.1 - everything) ** 2).mean())  # mean square 1, as of the even noise
        shared = rng.normal(size=len(labels))
        predicted = []
        for run in range(runs):
            size = np.ones(len(labels)) if self.every_other and run % 2 == 0 else growing
            noise = math.sqrt(0.7) * shared + math.sqrt(0.3) * rng.normal(size=len(labels))
            predicted.append((labels - everything.mean()) / everything.std() + 0.6 * size * noise)
        return Sample(labels, np.array(predicted))

    def _classes(self, task: str, runs: int, rng: np.random.Generator) -> Sample:
        n = len(self.real.labels[task])
        chance = rng.beta(2.0, 1.0, size=n)  # of an example to be got right: 2/3 in the mean
        predicted = []
        for run in range(runs):
            even = self.every_other and run % 2 == 0
            predicted.append(rng.random(n) < (2 / 3 if even else chance))
        return Sample(np.ones(n), np.array(predicted, dtype=np.float64))
