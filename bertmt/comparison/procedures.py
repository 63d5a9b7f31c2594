"""How a difference between two runs on the same examples is judged, by the metric that it is a difference of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bertmt.comparison import bootstrap, confusions, permutation, proportions
from bertmt.comparison.correlation import linear, rank
from bertmt.comparison.flips import flips
from bertmt.comparison.intervals import Interval
from bertmt.tasks.metrics import pearson, ranks

PERMUTATION = "paired permutation"


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """What a procedure found.

    Attributes:
        resampled: the difference in bootstrap resamples; `exchanged`: with predictions exchanged at random.
        standard_error, fixed, broken, p_williams: as in `paired.PairedDifference`.
    """

    difference: float
    p: float
    test: str
    interval: Interval
    resampled: bootstrap.Resampled
    exchanged: np.ndarray
    standard_error: float | None = None
    fixed: int | None = None
    broken: int | None = None
    p_williams: float | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """What a procedure is asked about: labels and predictions, all (n,), and both scores, which are defined."""

    labels: np.ndarray
    predicted_a: np.ndarray
    predicted_b: np.ndarray
    score_a: float
    score_b: float

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Labels and both predictions."""
        return self.labels, self.predicted_a, self.predicted_b


Generators = tuple[np.random.Generator, np.random.Generator]  # for the bootstrap, and for the permutation


def of_accuracy(sample: Sample, resamples: int, generators: Generators) -> Procedure:
    """McNemar's test and Tango's interval, from the flips alone."""
    n, flipped = len(sample.labels), flips(*sample.arrays)
    fixed, broken = len(flipped.fixed), len(flipped.broken)
    p, test = proportions.mcnemar(fixed, broken)
    return Procedure(
        difference=(fixed - broken) / n,
        p=p,
        test=test,
        interval=proportions.TangoInterval(fixed, broken, n),
        resampled=bootstrap.resampled_accuracy_difference(fixed, broken, n, resamples, generators[0]),
        exchanged=permutation.exchanged_accuracies(fixed, broken, n, resamples, generators[1]),
        fixed=fixed,
        broken=broken,
    )


def of_pearson(sample: Sample, resamples: int, generators: Generators) -> Procedure:
    """Exchanged standardised predictions; Williams' t beside them."""
    r_ab = pearson(sample.predicted_a, sample.predicted_b)
    r_a, r_b = sample.score_a, sample.score_b
    return _resampled(
        sample,
        linear.resampled_correlation_difference(*sample.arrays, resamples, generators[0]),
        permutation.exchanged_correlations(*sample.arrays, resamples, generators[1]),
        None if r_ab is None else linear.williams(r_a, r_b, r_ab, len(sample.labels)).p,
    )


def of_spearman(sample: Sample, resamples: int, generators: Generators) -> Procedure:
    """Exchanged ranks: those that each run gave on the whole split; what comes of an exchange is not ranked anew.

    So exchanges vary as if ranks were measured, which is too little where the noise of one run alone grows with the
    label: they are spread by as much as the standard error is larger than with such ranks (a studentised permutation:
    Chung & Romano 2013, see `permutation`).
    """
    labels, a, b = (ranks(np.asarray(values, dtype=np.float64)) for values in sample.arrays)
    resampled = rank.resampled_rank_correlation_difference(*sample.arrays, resamples, generators[0])
    with_fixed_ranks = linear.resampled_correlation_difference(labels, a, b, 0, generators[0]).standard_error
    spread = resampled.standard_error / with_fixed_ranks if with_fixed_ranks else 1.0
    return _resampled(
        sample, resampled, spread * permutation.exchanged_correlations(labels, a, b, resamples, generators[1])
    )


def of_confusion(metric: str, sample: Sample, resamples: int, generators: Generators) -> Procedure:
    """For functions of the confusion matrix: exchanged predictions."""
    cells = confusions.cells_of(*sample.arrays)
    return _resampled(
        sample,
        confusions.resampled_difference(cells, metric, resamples, generators[0]),
        confusions.exchanged_differences(cells, metric, resamples, generators[1]),
    )


def _resampled(
    sample: Sample, resampled: bootstrap.Resampled, exchanged: np.ndarray, p_williams: float | None = None
) -> Procedure:
    difference = sample.score_b - sample.score_a
    return Procedure(
        difference=difference,
        p=permutation.permutation_p(difference, exchanged),
        test=PERMUTATION,
        interval=bootstrap.symmetric_interval(resampled),
        resampled=resampled,
        exchanged=exchanged,
        standard_error=resampled.standard_error,
        p_williams=p_williams,
    )


# By the names of `task.METRICS` that can be a score.
BY_METRIC: Mapping[str, Callable[[Sample, int, Generators], Procedure]] = {
    "accuracy": of_accuracy,
    "pearson": of_pearson,
    "spearman": of_spearman,
    **{metric: partial(of_confusion, metric) for metric in confusions.METRICS},
}
