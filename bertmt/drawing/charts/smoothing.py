"""A moving average that neither bridges gaps nor starts at zero."""

import numpy as np

NEGLIGIBLE = 1e-20  # a share of the past that changes no digit of a double


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average without the pull of its start; a gap (NaN) stays a gap and restarts it.

    The recursion a(t) = w·a(t−1) + (1−w)·x(t) as a scan by doubling (Hillis & Steele 1986): after each pass an
    average holds twice as much of its past, so that 2,000 points take eleven passes of numpy.

    Args:
        weight: of the past, 0 (unchanged) to below 1; after t values the average is divided by 1 − weight^t, as
            in Adam (Kingma & Ba 2015, section 3).

    Raises:
        ValueError: the weight is not in [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the weight of a moving average is at least 0 and below 1, not {weight}")
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    index = np.arange(len(values))
    since_gap = index - np.maximum.accumulate(np.where(finite, -1, index))  # 1 at the first value after a gap
    average = np.where(finite, (1 - weight) * values, 0.0)
    distance, share = 1, weight
    while distance < len(values) and share > NEGLIGIBLE:
        within = since_gap[distance:] > distance
        average[distance:] += np.where(within, share * average[:-distance], 0.0)
        distance, share = 2 * distance, share * share
    smoothed = np.full(len(values), np.nan)
    np.divide(average, 1 - weight**since_gap, where=finite, out=smoothed)
    return smoothed
