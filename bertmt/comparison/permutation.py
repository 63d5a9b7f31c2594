"""Paired permutation: what a difference looks like when nobody knows which prediction came from which run.

Where two runs are equally good, their predictions for an example may change places. The test keeps its level also where
the noise grows with the label: a swap turns the sign of what one example adds to the difference, so that the spread
of the resamples is that of the data (Chung & Romano 2013, Annals of Statistics 41:484, on such tests beyond
exchangeability). Correlations are compared on standardised predictions, since runs of other losses have other scales.

Source: Noreen 1989, *Computer-intensive methods*, approximate randomisation; Deutsch et al. 2021, arXiv:2104.00054,
PERM-BOTH, of which this permutes the runs and keeps the examples: the labels are given.
"""

import numpy as np

CHUNK = 500  # resamples at a time: 500 × 863 doubles fit the cache


def exchanged_correlations(
    labels: np.ndarray, predicted_a: np.ndarray, predicted_b: np.ndarray, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """r_b − r_a with the standardised predictions of each example exchanged at random; shape (resamples,).

    NaN where an exchange leaves predictions without variance. With m = (a + b)/2, h = (b − a)/2 and a sign s per
    example, the exchanged runs are m − s h and m + s h, so all sums are those of m and h, and one product with s.
    """
    y, a, b = (standardised(values) for values in (labels, predicted_a, predicted_b))
    middle, half = (a + b) / 2, (b - a) / 2
    n = len(y)
    fixed_square = (middle @ middle + half @ half) / n
    columns = np.stack([half, y * half, middle * half], axis=1) / n
    fixed_covariance = y @ middle / n  # and the mean of `middle` is 0, as of all that is standardised
    found = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        # One random bit an example: s = 1 − 2 bit.
        bits = np.unpackbits(np.frombuffer(rng.bytes((rows * n + 7) // 8), np.uint8), count=rows * n)
        exchanged = bits.reshape(rows, n).astype(np.float64)
        mean, covariance, square = (columns.sum(axis=0) - 2 * exchanged @ columns).T
        with np.errstate(invalid="ignore", divide="ignore"):
            r_b = (fixed_covariance + covariance) / np.sqrt(fixed_square + 2 * square - mean**2)
            r_a = (fixed_covariance - covariance) / np.sqrt(fixed_square - 2 * square - mean**2)
        found[start : start + rows] = r_b - r_a
    return found


def exchanged_accuracies(fixed: int, broken: int, n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(fixed − broken) / n with each of the flips given to either run by a coin; shape (resamples,)."""
    flips = fixed + broken
    return (2.0 * rng.binomial(flips, 0.5, size=resamples) - flips) / n


def exchanged_means(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of paired differences with the two runs of each example exchanged at random; shape (resamples,)."""
    n = len(differences)
    found = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        bits = np.unpackbits(np.frombuffer(rng.bytes((rows * n + 7) // 8), np.uint8), count=rows * n)
        signs = 1.0 - 2.0 * bits.reshape(rows, n)
        found[start : start + rows] = signs @ differences / n
    return found


def permutation_p(observed: float, draws: np.ndarray) -> float:
    """Two-sided p: the share of draws at least as far from 0, the observed one counted among them.

    Undefined draws count as far. The slack: sums of the same numbers in another order differ in their last bits.
    """
    nearer = (np.abs(draws) < abs(observed) - 1e-12).sum()
    return float((1 + len(draws) - nearer) / (1 + len(draws)))


def standardised(values: np.ndarray) -> np.ndarray:
    """The values with mean 0 and variance 1; some of them must differ."""
    values = np.asarray(values, dtype=np.float64)
    scaled: np.ndarray = (values - values.mean()) / values.std()
    return scaled
