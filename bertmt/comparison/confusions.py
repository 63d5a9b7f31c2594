"""F1, macro-F1 and Matthews' coefficient of two runs: the pieces of their paired bootstrap and permutation.

Each is a function of how often which label met which two predictions, so examples of one such cell need not be told
apart: a resample of the examples is a multinomial draw over the cells, and an exchange of predictions a binomial one
per cell.

Source: Yeh 2000, "More accurate tests for the statistical significance of result differences", COLING, on approximate
randomisation for F1, for which no exact test is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bertmt.comparison.bootstrap import ROUNDING, Resampled

CHUNK = 200  # resamples counted at a time; thousands of cells are a few megabytes
Valued = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Cells:
    """The (label, prediction of a, prediction of b) that occur.

    Attributes:
        counts: how often each does, (cells,).
        a, b: 0 or 1, (cells, 3, k), of each class that occurs: it is the label; it is the label and predicted; it is
            predicted by that run.
        values: the classes, (k,).
    """

    counts: np.ndarray
    a: np.ndarray
    b: np.ndarray
    values: np.ndarray

    @property
    def n(self) -> int:
        """All examples."""
        return int(self.counts.sum())


def cells_of(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray) -> Cells:
    """The cells of these examples; shapes all (n,)."""
    examples = np.stack([labels, predicted_a, predicted_b]).astype(np.float64)
    found, counts = np.unique(examples, axis=1, return_counts=True)
    values = np.unique(found)
    label, of_a, of_b = (row[:, None] == values for row in found)
    a, b = (np.stack([label, label & own, own], axis=1).astype(np.float64) for own in (of_a, of_b))
    return Cells(counts, a, b, values)


def f1(shares: np.ndarray, values: np.ndarray) -> Valued:
    """F1 of class 1, and its gradient; NaN where it is neither a label nor predicted."""
    each, gradients = _f1_of_each(shares)
    is_one = values == 1
    return each[:, is_one].sum(axis=1), np.where(is_one, gradients, 0.0)


def macro_f1(shares: np.ndarray, values: np.ndarray) -> Valued:
    """The mean of F1 over the classes that are a label or predicted, and its gradient."""
    each, gradients = _f1_of_each(shares)
    is_there = ~np.isnan(each)
    number = is_there.sum(axis=1)
    gradient = np.where(is_there[:, None, :], gradients, 0.0) / number[:, None, None]
    return np.where(is_there, each, 0.0).sum(axis=1) / number, gradient


def matthews(shares: np.ndarray, values: np.ndarray) -> Valued:
    """Matthews' coefficient of any number of classes, and its gradient.

    0 where one class alone is predicted, NaN where the labels have one class only.
    """
    label, right, predicted = np.moveaxis(shares, 1, 0)
    of_label, of_predicted = (1 - (side * side).sum(axis=1, keepdims=True) for side in (label, predicted))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.sqrt(of_label * of_predicted)
        scale[of_label <= ROUNDING] = np.nan
        scale[(of_predicted <= ROUNDING) & (of_label > ROUNDING)] = 0.0
        value = (right.sum(axis=1, keepdims=True) - (label * predicted).sum(axis=1, keepdims=True)) * scale
        by_label = value * label / of_label - predicted * scale
        by_predicted = np.where(scale == 0, 0.0, value * predicted / of_predicted) - label * scale
    return value[:, 0], np.stack([by_label, np.broadcast_to(scale, right.shape), by_predicted], axis=1)


# By the names of `task.METRICS`; shares of the examples, (resamples, 3, k) as in `Cells` → (resamples,) and a gradient.
METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], Valued]] = {
    "f1": f1,
    "macro_f1": macro_f1,
    "matthews": matthews,
}


def resampled_difference(cells: Cells, metric: str, resamples: int, rng: np.random.Generator) -> Resampled:
    """The metric of b less that of a in resamples of the examples; NaN where it is undefined.

    Standard errors are by the delta method: what an example adds is the gradient times what its cell is.
    """
    return _in_resamples(_differences, cells, metric, resamples, rng, bound=2.0 if metric == "matthews" else 1.0)


def resampled_metric(
    labels: np.ndarray, predicted: np.ndarray, metric: str, resamples: int, rng: np.random.Generator
) -> Resampled:
    """The metric of one run in resamples of the examples; NaN where it is undefined."""
    return _in_resamples(_single, cells_of(labels, predicted, predicted), metric, resamples, rng, bound=1.0)


def _in_resamples(
    valued: Callable[[Cells, str, np.ndarray], Valued],
    cells: Cells,
    metric: str,
    resamples: int,
    rng: np.random.Generator,
    bound: float,
) -> Resampled:
    estimate, error = valued(cells, metric, cells.counts[None, :].astype(np.float64))
    draws, errors = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        counts = rng.multinomial(cells.n, cells.counts / cells.n, size=rows).astype(np.float64)
        draws[start : start + rows], errors[start : start + rows] = valued(cells, metric, counts)
    return Resampled(float(estimate[0]), float(error[0]), draws, errors, bound)


def influence(labels: np.ndarray, predicted: np.ndarray, metric: str) -> np.ndarray:
    """What each example adds to the metric of one run, to first order; (n,)."""
    cells = cells_of(labels, predicted, predicted)
    of_cell = _influences(cells.a, cells.values, metric, cells.counts[None, :].astype(np.float64))[1][0]
    # Of `np.unique` over the same columns, so that cells come in the order of `cells_of`.
    examples = np.stack([labels, predicted, predicted]).astype(np.float64)
    places = np.unique(examples, axis=1, return_inverse=True)[1].ravel()
    values: np.ndarray = of_cell[places]
    return values


def exchanged_differences(cells: Cells, metric: str, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The metric of b less that of a with the two predictions of each example exchanged by a coin; (resamples,).

    Where both runs predict the same an exchange changes nothing, so coins are thrown in the other cells alone.
    """
    changes = (cells.b - cells.a).reshape(len(cells.counts), -1)
    differs = changes.any(axis=1)
    changes = changes[differs] / cells.n
    shares_a, shares_b = (np.tensordot(cells.counts, side, 1) / cells.n for side in (cells.a, cells.b))
    found = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        moved = (rng.binomial(cells.counts[differs], 0.5, size=(rows, differs.sum())) @ changes).reshape(
            rows, *shares_a.shape
        )
        value_a, value_b = (METRICS[metric](shares, cells.values)[0] for shares in (shares_a + moved, shares_b - moved))
        found[start : start + rows] = value_b - value_a
    return found


