"""Two correlations with the same labels: Williams' test, and the pieces of a paired bootstrap.

Williams' test stands beside the permutation that decides (`permutation.py`), because readers know it: it assumes normal
errors, and where noise grows with the label it is wrong more often than it says (docs/methods.md, calibration).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

CHUNK = 500  # resamples counted at a time: 500 × 863 doubles fit the cache


@dataclass(frozen=True)
class WilliamsTest:
    """Williams' t for r_b − r_a, and its two-sided p; None: undefined."""

    t: float | None
    p: float | None


def williams(r_a: float, r_b: float, r_ab: float, n: int) -> WilliamsTest:
    """Test that two predictions correlate equally with one gold standard.

    Fisher's z for independent samples would be wrong here: it ignores how alike the two predictions are.

    Args:
        r_a, r_b: correlations of each prediction with the labels; r_ab: of the predictions with each other.

    Source: Williams 1959; Steiger 1980, Psychological Bulletin 87:245, equation 7; n − 3 degrees of freedom.
    """
    if n < 4:
        return WilliamsTest(None, None)
    determinant = max(1 - r_a**2 - r_b**2 - r_ab**2 + 2 * r_a * r_b * r_ab, 0.0)
    mean = (r_a + r_b) / 2
    below = 2 * (n - 1) / (n - 3) * determinant + mean**2 * (1 - r_ab) ** 3
    above = (n - 1) * (1 + r_ab)
    if below <= 1e-15 or above <= 1e-15:  # the predictions are the same but for scale, or exact opposites
        return WilliamsTest(None, 1.0 if r_a == r_b else None)
    t = (r_b - r_a) / math.sqrt(below / above)
    return WilliamsTest(t, 2 * float(special.stdtr(n - 3, -abs(t))))


def correlation_differences(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """r_b − r_a in resamples of the examples; NaN where a resample has no variance.

    A resample is a row of counts, so that all sums of squares and products come from one matrix product.
    """
    n = len(labels)
    moments = _moments(labels, predicted_a, predicted_b)
    found = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        found[start : start + rows] = _difference(counts @ moments, n)
    return found


def correlation_influence(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray) -> np.ndarray:
    """How much each example moves r_b − r_a: (n − 1) (mean of the leave-one-out values − its own)."""
    n = len(labels)
    moments = _moments(labels, predicted_a, predicted_b)
    left_out = _difference(moments.sum(axis=0) - moments, n - 1)
    return (n - 1) * (np.nanmean(left_out) - left_out)


def _moments(labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray) -> np.ndarray:
    """Columns y, a, b, y², a², b², ya, yb of the centred values; shape (n, 8)."""
    y, a, b = (np.asarray(values, dtype=np.float64) for values in (labels, predicted_a, predicted_b))
    y, a, b = y - y.mean(), a - a.mean(), b - b.mean()
    return np.stack([y, a, b, y * y, a * a, b * b, y * a, y * b], axis=1)


def _difference(sums: np.ndarray, n: int) -> np.ndarray:
    """r_b − r_a from sums of the moments over n examples each; shape (k, 8) → (k,)."""
    y, a, b, yy, aa, bb, ya, yb = sums.T
    variance_y, variance_a, variance_b = yy - y * y / n, aa - a * a / n, bb - b * b / n
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = (yb - y * b / n) / np.sqrt(variance_y * variance_b)
        difference -= (ya - y * a / n) / np.sqrt(variance_y * variance_a)
    return np.where(np.isfinite(difference), difference, np.nan)
