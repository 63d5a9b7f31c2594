"""The true labels of an evaluated split."""

import numpy as np

from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database


def labels_of(database: Database, fingerprint: str) -> np.ndarray | None:
    """Labels in the order of the predictions, float64 (n,); None where examples or labels are not stored."""
    labels = stored_predictions.labels(database, fingerprint)
    if not labels or None in labels:
        return None
    return np.array(labels, dtype=np.float64)
