"""The part of importing events that needs numpy: prediction files and the examples they are about."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bertmt.errors import DataError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, read_examples, read_predictions
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.task import SPLITS, TASKS


def reader_of(database: Database, run: Run, folder: RunFolder, entry: Mapping[str, Any]) -> Callable[[], None]:
    """Read one prediction file now; the returned function stores it within a transaction.

    Only files of the run's own folder are read, whatever the event says. A missing or damaged one stores nothing.
    """
    path = folder.path / "predictions" / str(entry.get("file", "")).rpartition("/")[2]
    try:
        predictions = read_predictions(path)
    except DataError:
        return lambda: None
    if not _is_storable(predictions):
        return lambda: None
    examples = None
    if not stored_predictions.has_split(database, predictions.fingerprint):
        try:
            examples = read_examples(folder.examples(predictions.task, predictions.split))
        except DataError:
            examples = None
        if examples is not None and not (_are_examples(examples) and fingerprint(examples) == predictions.fingerprint):
            examples = None

    def store() -> None:
        if examples is not None:
            stored_predictions.store_split(
                database, predictions.fingerprint, predictions.task, predictions.split, examples
            )
        stored_predictions.store(database, run.key, predictions)

    return store


def _is_storable(predictions: Predictions) -> bool:
    """Whether a file holds what a run writes there; its words become a part of a path, its numbers are read as such."""
    values = predictions.probabilities
    return (
        predictions.task in TASKS
        and predictions.split in SPLITS
        and 0 <= predictions.epoch < 1 << 31
        and values.ndim == (2 if predictions.task == "sst" else 1)
        and values.dtype == "float32"
    )


def _are_examples(examples: Sequence[Example]) -> bool:
    return all(
        isinstance(each.id, str)
        and isinstance(each.first, str)
        and isinstance(each.second, str | None)
        and (each.label is None or (isinstance(each.label, int | float) and abs(each.label) < 1 << 62))
        for each in examples
    )
