"""Predictions of another program as a run without training, which is compared and reported like ours.

They are written into a run folder and imported as any other folder is: one reader for all that gets in.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bertmt.drawing.numbers import named
from bertmt.errors import DataError
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.recipe.loading import to_json
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import new_id
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Finished, PredictionFile, Started, now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.services.ingest.import_run import import_run
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.loading import read_split
from bertmt.tasks.prediction_files import read_prediction_file
from bertmt.tasks.scores import measured, overall
from bertmt.tasks.task import Task, Tasks

EPOCH, SPLIT = 1, "dev"


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
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / new_id())
        marks = {f"{each}-{SPLIT}": found.fingerprint for each, (_, found) in read.items()}
        order = RunOrder(
            run_id=folder.path.name, name=name, attempt=1, data=data, extra_data_file="", fingerprints=marks
        )
        folder.create(order, to_json(recipe), recipe.trained())
        _write(folder, recipe, read)
        origin = named([str(file.absolute()) for file in files.values()])
        return import_run(database, folder.path, f"{origin}, by another program")


def _read(task: Task, file: Path, data: str) -> tuple[Split, Predictions]:
    split = read_split(data, task, SPLIT)
    if any(example.label is None for example in split.examples):
        raise DataError(f"The {SPLIT} split of {task.title} has examples without a label: nothing can be scored.")
    predicted = np.array(read_prediction_file(file, task, split.examples))
    mark = fingerprint(split.examples)
    labels = np.array([example.label for example in split.examples], dtype=np.float64)
    return split, Predictions(task.name, SPLIT, EPOCH, mark, as_probabilities(task, predicted, labels))


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


def _write(folder: RunFolder, recipe: Recipe, read: Mapping[str, tuple[Split, Predictions]]) -> None:
    """Examples, predictions and the events of a run that has them from the start."""
    scores, metrics, stored = {}, {}, list[PredictionFile]()
    for name, (split, predictions) in read.items():
        task, labels = recipe.task(name), [example.label for example in split.examples]
        metrics[name] = measured(task, predictions.probabilities, labels)
        scores[name] = metrics[name][task.metrics[0]]
        write_examples(folder.examples(name, SPLIT), split.examples)
        path = folder.predictions(EPOCH, name, SPLIT)
        write_predictions(path, predictions)
        file = f"predictions/{path.name}"
        stored.append(PredictionFile(task=name, split=SPLIT, file=file, fingerprint=predictions.fingerprint))
    sizes = {name: len(split.examples) for name, (split, _) in read.items()}
    _write_events(
        folder,
        [
            Started(at=now(), attempt=1, split_sizes={f"{name}-{SPLIT}": size for name, size in sizes.items()}),
            Evaluated(
                at=now(),
                epoch=EPOCH,
                step=0,
                scores=scores,
                metrics=metrics,
                overall=overall(scores, recipe.known),
                sizes=sizes,
                predictions=stored,
            ),
            Finished(at=now(), epoch=EPOCH, step=0, selected_epoch=EPOCH, scores=scores),
        ],
    )


def _write_events(folder: RunFolder, events: Sequence[Started | Evaluated | Finished]) -> None:
    writer = EventWriter(folder.events(1), fresh=True)
    try:
        for event in events:
            writer.write(event)
    finally:
        writer.close()