def _differences(cells: Cells, metric: str, counts: np.ndarray) -> Valued:
    """b − a where each cell is there so many times, and its standard error; (resamples, cells) → 2 of (resamples,)."""
    value_a, influence_a = _influences(cells.a, cells.values, metric, counts)
    value_b, influence_b = _influences(cells.b, cells.values, metric, counts)
    squares = np.square(influence_b - influence_a)
    errors = np.sqrt(np.einsum("rc,rc->r", counts, squares)) / counts.sum(axis=1)
    return value_b - value_a, np.where(errors <= ROUNDING, 0.0, errors)


def _single(cells: Cells, metric: str, counts: np.ndarray) -> Valued:
    """A run's metric where each cell is there so many times, and its standard error; → 2 of (resamples,)."""
    value, influence = _influences(cells.a, cells.values, metric, counts)
    errors = np.sqrt(np.einsum("rc,rc->r", counts, np.square(influence))) / counts.sum(axis=1)
    return value, np.where(errors <= ROUNDING, 0.0, errors)


def _influences(side: np.ndarray, values: np.ndarray, metric: str, counts: np.ndarray) -> Valued:
    """A run's metric, (resamples,), and what an example of each cell adds to it, (resamples, cells)."""
    flat = side.reshape(len(side), -1)
    means = counts @ flat / counts.sum(axis=1, keepdims=True)
    value, gradient = METRICS[metric](means.reshape(len(counts), *side.shape[1:]), values)
    gradient = gradient.reshape(len(counts), -1)
    return value, gradient @ flat.T - (gradient * means).sum(axis=1, keepdims=True)


def _f1_of_each(shares: np.ndarray) -> Valued:
    """F1 of each class, (resamples, k), NaN where it does not occur, and the gradient (resamples, 3, k) of each."""
    label, right, predicted = np.moveaxis(shares, 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.where(label + predicted <= ROUNDING, np.nan, label + predicted)
        value = 2 * right / total
        return value, np.stack([-value / total, 2 / total, -value / total], axis=1)
