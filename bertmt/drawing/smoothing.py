"""A moving average that neither bridges gaps nor starts at zero."""

import math

import numpy as np


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average without the pull of its start; a gap (NaN) stays one and starts it anew.

    Args:
        weight: of the past, 0 (unchanged) to below 1; after t values the average is divided by 1 − weight^t, as
            in Adam (Kingma & Ba 2015, section 3).

    Raises:
        ValueError: the weight is not in [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the weight of a moving average is at least 0 and below 1, not {weight}")
    smoothed = np.full(len(values), np.nan)
    average, forgotten = 0.0, 1.0
    for index, value in enumerate(np.asarray(values, dtype=np.float64).tolist()):
        if not math.isfinite(value):
            average, forgotten = 0.0, 1.0
            continue
        average = weight * average + (1 - weight) * value
        forgotten *= weight
        smoothed[index] = average / (1 - forgotten)
    return smoothed
