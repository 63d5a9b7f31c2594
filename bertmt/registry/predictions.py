"""Predictions as BLOBs, and the examples they are about, stored once per fingerprint."""

from collections.abc import Sequence

import numpy as np

from bertmt.registry.database import Database
from bertmt.run_folder.predictions import Predictions
from bertmt.tasks.examples import Example
from bertmt.tasks.task import PARTIAL


def store(database: Database, run: int, predictions: Predictions) -> None:
    """Store (or replace) predictions of one (task, split, epoch). Inside a write transaction."""
    values = np.ascontiguousarray(predictions.probabilities, dtype="<f4")
    columns = values.shape[1] if values.ndim == 2 else 1
    database.execute(
        "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            run,
            predictions.task,
            predictions.split,
            predictions.epoch,
            predictions.fingerprint,
            columns,
            values.tobytes(),
        ),
    )


def read(database: Database, run: int, task: str, epoch: int, split: str = "dev") -> Predictions | None:
    """The stored predictions, or None."""
    row = database.execute(
        "SELECT fingerprint, columns, probabilities FROM predictions"
        " WHERE run = ? AND task = ? AND split = ? AND epoch = ?",
        (run, task, split, epoch),
    ).fetchone()
    if row is None:
        return None
    fingerprint, columns, blob = row
    values = np.frombuffer(blob, "<f4")
    return Predictions(task, split, epoch, fingerprint, values.reshape(-1, columns) if columns > 1 else values)


def fingerprint_of(database: Database, run: int, task: str, epoch: int | None, split: str = "dev") -> str | None:
    """The examples that stored predictions are of; None where there are none."""
    row = database.execute(
        "SELECT fingerprint FROM predictions WHERE run = ? AND task = ? AND split = ? AND epoch = ?",
        (run, task, split, epoch),
    ).fetchone()
    return row[0] if row else None


def epochs(database: Database, run: int, task: str, split: str = "dev") -> list[int]:
    """The epochs that have predictions, ascending."""
    rows = database.execute(
        "SELECT epoch FROM predictions WHERE run = ? AND task = ? AND split = ? ORDER BY epoch", (run, task, split)
    )
    return [epoch for (epoch,) in rows]


def stored_bytes(database: Database, run: int) -> list[tuple[str, str, int, str, bytes]]:
    """All whole predictions of a run as they are stored: task, split, epoch, fingerprint of the examples, bytes.

    Partial ones are left out: which of them is the newest depends on when somebody looked.
    """
    found: list[tuple[str, str, int, str, bytes]] = database.execute(
        "SELECT task, split, epoch, fingerprint, probabilities FROM predictions WHERE run = ? AND split != ?",
        (run, PARTIAL),
    ).fetchall()
    return found


def has_split(database: Database, fingerprint: str) -> bool:
    """Whether the examples of that fingerprint are stored."""
    return database.execute("SELECT 1 FROM splits WHERE fingerprint = ?", (fingerprint,)).fetchone() is not None


def split_size(database: Database, fingerprint: str | None) -> int | None:
    """How many examples of that fingerprint are stored; None where none are."""
    row = database.execute("SELECT count FROM splits WHERE fingerprint = ?", (fingerprint,)).fetchone()
    return row[0] if row else None


def store_split(database: Database, fingerprint: str, task: str, name: str, examples: Sequence[Example]) -> None:
    """Store the examples of an evaluated split once. Inside a write transaction."""
    if has_split(database, fingerprint):
        return
    # Bare: tens of thousands of examples at once, see `metrics.append`.
    key = database.execute(
        "INSERT INTO splits (fingerprint, task, name, count) VALUES (?, ?, ?, ?)",
        (fingerprint, task, name, len(examples)),
    ).lastrowid
    database.executemany(
        "INSERT INTO examples VALUES (?, ?, ?, ?, ?, ?)",
        (
            (key, position, _storable(each.id), _storable(each.first), _storable(each.second), each.label)
            for position, each in enumerate(examples)
        ),
    )


def _storable(text: str | None) -> str | None:
    """SQLite stores UTF-8: a lone surrogate, legal in JSON, becomes a question mark."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def examples(database: Database, fingerprint: str) -> tuple[Example, ...]:
    """The examples of that fingerprint in the order of the predictions; empty where they are not stored."""
    rows = database.execute(
        "SELECT examples.id, first, second, label FROM examples JOIN splits ON splits.key = examples.split"
        " WHERE fingerprint = ? ORDER BY position",
        (fingerprint,),
    )
    return tuple(Example(*row) for row in rows)


def texts(database: Database, fingerprint: str, start: int, count: int) -> list[tuple[int, str, str, str | None]]:
    """So many examples from a position on, in the order of the predictions: position, id, first, second."""
    found: list[tuple[int, str, str, str | None]] = database.execute(
        "SELECT position, examples.id, first, second FROM examples JOIN splits ON splits.key = examples.split"
        " WHERE fingerprint = ? AND position >= ? ORDER BY position LIMIT ?",
        (fingerprint, start, count),
    ).fetchall()
    return found


def labels(database: Database, fingerprint: str) -> list[float | None]:
    """The labels of these examples alone, in the order of the predictions."""
    rows = database.execute(
        "SELECT label FROM examples JOIN splits ON splits.key = examples.split WHERE fingerprint = ? ORDER BY position",
        (fingerprint,),
    )
    return [label for (label,) in rows]
