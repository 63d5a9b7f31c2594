"""Run against run: wrong claims, family error, coverage and power of what `compare` says about two or more runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.calibration.populations import Population, Sample
from bench.calibration.real_predictions import RealPredictions
from bertmt.comparison.correlation import linear
from bertmt.comparison.intervals import detectable_with
from bertmt.comparison.paired import PairedDifference, PairedPredictions, compare_examples
from bertmt.comparison.proportions import TangoInterval, detectable_difference, mcnemar
from bertmt.comparison.verdicts import LEVEL, Verdict, holm, judge
from bertmt.tasks.builtin import BUILTIN


@dataclass
class Tally:
    """What came out of samples without any true difference.

    Attributes:
        samples: drawn; `rows`: comparisons in each.
        wrong: per row title: p ≤ 0.05, before any correction. A title counts once per arm.
        covered: (title, level) to how often the interval held 0; `tried`: how often it was asked.
        family, family_williams: samples with at least one verdict; with Williams' p in place of the permutation's.
    """

    samples: int = 0
    rows: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    covered: Counter[tuple[str, float]] = field(default_factory=Counter)
    family: int = 0
    family_williams: int = 0

    def add(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.samples + other.samples, other.rows, self.wrong + other.wrong, self.tried + other.tried,
            self.covered + other.covered, self.family + other.family, self.family_williams + other.family_williams,
        )  # fmt: skip


def no_difference(population: Population, arms: int, samples: int, resamples: int, seed: int) -> Tally:
    """Compare `arms` equally good runs with a reference, in so many samples; 4 rows an arm, judged as one family."""
    rng = np.random.default_rng(seed)
    tally = Tally(rows=4 * arms)
    levels = (LEVEL, LEVEL / tally.rows)
    for _ in range(samples):
        drawn = population.sample(arms + 1, rng)
        results = judge(
            [each for arm in range(1, arms + 1) for each in compare_examples(_pairs(drawn, arm), resamples)]
        )
        tally.samples += 1
        tally.family += any(each.verdict is not Verdict.UNDECIDED for each in results)
        beside = [each.p_williams if each.task == "sts" else each.p for each in results]
        tally.family_williams += any(p is not None and p <= LEVEL for p in holm(beside))
        for each in results:
            tally.tried[each.task] += 1
            tally.wrong[each.task] += each.p is not None and each.p <= LEVEL
            tally.wrong["williams"] += each.p_williams is not None and each.p_williams <= LEVEL
            for level in levels:
                low, high = each.interval.at(level) if each.interval else (-1.0, 1.0)
                tally.covered[each.task, level] += low <= 0 <= high
    tally.tried["williams"] = tally.tried["sts"]
    return tally


def _pairs(drawn: Mapping[str, Sample], arm: int) -> dict[str, PairedPredictions]:
    return {
        name: PairedPredictions(task, drawn[name].labels, drawn[name].predicted[0], drawn[name].predicted[arm])
        for name, task in BUILTIN.items()
    }


@dataclass(frozen=True)
class Power:
    """A true difference of the size that is printed as found 4 times in 5, and how often it was found."""

    what: str
    n: int
    rows: int
    true: float
    printed: float
    found: float


def class_power(what: str, n: int, disagreement: float, rows: int, samples: int, seed: int) -> Power:
    """Two classifiers that truly differ by what is detectable, among rows without a difference."""
    rng = np.random.default_rng(seed)
    true = detectable_difference(disagreement, n, LEVEL / rows)
    assert true is not None and true <= disagreement
    shares = [(disagreement + true) / 2, (disagreement - true) / 2, 1 - disagreement]
    results = []
    for fixed, broken, _ in rng.multinomial(n, shares, size=samples):
        p, test = mcnemar(int(fixed), int(broken))
        interval = TangoInterval(int(fixed), int(broken), n)
        results.append(
            PairedDifference(
                task="sst",
                n=n,
                score_a=0.0,
                score_b=0.0,
                difference=(int(fixed) - int(broken)) / n,
                p=p,
                test=test,
                interval=interval,
                fixed=int(fixed),
                broken=int(broken),
            )
        )
    return _power(what, n, rows, true, results, rng)


def similarity_power(real: RealPredictions, rows: int, samples: int, resamples: int, seed: int) -> Power:
    """Two real runs' similarities, exchanged, the second moved towards the labels by what is detectable."""
    rng = np.random.default_rng(seed)
    labels = real.labels["sts"]
    gold = (labels - labels.mean()) / labels.std()
    standard = [(each - each.mean()) / each.std() for each in real.predicted["sts"][:2]]
    rho = float(np.mean([gold @ each for each in standard]) / len(gold))
    first, second = standard
    error = linear.resampled_correlation_difference(labels, first, second, resamples=0, rng=rng).standard_error
    true = detectable_with(error, LEVEL / rows)
    step = _shift_for(rho, true)
    results: list[PairedDifference] = []
    for _ in range(samples):
        drawn = rng.integers(len(labels), size=len(labels))
        first, second = rng.permuted(np.array(standard)[:, drawn], axis=0)
        pair = PairedPredictions(BUILTIN["sts"], labels[drawn], first, second + step * gold[drawn])
        results += compare_examples({"sts": pair}, resamples)
    return _power("STS, two real runs", len(labels), rows, true, results, rng)


def _shift_for(rho: float, difference: float) -> float:
    """How much of the standardised label raises a correlation ρ of a standardised prediction by so much."""
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        raised = (rho + middle) / np.sqrt(1 + 2 * middle * rho + middle**2)
        low, high = (middle, high) if raised < rho + difference else (low, middle)
    return high


def _power(
    what: str, n: int, rows: int, true: float, results: Sequence[PairedDifference], rng: np.random.Generator
) -> Power:
    """Judge each result among rows whose p is that of no difference."""
    found, printed = 0, []
    for each in results:
        others = [
            PairedDifference(
                task="sst", n=n, score_a=0.0, score_b=0.0, difference=0.0, p=float(p), interval=each.interval
            )
            for p in rng.random(rows - 1)
        ]
        judged, *_ = judge([each, *others])
        found += judged.verdict is Verdict.BETTER
        if judged.verdict is Verdict.UNDECIDED and judged.detectable is not None:
            printed.append(judged.detectable)
    return Power(what, n, rows, true, float(np.mean(printed)) if printed else float("nan"), found / len(results))
