"""Metrics and predictions of runs as plain rows, and rows as CSV or JSON Lines."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bertmt.registry import metrics
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.tasks.scores import predicted_labels

METRIC_COLUMNS = ("run", "name", "seed", "series", "step", "value")
PREDICTION_COLUMNS = (
    "run", "name", "seed", "task", "split", "epoch", "id", "first", "second", "label", "predicted", "probabilities",
)  # fmt: skip

Record = Mapping[str, Any]


def metric_rows(database: Database, runs: Sequence[Run]) -> Iterator[Record]:
    """Every point of every series; a value that is no number is None."""
    for run in runs:
        current = bring_up_to_date(database, run)
        about = {"run": current.id, "name": current.name, "seed": current.seed}
        for series in metrics.series_names(database, current.key):
            for step, value in metrics.read(database, current.key, (series,))[series]:
                yield {**about, "series": series, "step": step, "value": value}


def prediction_rows(database: Database, runs: Sequence[Run], selected_only: bool = False) -> Iterator[Record]:
    """Every stored dev prediction of every evaluated epoch, with its example where that is in the registry.

    `probabilities` is a list: of more than two classes each one's, of two that of class 1, of a number the cosine or
    the head's output.

    Args:
        selected_only: of the epoch whose scores are the run's alone.
    """
    for run in runs:
        current = bring_up_to_date(database, run)
        about = {"run": current.id, "name": current.name, "seed": current.seed}
        for task in current.tasks:
            known = stored_predictions.epochs(database, current.key, task)
            for epoch in [each for each in known if each == current.scores.selected_epoch or not selected_only]:
                for row in _predictions(database, current, task, epoch):
                    yield {**about, "task": task, "split": "dev", "epoch": epoch, **row}


def _predictions(database: Database, run: Run, task: str, epoch: int) -> Iterator[Record]:
    found = stored_predictions.read(database, run.key, task, epoch)
    if found is None:
        return
    known = stored_predictions.examples(database, found.fingerprint)
    examples = known if len(known) == len(found.probabilities) else [None] * len(found.probabilities)
    for example, predicted, probabilities in zip(
        examples, predicted_labels(run.tasks[task], found.probabilities), found.probabilities, strict=True
    ):
        listed = probabilities.tolist()
        yield {
            "id": example.id if example else None,
            "first": example.first if example else None,
            "second": example.second if example else None,
            "label": example.label if example else None,
            "predicted": predicted.item(),
            "probabilities": listed if isinstance(listed, list) else [listed],
        }


def csv_lines(columns: Sequence[str], rows: Iterable[Record]) -> Iterator[str]:
    """A header and the rows as CSV (RFC 4180 with plain newlines); None is empty, a list is joined by spaces."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def json_lines(rows: Iterable[Record]) -> Iterator[str]:
    """The rows as JSON objects, one a line; what a diverged model predicted is null."""
    for row in rows:
        try:
            yield json.dumps(row, allow_nan=False) + "\n"
        except ValueError:
            yield json.dumps(_finite(row), allow_nan=False) + "\n"


def _cell(value: Any) -> Any:
    return " ".join(f"{each:.9g}" for each in value) if isinstance(value, list) else value


def _finite(content: Any) -> Any:
    """`content` with null in place of every number that is not finite."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content
