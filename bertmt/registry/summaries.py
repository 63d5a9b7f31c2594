"""How far a run is and what it scored: its summary, its evaluations, and up to where its events are imported.

What writes here is called inside a write transaction.
"""

from typing import Any

from bertmt.registry.database import Database
from bertmt.registry.records import Evaluation, Run
from bertmt.run_folder.events import now

_NOT_YET = (
    "phase", "step", "epoch", "seconds_left", "checkpoint_step", "selected_epoch", "sst", "para", "sts", "overall",
)  # fmt: skip


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
        "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, found.epoch, found.step, found.sst, found.para, found.sts, found.overall, found.seconds),
    )


def show_scores(database: Database, key: int, epoch: int) -> None:
    """Make the scores of an epoch those of the run; none, where it was not evaluated."""
    database.execute(
        "UPDATE summaries SET (selected_epoch, sst, para, sts, overall) ="
        " (SELECT epoch, sst, para, sts, overall FROM evaluations WHERE run = ? AND epoch = ?) WHERE run = ?",
        (key, epoch, key),
    )


def update(database: Database, key: int, **columns: Any) -> None:
    """Store columns of a run's summary."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    database.execute(f"UPDATE summaries SET {assignments} WHERE run = ?", (*columns.values(), key))


def begin_anew(database: Database, key: int) -> None:
    """Forget how far a run is and what it scored, until its next attempt tells."""
    update(database, key, **dict.fromkeys(_NOT_YET))
