"""What each dev example adds to the score of a run, read once for all that ask."""

import numpy as np

from bertmt.comparison.effects import influence
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.labels import labels_of
from bertmt.tasks.scores import predicted_labels

Influences = tuple[str, np.ndarray]  # the fingerprint of the dev examples, and what each adds to a score


class ReadInfluences:
    """What was read of runs already: a run can be in the pairs of several toggles."""

    def __init__(self, database: Database):
        self._database = database
        self._labels: dict[str, np.ndarray | None] = {}
        self._runs: dict[tuple[int, str], Influences | None] = {}

    def of_run(self, run: Run, task: str) -> Influences | None:
        """What each dev example adds to a run's score; None where predictions or labels are not there, or it has no
        score."""
        key = (run.key, task)
        if key not in self._runs:
            self._runs[key] = self._influence(run, task)
        return self._runs[key]

    def of_pair(self, a: Run, b: Run, task: str) -> Influences | None:
        """What each example adds to the difference b − a; None where that is not known."""
        of_a, of_b = self.of_run(a, task), self.of_run(b, task)
        return None if of_a is None or of_b is None or of_a[0] != of_b[0] else (of_a[0], of_b[1] - of_a[1])

    def _influence(self, run: Run, task: str) -> Influences | None:
        epoch = run.scores.selected_epoch
        found = None if epoch is None else stored_predictions.read(self._database, run.key, task, epoch)
        if found is None or run.score(task) is None or not np.isfinite(found.probabilities).all():
            return None
        if found.fingerprint not in self._labels:
            self._labels[found.fingerprint] = labels_of(self._database, found.fingerprint)
        labels, about = self._labels[found.fingerprint], run.tasks[task]
        if labels is None or len(labels) != len(found.probabilities):
            return None
        return found.fingerprint, influence(about, labels, predicted_labels(about, found.probabilities))
