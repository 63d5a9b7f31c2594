"""Two correlations with the same labels: Williams' test, and the pieces of a paired bootstrap.

Williams' test stands beside the permutation that decides (`permutation.py`), because readers know it: it assumes normal
errors, and where noise grows with the label it is wrong more often than it says (docs/methods.md, calibration).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from bertmt.comparison.bootstrap import ROUNDING, Resampled, drawn_counts
from bertmt.comparison.permutation import standardised

CHUNK = 50  # resamples counted at a time: 50 × 863 doubles fit a core's own cache
# Where the means of 1, y, x, y², x² and yx stand, for x the predictions of either run.
OF_A, OF_B = [0, 1, 2, 4, 5, 7], [0, 1, 3, 4, 6, 8]


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


def resampled_correlation_difference(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, resamples: int, rng: np.random.Generator
) -> Resampled:
    """r_b − r_a in resamples of the examples; NaN where a resample has no variance.

    A resample is a row of counts, so that all its means of squares and products come from one matrix product.
    """
    y, a, b = (standardised(each) for each in (labels, predicted_a, predicted_b))
    values = np.stack([np.ones(len(y)), y, a, b, y * y, a * a, b * b, y * a, y * b])
    return _in_resamples(_differences, values, resamples, rng, bound=2.0)


def resampled_correlation(
    labels: np.ndarray, predicted: np.ndarray, resamples: int, rng: np.random.Generator
) -> Resampled:
    """r in resamples of the examples; NaN where a resample has no variance."""
    y, x = (standardised(each) for each in (labels, predicted))
    values = np.stack([np.ones(len(y)), y, x, y * y, x * x, y * x])
    return _in_resamples(_single, values, resamples, rng, bound=1.0)


def _in_resamples(
    valued: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    values: np.ndarray,
    resamples: int,
    rng: np.random.Generator,
    bound: float,
) -> Resampled:
    n = values.shape[1]
    estimate, error = valued(np.ones((1, n)), values)
    draws, errors = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        counts = drawn_counts(rows, n, rng)
        draws[start : start + rows], errors[start : start + rows] = valued(counts, values)
    return Resampled(float(estimate[0]), float(error[0]), draws, errors, bound)


def _single(counts: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r where each example is there so many times, and its standard error; (k, n), (6, n) → (k,), (k,)."""
    r, gradient = _correlations(counts @ values.T / counts.shape[1])
    errors = np.sqrt(np.einsum("kn,kn->k", counts, np.square(gradient @ values))) / counts.shape[1]
    return r, np.where(errors <= ROUNDING, 0.0, errors)


def _differences(counts: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r_b − r_a where each example is there so many times, and its standard error; (k, n), (9, n) → (k,), (k,).

    By the delta method: r is a function of means, so the influence of an example on it is the gradient of r times its
    values. Source: Efron & Tibshirani 1993, chapter 21.
    """
    means = counts @ values.T / counts.shape[1]
    (r_a, gradient_a), (r_b, gradient_b) = (_correlations(means[:, columns]) for columns in (OF_A, OF_B))
    gradient = np.zeros(means.shape)
    gradient[:, OF_B] = gradient_b
    gradient[:, OF_A] -= gradient_a
    squares = np.square(gradient @ values)
    errors = np.sqrt(np.einsum("kn,kn->k", counts, squares)) / counts.shape[1]
    return r_b - r_a, np.where(errors <= ROUNDING, 0.0, errors)


def _correlations(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson's r from the means of 1, y, x, y², x², yx, and its gradient; shapes (k, 6) → (k,), (k, 6).

    What stands at the mean of 1 makes the influences add up to 0.
    """
    _, mean_y, mean_x, yy, xx, yx = means.T
    variance_y, variance_x = yy - mean_y**2, xx - mean_x**2
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.sqrt(variance_y * variance_x)
        scale[np.minimum(variance_y, variance_x) <= ROUNDING] = np.nan  # all examples the same, but for rounding
        r = (yx - mean_y * mean_x) * scale
        by_y, by_x = r * mean_y / variance_y - mean_x * scale, r * mean_x / variance_x - mean_y * scale
        gradient = np.stack([np.zeros(len(r)), by_y, by_x, -r / (2 * variance_y), -r / (2 * variance_x), scale], axis=1)
    gradient[:, 0] = -(gradient * means).sum(axis=1)
    return r, gradient
