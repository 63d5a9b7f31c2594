"""How far predicted numbers are from their labels.

Numbers are judged by a correlation, which leaves the scale open: a run of another loss may order examples better and
say other numbers. So a prediction stands for what the straight line that fits the labels best makes of it.
"""

import numpy as np


def fitted_errors(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """What the best straight line makes of each prediction less its label, (n,) float64, in units of labels.

    The line minimises the squares of these: slope Cov(predicted, label) / Var(predicted), through both means; of
    predictions that are all equal it is the mean label. A prediction that is no number has no error, NaN, and no say.
    """
    y, x = np.asarray(labels, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    errors = np.full(len(y), np.nan)
    if not known.any():
        return errors
    mean = y[known].mean()
    deviations = x[known] - x[known].mean()
    square = float(deviations @ deviations)
    slope = float(deviations @ y[known]) / square if square else 0.0
    errors[known] = mean + slope * deviations - y[known]
    return errors


def fitted_distances(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """How far labels are from the straight line in the predictions that fits them best, (n,); in units of labels."""
    distances: np.ndarray = np.abs(fitted_errors(labels, predicted))
    return distances
