"""Several models as one: the mean of what they say."""

from collections.abc import Sequence

import numpy as np


def mean_of(predictions: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of stored predictions of one split by several models, float32.

    Of classes it is the mean of their probabilities; of numbers that of the numbers on the scale of the labels, to
    which all models of a task have the same way (`scores.on_label_scale`).

    Args:
        predictions: as `Predictions.probabilities`, all of one shape.
    """
    mean: np.ndarray = np.stack(predictions).mean(axis=0, dtype=np.float64)
    return np.asarray(mean, dtype=np.float32)
