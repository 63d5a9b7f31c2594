"""How far a run is and what it scored: its summary, its evaluations, and up to where its events are imported.

What writes here is called inside a write transaction.
"""

import json
from typing import Any

from bertmt.registry.database import Database
from bertmt.registry.records import Evaluation, Run
from bertmt.registry.runs import evaluations
from bertmt.run_folder.events import now

NO_SCORES = {"selected_epoch": None, "scores": "{}", "overall": None}
_NOT_YET = {**dict.fromkeys(("phase", "step", "epoch", "seconds_left", "checkpoint_step")), **NO_SCORES}


def is_imported_as(database: Database, run: Run) -> bool:
    """Whether a run's attempt, and how much of its events is imported, are still as its record tells."""
    row = database.execute(
        "SELECT attempt, events_attempt, events_offset FROM runs WHERE key = ?", (run.key,)
    ).fetchone()
    return bool(row == (run.attempt, run.imported.events_attempt, run.imported.events_offset))


def store_imported(database: Database, run: Run, end: int) -> None:
    """Say that the events of a run's attempt are imported up to byte `end`."""
    database.execute(
        "UPDATE runs SET events_attempt = ?, events_offset = ?, synced_at = ? WHERE key = ?",
        (run.attempt, end, now(), run.key),
    )


def store_evaluation(database: Database, key: int, found: Evaluation) -> None:
    """Store (or replace) the dev scores of an epoch."""
    database.execute(
        "INSERT OR REPLACE INTO evaluations (run, epoch, step, overall, seconds) VALUES (?, ?, ?, ?, ?)",
        (key, found.epoch, found.step, found.overall, found.seconds),
    )
    database.execute("DELETE FROM scores WHERE run = ? AND epoch = ?", (key, found.epoch))
    database.executemany(
        "INSERT INTO scores (run, epoch, task, metric, value) VALUES (?, ?, ?, ?, ?)",
        [
            (key, found.epoch, task, metric, value)
            for task, values in found.metrics.items()
            for metric, value in values.items()
        ],
    )


def evaluated_epoch(database: Database, key: int) -> int:
    """The newest epoch after which a run was evaluated, not the one in progress; 0 before the first."""
    row = database.execute("SELECT max(epoch) FROM evaluations WHERE run = ?", (key,)).fetchone()
    return row[0] or 0


def show_scores(database: Database, run: Run, epoch: int) -> None:
    """Make the scores of an epoch those of the run; none, where it was not evaluated."""
    for found in evaluations(database, run, epoch):
        scores = json.dumps(dict(found.scores))
        update(database, run.key, selected_epoch=epoch, scores=scores, overall=found.overall)
        return
    update(database, run.key, **NO_SCORES)


def update(database: Database, key: int, **columns: Any) -> None:
    """Store columns of a run's summary."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    database.execute(f"UPDATE summaries SET {assignments} WHERE run = ?", (*columns.values(), key))


def begin_anew(database: Database, key: int) -> None:
    """Forget how far a run is and what it scored, until its next attempt tells."""
    update(database, key, **_NOT_YET)
