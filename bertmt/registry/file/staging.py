"""Runs that are being brought in from another registry: rows that nobody sees until all of them are there.

Their run has the name of the folder that the import works in, which no run can have as its id, and counts as removed.
They are stored in batches, so that nobody waits long for the registry, and at last given their id in one transaction. A
process that was killed before leaves rows that nobody sees, until the next import or `bertmt gc` deletes them.
"""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bertmt import paths
from bertmt.errors import DataError
from bertmt.registry import metrics
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database, tables_of
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import IS_STAGED, NewRun, add_imported, forget, remove, run_by_key
from bertmt.run_folder.layout import RunFolder, is_alive

ROWS = 20_000  # of a batch, some 50 ms
BLOBS = 10
# Between two batches, so that one who waits for the registry, and looks every 0.1 s, gets it.
PAUSE_SECONDS = 0.02
# What a run has of the registry that it is in.
_OWN = ("key", "id", "position", "snapshot", "task_set", "worker", "removed_at", "budget")


def stage(database: Database, staged_id: str, run: NewRun, snapshot: Snapshot, submitted_at: str) -> int:
    """Make room for a run that nobody sees; its key."""
    with database.immediate():
        key = add_imported(database, staged_id, run, snapshot, submitted_at, "being imported").key
        remove(database, key)
        return key


def copy_rows(database: Database, key: int, source: Database, run: Run) -> None:
    """Store what another registry has measured of a run with one that nobody sees, in many transactions."""
    here, there = tables_of(database.connection), tables_of(source.connection)
    for points in _points(source, run.key):
        with database.immediate():
            metrics.append(database, key, points)
        time.sleep(PAUSE_SECONDS)
    for table, size in (("evaluations", ROWS), ("scores", ROWS), ("attempts", ROWS), ("predictions", BLOBS)):
        found = there.table(table).rows_where("run = ?", [run.key])
        while rows := list(islice(found, size)):
            with database.immediate():
                here.table(table).insert_all({**row, "run": key} for row in rows)
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
    here, there = tables_of(database.connection), tables_of(source.connection)
    told = there.table("runs").get(run.key)
    kept = {name: value for name, value in told.items() if name not in _OWN}
    here.table("runs").update(key, {**kept, "id": run.id, "removed_at": None})
    here.table("summaries").update(key, {**there.table("summaries").get(run.key), "run": key})
    here.table("transitions").delete_where("run = ?", [key])
    history = there.table("transitions").rows_where("run = ?", [run.key], order_by="key")
    here.table("transitions").insert_all({**row, "key": None, "run": key} for row in history)
    return run_by_key(database, key)


def forget_staged(database: Database, key: int) -> None:
    """Delete a run that nobody sees, in batches too; nothing if it is visible by now, or gone."""
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
