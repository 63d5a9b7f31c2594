"""Runs that are being brought in from another registry: rows that nobody sees until all of them are there.

Their run has the name of the folder that the import works in, which no run can have as its id, and counts as removed.
They are stored in batches, so that nobody waits long for the registry, and at last given their id in one transaction. A
process that was killed before leaves rows that nobody sees, until the next import or `bertmt gc` deletes them.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.errors import DataError
from bertmt.registry import metrics
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import IS_STAGED, NewRun, add_imported, forget, remove, run_by_key
from bertmt.run_folder.layout import RunFolder, is_alive

ROWS = 20_000  # of a batch, some 50 ms
BLOBS = 10
# Between two batches, so that one who waits for the registry, and looks every 0.1 s, gets it.
PAUSE_SECONDS = 0.02
# What a run has of the registry that it is in.
_OWN = ("key", "id", "position", "snapshot", "task_set", "worker", "removed_at")
_MOVE = "at, attempt, state_before, state_after, owner, reason"


def stage(database: Database, staged_id: str, run: NewRun, snapshot: Snapshot, submitted_at: str) -> int:
    """Make room for a run that nobody sees; its key."""
    with database.immediate():
        key = add_imported(database, staged_id, run, snapshot, submitted_at, "being imported").key
        remove(database, key)
        return key


def copy_rows(database: Database, key: int, source: Database, run: Run) -> None:
    """Store what another registry has measured of a run with one that nobody sees, in many transactions."""
    for points in _points(source, run.key):
        with database.immediate():
            metrics.append(database, key, points)
        time.sleep(PAUSE_SECONDS)
    for table, size in (("evaluations", ROWS), ("scores", ROWS), ("predictions", BLOBS)):
        cursor = source.execute(f"SELECT * FROM {table} WHERE run = ?", (run.key,))
        while rows := cursor.fetchmany(size):
            with database.immediate():
                marks = ", ".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", [(key, *row[1:]) for row in rows])
            time.sleep(PAUSE_SECONDS)
    for mark, task, name in source.execute("SELECT fingerprint, task, name FROM splits").fetchall():
        if not stored_predictions.has_split(database, mark):
            examples = stored_predictions.examples(source, mark)
            with database.immediate():
                stored_predictions.store_split(database, mark, task, name, examples)


def _points(source: Database, run: int) -> Iterator[list[metrics.Point]]:
    last = (-1, -1)
    while rows := source.execute(
        "SELECT series, step, name, value FROM metrics JOIN series ON series.key = series"
        " WHERE run = ? AND (series, step) > (?, ?) ORDER BY series, step LIMIT ?",
        (run, *last, ROWS),
    ).fetchall():
        yield [(name, step, value) for _, step, name, value in rows]
        last = rows[-1][:2]


def publish(database: Database, key: int, source: Database, run: Run) -> Run:
    """Give the run its id, and the rest of what the other registry says of it; inside a write transaction."""
    columns = [row[1] for row in source.execute("PRAGMA table_info(runs)") if row[1] not in _OWN]
    values = source.execute(f"SELECT {', '.join(columns)} FROM runs WHERE key = ?", (run.key,)).fetchone()
    _update(database, "runs", "key", key, dict(zip(columns, values, strict=True)) | {"id": run.id, "removed_at": None})
    columns = [row[1] for row in source.execute("PRAGMA table_info(summaries)") if row[1] != "run"]
    values = source.execute(f"SELECT {', '.join(columns)} FROM summaries WHERE run = ?", (run.key,)).fetchone()
    _update(database, "summaries", "run", key, dict(zip(columns, values, strict=True)))
    database.execute("DELETE FROM moves WHERE run = ?", (key,))
    moves = source.execute(f"SELECT {_MOVE} FROM moves WHERE run = ? ORDER BY key", (run.key,)).fetchall()
    database.executemany(
        f"INSERT INTO moves (run, {_MOVE}) VALUES (?, ?, ?, ?, ?, ?, ?)", [(key, *row) for row in moves]
    )
    return run_by_key(database, key)


def _update(database: Database, table: str, column: str, key: int, values: dict[str, Any]) -> None:
    assignments = ", ".join(f"{name} = ?" for name in values)
    database.execute(f"UPDATE {table} SET {assignments} WHERE {column} = ?", (*values.values(), key))


def forget_staged(database: Database, key: int) -> None:
    """Delete a run that nobody sees, in batches too; nothing where it is seen meanwhile, or gone."""
    while True:
        with database.immediate():
            if not database.execute(f"SELECT 1 FROM runs WHERE key = ? AND {IS_STAGED}", (key,)).fetchone():
                return
            steps = database.execute(
                "SELECT series, step FROM metrics WHERE run = ? ORDER BY series, step LIMIT 1 OFFSET ?", (key, ROWS)
            ).fetchone()
            if steps is None:
                forget(database, key)
                return
            database.execute("DELETE FROM metrics WHERE run = ? AND (series, step) < (?, ?)", (key, *steps))
        time.sleep(PAUSE_SECONDS)


def forget_abandoned(database: Database) -> None:
    """Delete what imports that were killed have left in the registry: nobody holds the lock of their folder."""
    rows = database.execute(f"SELECT key, id FROM runs WHERE {IS_STAGED}").fetchall()
    for key, staged_id in rows:
        if not is_held(paths.run_folder(database.path, staged_id)):
            forget_staged(database, key)


def is_held(folder: Path) -> bool:
    """Whether an import works in a folder; one whose lock is no lock may be anybody's."""
    try:
        return is_alive(RunFolder(folder))
    except DataError:
        return True
