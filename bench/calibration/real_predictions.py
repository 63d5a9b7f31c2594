"""Dev predictions of real runs, without any sentence: what samples are drawn from.

`predictions.npz` was collected from runs on the course's SST and STS files and 3,000 pairs of Quora, with MiniLM, 120
steps of 16 examples a task (docs/lab_notes.md has the commands). To collect others:

    python -m bench.calibration.real_predictions runs.db bench/calibration/predictions.npz RUN...
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertmt.registry import predictions as stored_predictions
from bertmt.services.analysis.labels import labels_of
from bertmt.services.browse.lookup import find_run
from bertmt.services.opening import Registry, opened_registry
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.scores import predicted_labels

PATH = Path(__file__).parent / "predictions.npz"
TASKS = tuple(BUILTIN)


@dataclass(frozen=True)
class RealPredictions:
    """Labels per task, shape (n,), and what each run predicted, shape (runs, n), with the runs' names."""

    names: tuple[str, ...]
    labels: dict[str, np.ndarray]
    predicted: dict[str, np.ndarray]


def read(path: Path = PATH) -> RealPredictions:
    """The collected predictions."""
    with np.load(path, allow_pickle=False) as stored:
        labels = {task: stored[f"{task}_labels"].astype(np.float64) for task in TASKS}
        predicted = {task: stored[f"{task}_predicted"].astype(np.float64) for task in TASKS}
        return RealPredictions(tuple(map(str, stored["names"])), labels, predicted)


def collect(database: Registry, words: list[str], path: Path) -> None:
    """Write the selected dev predictions of these runs; all must have seen the same dev examples."""
    runs = [find_run(database, word) for word in words]
    arrays: dict[str, np.ndarray] = {"names": np.array([f"{run.name} seed {run.seed}" for run in runs])}
    for task in TASKS:
        rows, labels = [], None
        for run in runs:
            assert run.scores.selected_epoch is not None, f"{run.id} has no scores"
            found = stored_predictions.read(database, run.key, task, run.scores.selected_epoch)
            assert found is not None, f"{run.id} has no predictions of {task}"
            known = labels_of(database, found.fingerprint)
            assert known is not None and (labels is None or np.array_equal(labels, known)), f"other {task} examples"
            labels = known
            rows.append(predicted_labels(BUILTIN[task], found.probabilities))
        kind = np.float32 if task == "sts" else np.int8
        arrays |= {f"{task}_labels": np.asarray(labels, kind), f"{task}_predicted": np.array(rows, kind)}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # numpy types **kwds as allow_pickle


if __name__ == "__main__":
    with opened_registry(Path(sys.argv[1]), read_only=True) as registry:
        collect(registry, sys.argv[3:], Path(sys.argv[2]))
