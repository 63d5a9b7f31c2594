"""Runs as TensorBoard's files: a folder per run, with its scalars in the order of their steps.

Which settings differ between runs, and what they can be judged by, TensorBoard finds by itself where no file says it.
"""

import heapq
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from bertmt.atomic_files import PRIVATE_FOLDER
from bertmt.drawing.safe_text import safe_text
from bertmt.registry.records import Run
from bertmt.registry.states import ENDED, State
from bertmt.services.analysis.model_folder.markup import escaped, fenced, table
from bertmt.services.analysis.results_folder.event_records import EventRecords
from bertmt.services.analysis.results_folder.measured import Matrix, Measured
from bertmt.services.analysis.results_folder.pictures import matrix_pixels, png
from bertmt.services.analysis.results_folder.tables import plain_value
from bertmt.services.browse.run_formatting import value_text

SELECTED = "selected"  # the scores of a run, at the epoch that it selected
LONGEST = 60  # characters of a run's name in that of its folder
_OTHERS = re.compile(r"[^\w.-]+", re.ASCII)


def folder_name(run: Run) -> str:
    """Where a run's events are; its id makes it the only one, whatever the run is called."""
    shown = _OTHERS.sub("_", run.name)[:LONGEST].strip("._-") or "run"
    return f"{shown}-seed{run.seed}-{run.id}"


def write_tensorboard(folder: Path, measured: Iterable[Measured]) -> None:
    """Fill the folder.

    Raises:
        BertmtError: tensorboardX is missing.
        OSError: a file cannot be written.
    """
    for each in measured:
        beside = folder / folder_name(each.run)
        beside.mkdir(mode=PRIVATE_FOLDER)
        began = _seconds(each.run.execution.started_at or each.run.submission.submitted_at)
        with EventRecords(_file(beside, began)) as records:
            records.begin(began)
            _write_run(records, each, began)


def _file(folder: Path, began: float) -> Path:
    """TensorBoard looks for this in names; no machine is named, as its own writers do."""
    return folder / f"events.out.tfevents.{int(began)}.bertmt"


def _write_run(records: EventRecords, measured: Measured, began: float) -> None:
    run = measured.run
    ended = run.execution.ended_at if run.state in ENDED else None
    failed = run.state is not State.FINISHED
    records.session(_recipe(run), folder_name(run), began, _seconds(ended) if ended else None, failed)
    records.text("run", 0, began, _about(run))
    for (step, at), points in groupby(_points(measured, began), key=lambda point: point[:2]):
        records.scalars(step, at, [(tag, value) for _, _, tag, value in points])
    for matrix in measured.matrices():
        pixels = matrix_pixels(matrix.confusion.counts)
        at = began if np.isnan(matrix.at) else matrix.at
        tag = f"confusion/{matrix.confusion.task}"
        records.picture(tag, matrix.step, at, png(pixels), (len(pixels), len(pixels)))
        records.text(f"{tag}/counts", matrix.step, at, _counts(matrix))


def _points(measured: Measured, began: float) -> Iterator[tuple[int, float, str, float]]:
    """Step, time, tag and value of every point and of the scores that were selected, in that order."""
    series = []
    for each in measured.series():
        at = np.where(np.isnan(each.at), began, each.at)
        series.append(_tagged(each.name, each.steps, at, each.values))
    run = measured.run
    for evaluation, when in measured.evaluations():
        if evaluation.epoch == run.scores.selected_epoch:
            at = np.array([began if np.isnan(when) else when])
            for name, score in _scores(run).items():
                value = np.array([np.nan if score is None else score])
                series.append(_tagged(f"{SELECTED}/{name}", np.array([evaluation.step]), at, value))
    return heapq.merge(*series)


def _tagged(tag: str, steps: np.ndarray, at: np.ndarray, values: np.ndarray) -> Iterator[tuple[int, float, str, float]]:
    for place in range(len(steps)):
        yield int(steps[place]), float(at[place]), tag, float(values[place])


def _scores(run: Run) -> dict[str, float | None]:
    names = (*run.tasks, *(["overall"] if len(run.tasks) > 1 else []))
    return {name: run.score(name) for name in names}


def _recipe(run: Run) -> dict[str, Any]:
    """Its settings as plain values; those that are None are left out."""
    found = {name: plain_value(value) for name, value in run.recipe.items() if value is not None}
    return {name: safe_text(value) if isinstance(value, str) else value for name, value in found.items()}


def _about(run: Run) -> str:
    """What the run is, in Markdown."""
    facts = {
        "run": run.id, "name": run.name, "seed": str(run.seed), "preset": run.submission.preset or "",
        "state": str(run.state), "tags": " ".join(run.annotations.tags), "failure": run.execution.failure or "",
    }  # fmt: skip
    rows = [(name, escaped(text)) for name, text in facts.items() if text]
    note = [fenced(run.annotations.note, "")] if run.annotations.note else []
    recipe = "\n".join(f"{name}={value_text(value)}" for name, value in run.recipe.items())
    return "\n\n".join([table(("", ""), rows), *note, fenced(recipe, "")])


def _counts(matrix: Matrix) -> str:
    """Rows are true, columns are predicted."""
    classes = [escaped(name) for name in matrix.confusion.classes]
    rows = zip(classes, matrix.confusion.counts.tolist(), strict=True)
    return table(("true \\ predicted", *classes), [(name, *map(str, counts)) for name, counts in rows])


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
