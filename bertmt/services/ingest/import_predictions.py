"""Predictions of another program as a run without training, which is compared and reported like ours."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bertmt.drawing.numbers import named
from bertmt.errors import DataError
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.ingest.untrained import SPLIT, Predicted, Untrained, store_untrained
from bertmt.tasks.examples import fingerprint
from bertmt.tasks.loading import read_split
from bertmt.tasks.prediction_files import read_prediction_file
from bertmt.tasks.task import Task, Tasks


def import_predictions(database: Database, name: str, files: Mapping[str, Path], tasks: Tasks, data: str) -> Run:
    """Bring in predictions of dev splits.

    Args:
        files: by the name of the task that they are of.
        data: where the examples of the course's tasks are; as in a recipe.

    Raises:
        DataError: data or a file cannot be used; the sentence names the line.
        RegistryError: the registry cannot be written.
    """
    read = {each: _read(tasks[each], file, data) for each, file in files.items()}
    recipe = resolved(
        Recipe(known=tasks, tasks=tuple(files), encoder=OTHER_PROGRAM, data=data, epochs=1, keep_model=False)
    )
    origin = named([str(file.absolute()) for file in files.values()])
    return store_untrained(
        database, Untrained(name=name, recipe=recipe, predicted=read), f"{origin}, by another program"
    )


def _read(task: Task, file: Path, data: str) -> Predicted:
    split = read_split(data, task, SPLIT)
    if any(example.label is None for example in split.examples):
        raise DataError(f"The {SPLIT} split of {task.title} has examples without a label: nothing can be scored.")
    predicted = np.array(read_prediction_file(file, task, split.examples))
    labels = np.array([example.label for example in split.examples], dtype=np.float64)
    return Predicted(split.examples, fingerprint(split.examples), as_probabilities(task, predicted, labels))


def as_probabilities(task: Task, predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predicted labels as predictions are stored, all weight on the class that was named.

    Numbers are labels on the task's scale. Of a task that is predicted by the cosine they may be cosines too, as the
    course's files have them: they are where none is beyond −1 to 1 and some true label is, so that true labels are
    never taken for cosines. A correlation is the same for both.

    Args:
        labels: the true ones, of the same examples.
    """
    if task.outputs > 1:
        return np.eye(task.outputs, dtype=np.float32)[predicted.astype(np.int64)]
    are_cosines = task.prediction == "cosine" and np.abs(predicted).max() <= 1 < np.abs(labels).max()
    if not task.classes and not are_cosines:
        predicted = (predicted - task.minimum) / (task.maximum - task.minimum)
    return predicted.astype(np.float32)
