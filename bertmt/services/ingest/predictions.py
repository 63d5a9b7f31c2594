"""The part of importing events that needs numpy: prediction files and the examples they are about."""

from collections.abc import Callable, Sequence

from bertmt.errors import DataError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.run_folder.events import PredictionFile
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, read_examples, read_predictions
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.task import Task


def reader_of(database: Database, run: Run, folder: RunFolder, entry: PredictionFile) -> Callable[[], None]:
    """Read one prediction file now; the returned function stores it within a transaction.

    Only files of the run's own folder are read, whatever the event says. A missing or damaged one, or one of another
    split than the event says, or of a task that the run does not train, stores nothing.
    """
    path = folder.path / "predictions" / entry.file.rpartition("/")[2]
    try:
        predictions = read_predictions(path)
    except DataError:
        return lambda: None
    found = (predictions.task, predictions.split, predictions.fingerprint)
    task = run.tasks.get(predictions.task)
    if found != (entry.task, entry.split, entry.fingerprint) or task is None or not _has_outputs(task, predictions):
        return lambda: None
    examples = None
    if not stored_predictions.has_split(database, predictions.fingerprint):
        try:
            examples = read_examples(folder.examples(predictions.task, predictions.split))
        except DataError:
            examples = None
        if examples is not None and not _are_of(task, examples, predictions):
            examples = None

    def store() -> None:
        if examples is not None:
            stored_predictions.store_split(
                database, predictions.fingerprint, predictions.task, predictions.split, examples
            )
        stored_predictions.store(database, run.key, predictions)

    return store


def _has_outputs(task: Task, predictions: Predictions) -> bool:
    """Whether there are as many numbers per example as the task has outputs."""
    return predictions.probabilities.shape[1:] == ((task.outputs,) if task.outputs > 1 else ())


def _are_of(about: Task, examples: Sequence[Example], predictions: Predictions) -> bool:
    """Whether these are the examples that were predicted, with labels of their task."""
    labels = (each.label for each in examples if each.label is not None)
    if not all(about.minimum <= label <= about.maximum and (not about.classes or label % 1 == 0) for label in labels):
        return False
    return fingerprint(examples) == predictions.fingerprint
