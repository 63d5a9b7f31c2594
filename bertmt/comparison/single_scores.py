"""How exactly the dev examples tell one run's own score, whatever other runs have."""

import math

import numpy as np

from bertmt.comparison import bootstrap, confusions
from bertmt.comparison.correlation import linear, rank
from bertmt.comparison.intervals import upper_z
from bertmt.tasks.scores import score
from bertmt.tasks.task import Task

WILSON, BOOTSTRAP = "Wilson's score interval", "symmetric bootstrap-t"


def interval_of_score(
    task: Task, predicted: np.ndarray, labels: np.ndarray, level: float = 0.05
) -> tuple[float, float] | None:
    """A confidence interval of the score of a task; None where the score is undefined.

    It tells what other examples would have done to the score of the same model, and nothing of other seeds.

    Args:
        predicted: of `predicted_labels`, (n,); labels: (n,).
        level: it misses the true score in such a share of samples.
    """
    predicted, labels = np.asarray(predicted, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    found = score(task, predicted, labels) if len(predicted) and np.isfinite(predicted).all() else None
    if found is None:
        return None
    metric = task.metric.name
    if metric == "accuracy":
        return wilson(found, len(labels), level)
    rng, resamples = np.random.default_rng([bootstrap.SEED, *task.name.encode()]), bootstrap.LEAST_RESAMPLES
    if metric in confusions.METRICS:
        resampled = confusions.resampled_metric(labels, predicted, metric, resamples, rng)
    elif metric == "spearman":
        resampled = rank.resampled_rank_correlation(labels, predicted, resamples, rng)
    else:
        resampled = linear.resampled_correlation(labels, predicted, resamples, rng)
    low, high = bootstrap.symmetric_interval(resampled).at(level)
    return (low, high) if task.metric.signed else (max(low, 0.0), high)


def wilson(share: float, n: int, level: float) -> tuple[float, float]:
    """The interval of a share of n independent examples.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22:209.
    """
    z = upper_z(level)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def method_of(task: Task) -> str:
    """How the interval of its score is computed."""
    return WILSON if task.metric.name == "accuracy" else BOOTSTRAP
