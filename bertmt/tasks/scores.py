"""The score of each task, the overall score and the confusion matrix (sections 5.1 and 5.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bertmt.tasks.task import TASKS

# A side whose values deviate from their mean by no more than so many units of rounding has no variance: what is
# left is float noise, and a correlation of noise would be printed as if the model had said something.
NOISE = 4
Values = ArrayLike | Sequence[float | None]


def accuracy(predicted: Values, labels: Values) -> float | None:
    """The share of predictions that equal their label; None without examples or labels."""
    found, wanted = _aligned(predicted, labels)
    if not len(wanted) or np.isnan(wanted).any():
        return None
    return float((found == wanted).mean())


def pearson(predicted: Values, labels: Values) -> float | None:
    """Pearson's ρ = Cov(y, ŷ) / (σ(y) σ(ŷ)), computed in float64.

    Returns:
        None where it is undefined: fewer than two pairs, a value that is missing or not finite, or a side
        without variance beyond the rounding noise of its own dtype. Never 0 in place of undefined.
    """
    found, wanted = _aligned(predicted, labels)
    if len(wanted) < 2 or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return None
    first = _standardized(found, _rounding(predicted))
    second = _standardized(wanted, _rounding(labels))
    if first is None or second is None:
        return None
    return float(np.clip(first @ second, -1.0, 1.0))


def score(task: str, predicted: Values, labels: Values) -> float | None:
    """The score by which a task is measured: accuracy for SST and PARA, Pearson's ρ for STS."""
    return accuracy(predicted, labels) if TASKS[task].classes else pearson(predicted, labels)


def overall(scores: Mapping[str, float | None]) -> float | None:
    """(acc_SST + acc_PARA + (1 + ρ_STS)/2) / 3, as the course computes it; None unless all three are there.

    Source: section 5.2 for S = (1 + ρ)/2, decisions 3 and 4.
    """
    values = [scores.get(name) for name in ("sst", "para", "sts")]
    if any(value is None or not np.isfinite(value) for value in values):
        return None
    sst, para, rho = (float(value) for value in values if value is not None)
    return (sst + para + (1 + rho) / 2) / 3


def confusion(task: str, predicted: Values, labels: Values) -> np.ndarray:
    """How often class j was predicted where i is true: (k, k) ints, rows true, columns predicted.

    Examples without a label are left out.

    Raises:
        ValueError: the task has no classes, or a value is none of them.
    """
    classes = len(TASKS[task].classes)
    if not classes:
        raise ValueError(f"{task} has no classes")
    found, wanted = _aligned(predicted, labels)
    labelled = ~np.isnan(wanted)
    found, wanted = found[labelled], wanted[labelled]
    if not np.isin(np.concatenate([found, wanted]), np.arange(classes)).all():
        raise ValueError(f"predictions and labels of {task} are classes from 0 to {classes - 1}")
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (wanted.astype(np.int64), found.astype(np.int64)), 1)
    return matrix


def _aligned(predicted: Values, labels: Values) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as float64 vectors of one length; a missing label (None) becomes NaN."""
    found: np.ndarray = np.asarray(predicted, dtype=np.float64)
    wanted: np.ndarray = np.asarray(labels, dtype=np.float64)
    if found.ndim != 1 or found.shape != wanted.shape:
        raise ValueError(f"expected one prediction per label, found shapes {found.shape} and {wanted.shape}")
    return found, wanted


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
