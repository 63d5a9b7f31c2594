"""Runs that have predictions and were never trained: those of another program, and averages of runs.

They are written into a run folder and imported as any other folder is: one reader for all that gets in.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bertmt.recipe.loading import to_json
from bertmt.recipe.recipe import Recipe
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import new_id
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Finished, PredictionFile, Started, now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.services.ingest.import_run import import_run
from bertmt.tasks.examples import Example
from bertmt.tasks.scores import measured, overall

EPOCH, SPLIT = 1, "dev"


@dataclass(frozen=True)
class Predicted:
    """The examples of a task's dev split, and what was predicted of them; both as in `Predictions`."""

    examples: Sequence[Example]
    fingerprint: str
    probabilities: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Untrained:
    """A run as it is to be stored.

    Attributes:
        recipe: resolved.
        predicted: by task.
        fingerprints: as in `RunOrder`; of dev splits those of `predicted` where none are named.
        effort: what `Finished` says besides its scores.
    """

    name: str
    recipe: Recipe
    predicted: Mapping[str, Predicted]
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    encoder_fingerprints: Mapping[str, str] = field(default_factory=dict)
    effort: Mapping[str, Any] = field(default_factory=dict)


def store_untrained(database: Database, run: Untrained, origin: str) -> Run:
    """Score the predictions and store the run, which has finished.

    Args:
        origin: where it is from, for people.

    Raises:
        BertmtError: the registry cannot be written.
    """
    marks = {f"{name}-{SPLIT}": each.fingerprint for name, each in run.predicted.items()}
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / new_id())
        order = RunOrder(
            run_id=folder.path.name,
            name=run.name,
            attempt=1,
            data=run.recipe.data,
            extra_data_file=run.recipe.extra_data_file,
            fingerprints={**marks, **run.fingerprints},
            encoder_fingerprints=run.encoder_fingerprints,
        )
        folder.create(order, to_json(run.recipe), run.recipe.trained())
        _write(folder, run)
        return import_run(database, folder.path, origin)


def _write(folder: RunFolder, run: Untrained) -> None:
    """Examples, predictions and the events of a run that has them from the start."""
    scores, metrics, stored = {}, {}, list[PredictionFile]()
    for name, each in run.predicted.items():
        task, labels = run.recipe.task(name), [example.label for example in each.examples]
        metrics[name] = measured(task, each.probabilities, labels)
        scores[name] = metrics[name][task.metrics[0]]
        write_examples(folder.examples(name, SPLIT), each.examples)
        path = folder.predictions(EPOCH, name, SPLIT)
        write_predictions(path, Predictions(name, SPLIT, EPOCH, each.fingerprint, each.probabilities))
        file = f"predictions/{path.name}"
        stored.append(PredictionFile(task=name, split=SPLIT, file=file, fingerprint=each.fingerprint))
    sizes = {name: len(each.examples) for name, each in run.predicted.items()}
    evaluated = Evaluated(
        at=now(),
        epoch=EPOCH,
        step=0,
        scores=scores,
        metrics=metrics,
        overall=overall(scores, run.recipe.known),
        sizes=sizes,
        predictions=stored,
    )
    ended = {"step": 0, **run.effort}
    _write_events(
        folder,
        [
            Started(at=now(), attempt=1, split_sizes={f"{name}-{SPLIT}": size for name, size in sizes.items()}),
            evaluated,
            Finished(at=now(), epoch=EPOCH, selected_epoch=EPOCH, scores=scores, **ended),
        ],
    )


def _write_events(folder: RunFolder, events: Sequence[Started | Evaluated | Finished]) -> None:
    writer = EventWriter(folder.events(1), fresh=True)
    try:
        for event in events:
            writer.write(event)
    finally:
        writer.close()
