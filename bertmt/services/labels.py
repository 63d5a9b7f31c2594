"""The true labels of an evaluated split."""

import numpy as np

from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database


def labels_of(database: Database, fingerprint: str) -> np.ndarray | None:
    """Labels in the order of the predictions, float64 (n,); None where examples or labels are not stored."""
    examples = stored_predictions.examples(database, fingerprint)
    if not examples or any(example.label is None for example in examples):
        return None
    return np.array([example.label for example in examples], dtype=np.float64)
