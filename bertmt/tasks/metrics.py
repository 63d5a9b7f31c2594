"""The metrics by which tasks are measured, computed from predictions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# A side whose values deviate from their mean by no more than so many units of rounding has no variance: what is
# left is float noise, and a correlation of noise would be printed as if the model had said something.
NOISE = 4
Values = ArrayLike | Sequence[float | None]


def accuracy(predicted: Values, labels: Values) -> float | None:
    """The share of predictions that equal their label; None without examples or labels."""
    found, wanted = aligned(predicted, labels)
    if not len(wanted) or np.isnan(wanted).any():
        return None
    return float((found == wanted).mean())


def f1(predicted: Values, labels: Values) -> float | None:
    """F1 of class 1: 2 TP / (2 TP + FP + FN); None where nothing is of class 1 and nothing is predicted as it."""
    found, wanted = aligned(predicted, labels)
    return None if not len(wanted) or np.isnan(wanted).any() else _f1_of(found == 1, wanted == 1)


def macro_f1(predicted: Values, labels: Values) -> float | None:
    """The mean of F1 over the classes that are a label of some example or predicted for one."""
    found, wanted = aligned(predicted, labels)
    if not len(wanted) or np.isnan(wanted).any():
        return None
    each = [_f1_of(found == label, wanted == label) for label in np.unique(np.concatenate([found, wanted]))]
    return float(np.mean([value for value in each if value is not None]))


def matthews(predicted: Values, labels: Values) -> float | None:
    """Matthews' correlation coefficient, for k classes as Gorodkin (2004) has it: the correlation of the two
    assignments to classes.

    Returns:
        0 where one class alone is predicted, as scikit-learn and GLUE have it: a model that began with the most
        frequent class has learnt nothing yet. None where the labels have one class only.
    """
    found, wanted = aligned(predicted, labels)
    if not len(wanted) or np.isnan(wanted).any():
        return None
    classes = np.unique(np.concatenate([found, wanted]))
    if len(np.unique(wanted)) < 2:
        return None
    if len(np.unique(found)) < 2:
        return 0.0
    of_found = np.array([(found == label).mean() for label in classes])
    of_wanted = np.array([(wanted == label).mean() for label in classes])
    covariance = (found == wanted).mean() - of_found @ of_wanted
    return float(covariance / np.sqrt((1 - of_found @ of_found) * (1 - of_wanted @ of_wanted)))


def pearson(predicted: Values, labels: Values) -> float | None:
    """Pearson's ρ = Cov(y, ŷ) / (σ(y) σ(ŷ)), computed in float64.

    Returns:
        None where it is undefined: fewer than two pairs, a value that is missing or not finite, or a side
        without variance beyond the rounding noise of its own dtype. Never 0 in place of undefined.
    """
    found, wanted = aligned(predicted, labels)
    if len(wanted) < 2 or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return None
    first = _standardized(found, _rounding(predicted))
    second = _standardized(wanted, _rounding(labels))
    if first is None or second is None:
        return None
    return float(np.clip(first @ second, -1.0, 1.0))


def spearman(predicted: Values, labels: Values) -> float | None:
    """Spearman's rank correlation: Pearson's ρ of the ranks, equal values sharing their mean rank."""
    found, wanted = aligned(predicted, labels)
    if len(wanted) < 2 or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return None
    return pearson(ranks(found), ranks(wanted))


def mean_squared_error(predicted: Values, labels: Values) -> float | None:
    """The mean of (ŷ − y)², on the scale of the labels; None without examples or labels."""
    found, wanted = aligned(predicted, labels)
    if not len(wanted) or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return None
    return float(np.square(found - wanted).mean())


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs; (n,) float64."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: np.ndarray = (last - (counts - 1) / 2)[places]
    return shared


# By the names of `task.METRICS`; predicted labels and labels are (n,), on one scale.
COMPUTED: Mapping[str, Callable[[Values, Values], float | None]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
    "mse": mean_squared_error,
}


def aligned(predicted: Values, labels: Values) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as float64 vectors of one length; a missing label (None) becomes NaN.

    Raises:
        ValueError: they have not the same length.
    """
    found: np.ndarray = np.asarray(predicted, dtype=np.float64)
    wanted: np.ndarray = np.asarray(labels, dtype=np.float64)
    if found.ndim != 1 or found.shape != wanted.shape:
        raise ValueError(f"expected one prediction per label, found shapes {found.shape} and {wanted.shape}")
    return found, wanted


def _f1_of(found: np.ndarray, wanted: np.ndarray) -> float | None:
    """F1 of one class; None where it is neither there nor predicted."""
    total = found.sum() + wanted.sum()
    return float(2 * (found & wanted).sum() / total) if total else None


def _rounding(values: Any) -> float:
    """The relative rounding error that the values were stored with: float32 for a model's output."""
    dtype = getattr(values, "dtype", None)
    is_float = isinstance(dtype, np.dtype) and np.issubdtype(dtype, np.floating)
    return float(np.finfo(dtype if is_float else np.float64).eps)


def _standardized(values: np.ndarray, rounding: float) -> np.ndarray | None:
    """Values less their mean, scaled to length 1; None where there is nothing but rounding noise.

    Scaled by the largest magnitude first, so that neither huge nor tiny values overflow or vanish in squares.
    """
    largest = np.abs(values).max()
    if not largest:
        return None
    scaled = values / largest
    deviations = scaled - scaled.mean()
    spread = np.abs(deviations).max()
    if spread <= NOISE * rounding:
        return None
    deviations = deviations / spread
    standardized: np.ndarray = deviations / np.linalg.norm(deviations)
    return standardized
