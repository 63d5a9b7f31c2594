"""The series of a run: (run, series, step) → value, clustered, with integer keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertmt.registry.database import Database
from bertmt.tasks.task import PARTIAL

Point = tuple[str, int, float | None]


def series_keys(database: Database, names: Sequence[str]) -> dict[str, int]:
    """The keys of series by name, new ones added; inside a write transaction."""
    wanted = list(dict.fromkeys(names))
    database.executemany("INSERT OR IGNORE INTO series (name) VALUES (?)", [(name,) for name in wanted])
    rows = database.execute("SELECT name, key FROM series")
    known = dict(rows.fetchall())
    return {name: known[name] for name in wanted}


def append(database: Database, run: int, points: Sequence[Point]) -> None:
    """Store points of a run; a step that is there already is replaced. Inside a write transaction."""
    keys = series_keys(database, [name for name, _, _ in points])
    rows = ((run, keys[name], step, value) for name, step, value in points)
    # Bare: sqlite-utils' insert_all stores less than half as many rows a second (264,000 against 636,000, in batches of
    # 1,000), and every point of every run comes this way.
    database.executemany("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?)", rows)


def go_back(database: Database, run: int, steps: int, evaluated_epoch: int, evaluated_step: int) -> None:
    """Forget what was measured after so many steps and that evaluation: the run goes on from there.

    Inside a write transaction. A step is numbered by the steps before it, so the first `steps` have numbers below.

    Args:
        evaluated_epoch, evaluated_step: of the last evaluation that is kept; −1: none.
    """
    database.execute(
        "DELETE FROM metrics WHERE run = ?1 AND step >= ?2"
        " AND series IN (SELECT key FROM series WHERE name NOT LIKE 'dev/%' AND name NOT LIKE 'dev_loss/%')",
        (run, steps),
    )
    database.execute(
        "DELETE FROM metrics WHERE run = ?1 AND step > ?2"
        " AND series IN (SELECT key FROM series WHERE name LIKE 'dev/%' OR name LIKE 'dev_loss/%')",
        (run, evaluated_step),
    )
    for table in ("evaluations", "scores", "predictions"):
        database.execute(f"DELETE FROM {table} WHERE run = ? AND epoch > ?", (run, evaluated_epoch))
    # Partial ones hold no step: they may be of one that is gone, and the next ones come soon.
    database.execute("DELETE FROM predictions WHERE run = ? AND split = ?", (run, PARTIAL))


def series_names(database: Database, run: int) -> list[str]:
    """The series that a run has points of, by name; a seek per series, not a scan of the points."""
    rows = database.execute(
        "SELECT name FROM series"
        " WHERE EXISTS (SELECT 1 FROM metrics WHERE run = ? AND series = series.key) ORDER BY name",
        (run,),
    )
    return [name for (name,) in rows]


def read(
    database: Database, run: int, names: Sequence[str] = (), after: Mapping[str, int] | None = None
) -> dict[str, list[tuple[int, float | None]]]:
    """Points (step, value) of the named series (all, where none is named), steps ascending.

    Args:
        after: per series, the last step that the caller has; only later ones are read.
    """
    found: dict[str, list[tuple[int, float | None]]] = {}
    for name in names or series_names(database, run):
        rows: Any = database.execute(
            "SELECT step, value FROM metrics WHERE run = ? AND series = (SELECT key FROM series WHERE name = ?)"
            " AND step > ? ORDER BY step",
            (run, name, (after or {}).get(name, -1)),
        )
        found[name] = rows.fetchall()
    return found


def last_values(database: Database, run: int) -> dict[str, float | None]:
    """The newest value of each series of a run."""
    rows = database.execute(
        "SELECT series.name,"
        " (SELECT value FROM metrics WHERE run = ? AND series = series.key ORDER BY step DESC LIMIT 1)"
        " FROM series WHERE EXISTS (SELECT 1 FROM metrics WHERE run = ? AND series = series.key)",
        (run, run),
    )
    return dict(rows.fetchall())


def window_means(database: Database, run: int, names: Sequence[str], window: int, most: int) -> dict[str, list[float]]:
    """The means of the named series over each so many steps, the first ones first; windows that are not over yet, or
    without a number, are left out.

    Args:
        most: of a longer run the first window and the newest so many.
    """
    found: dict[str, list[float]] = {}
    for name in names:
        last, key = database.execute(
            "SELECT max(step), series FROM metrics WHERE run = ? AND series = (SELECT key FROM series WHERE name = ?)",
            (run, name),
        ).fetchone()
        whole = 0 if last is None else (last + 1) // window
        rows: Any = database.execute(
            "SELECT avg(value) FROM metrics WHERE run = ?1 AND series = ?2"
            " AND step < ?3 * ?4 AND (step < ?4 OR step >= (?3 - ?5) * ?4)"
            " GROUP BY step / ?4 HAVING avg(value) IS NOT NULL ORDER BY step / ?4",
            (run, key, whole, window, most),
        )
        found[name] = [mean for (mean,) in rows]
    return found
