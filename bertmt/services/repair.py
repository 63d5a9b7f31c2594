"""A registry that is damaged or lost: what its file still tells, and what the run folders tell, in a new one.

What children measured comes from the run folders, where it was written first. What people typed (names, notes, tags,
order, removal, settings) is in the registry alone, and comes from its file as far as rows can still be read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any

from bertmt import paths
from bertmt.errors import BertmtError, BusyError, NotFoundError, RegistryError
from bertmt.recipe.loading import from_json, matching_preset, to_json
from bertmt.registry import metrics
from bertmt.registry.database import Database, integrity_problem, open_registry, sqlite3
from bertmt.registry.records import Snapshot
from bertmt.registry.runs import NewRun, add_runs, all_runs, move
from bertmt.registry.states import Owner, State
from bertmt.registry.workers import running_workers
from bertmt.run_folder.layout import RunFolder, is_alive
from bertmt.services.import_run import import_folders

# What people typed about a run, and what orders the queue.
TYPED: dict[str, type | tuple[type, ...]] = {
    "name": str, "note": str, "position": (int, float), "priority": int, "not_before_at": (str, NoneType), "wants": str,
    "removed_at": (str, NoneType), "from_preset": (str, NoneType), "submitted_at": str,
}  # fmt: skip
COMPANIONS = ("", "-wal", "-shm", "-journal")


@dataclass
class Repaired:
    """What came of it.

    Attributes:
        aside: where the damaged file is now; None where there was none.
        from_folders: ids of the runs whose measurements came from their folders.
        from_file: ids of the runs that are only in the file: queued ones, and those whose folder is gone.
        typed: ids of the runs whose notes, tags and order came from the file.
        lost: what could not be saved, a sentence each.
    """

    aside: Path | None = None
    from_folders: list[str] = field(default_factory=list)
    from_file: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def repair(registry: Path) -> Repaired:
    """Make a new registry in the place of a damaged or lost one, which is moved aside, never deleted.

    Raises:
        BusyError: it is not damaged, or something still works with it.
        NotFoundError: there is neither a registry nor a run folder.
        RegistryError: the new one cannot be made.
    """
    folders = _run_folders(registry)
    if not registry.exists() and not folders:
        raise NotFoundError(f"There is neither a registry {registry} nor a run folder beside it: name one with --db.")
    _refuse_busy(registry, folders)
    found = Repaired(aside=_move_aside(registry))
    with open_registry(registry, create=True) as database:
        for folder, result in zip(folders, import_folders(database, folders), strict=True):
            if isinstance(result, BertmtError):
                found.lost.append(f"{folder.name}: {result}")
            else:
                found.from_folders.append(result.id)
        if found.aside is not None:
            _take_from_file(database, found.aside, found)
        problem = integrity_problem(database.connection)
        if problem is not None:
            raise RegistryError(f"The new registry {registry} is damaged too ({problem}): is its disk failing?")
    return found


def _run_folders(registry: Path) -> list[Path]:
    root = paths.runs_folder(registry)
    return sorted(path for path in root.iterdir() if RunFolder(path).order.is_file()) if root.is_dir() else []


def _refuse_busy(registry: Path, folders: Sequence[Path]) -> None:
    alive = [folder.name for folder in folders if is_alive(RunFolder(folder))]
    if alive:
        raise BusyError(f"Run {alive[0]} is being worked: stop it or let it end, then type `bertmt repair` again.")
    if not registry.exists():
        return
    try:
        with open_registry(registry, read_only=False, busy_seconds=2) as database:
            if integrity_problem(database.connection) is None:
                raise BusyError(f"The registry {registry} is not damaged: there is nothing to repair.")
            workers = running_workers(database)
    except RegistryError as problem:
        if any(word in str(problem) for word in ("newer bertmt", "locked", "network", "permission")):
            raise
        return
    except sqlite3.DatabaseError:
        return
    if workers:
        raise BusyError(f"Worker {workers[0].key} is alive: `bertmt workers --stop {workers[0].key}` first.")


def _move_aside(registry: Path) -> Path | None:
    if not registry.exists():
        return None
    aside = registry.with_name(f"{registry.stem}-damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{registry.suffix}")
    try:
        # SQLite looks for a log of the new name, in which the newest commits may be.
        for ending in COMPANIONS:
            companion = registry.with_name(registry.name + ending)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + ending))
    except OSError as problem:
        raise RegistryError(f"{registry} cannot be moved aside: {problem.strerror}; check its folder.") from None
    return aside


def _take_from_file(database: Database, aside: Path, found: Repaired) -> None:
    """What people typed, and the runs that have no folder."""
    try:
        with DamagedFile(aside) as old:
            rows = [row for row in old.rows("runs") if isinstance(row["id"], str)]
            with database.immediate():
                keys = {run.id: run.key for run in all_runs(database)}
                for row in rows:
                    if row["id"] in keys:
                        _take_typed(database, keys[row["id"]], row)
                        found.typed.append(row["id"])
                    elif _take_whole(database, old, row, found):
                        keys[row["id"]] = all_runs(database, "runs.id = ?", (row["id"],))[0].key
                _take_the_rest(database, old, {row["key"]: keys[row["id"]] for row in rows if row["id"] in keys})
            found.lost += old.unreadable
    except sqlite3.DatabaseError as problem:
        found.lost.append(f"{aside.name} cannot be read ({problem}): notes, tags and the queue's order are lost.")


def _take_typed(database: Database, key: int, row: Mapping[str, Any]) -> None:
    """Notes, order and so on of a run that came from its folder; what is not of its column's type is left."""
    kept = {name: row[name] for name, kind in TYPED.items() if name in row and isinstance(row[name], kind)}
    assignments = ", ".join(f"{name} = ?" for name in kept)
    if kept:
        database.execute(f"UPDATE runs SET {assignments} WHERE key = ?", (*kept.values(), key))


def _take_whole(database: Database, old: "DamagedFile", row: Mapping[str, Any], found: Repaired) -> bool:
    """A run that has no folder: one that waits, or whose folder is gone; with what was measured, if it can be read."""
    try:
        recipe = from_json(row["recipe"])
        new = NewRun(
            name=row["name"], preset=matching_preset(recipe), from_preset=None, recipe_json=to_json(recipe),
            digest=recipe.digest(), seed=recipe.seed, data=row["data"], extra_data_file=row["extra_data_file"],
            fingerprints=json.loads(row["fingerprints"]), state=State.HELD, run_id=row["id"],
        )  # fmt: skip
        add_runs(database, [new], Snapshot("unknown", {"version": "unknown"}, {}))
    except (BertmtError, ValueError, TypeError, KeyError) as problem:
        found.lost.append(f"{row['id']}: {problem}")
        return False
    key = all_runs(database, "runs.id = ?", (row["id"],))[0].key
    _take_typed(database, key, row)
    found.from_file.append(row["id"])
    state = State(row["state"]) if row["state"] in set(State) else State.LOST
    if state in (State.HELD, State.QUEUED, State.CANCELLED):
        if state is not State.HELD:
            move(database, key, state, Owner.PERSON, "as it was in the damaged registry")
        return True
    move(database, key, State.QUEUED, Owner.PERSON, "from the damaged registry")
    move(database, key, State.RUNNING, Owner.CLAIM, "from the damaged registry", attempt=max(1, _whole(row["attempt"])))
    if state is State.FINISHED and _take_measured(database, old, row["key"], key):
        move(database, key, State.FINISHED, Owner.EVENT, "from the damaged registry; its folder is gone")
    else:
        move(database, key, State.LOST, Owner.DEATH, "from the damaged registry; its folder is gone")
    return True


def _take_measured(database: Database, old: "DamagedFile", old_key: int, key: int) -> bool:
    """Points, scores and predictions of a run whose folder is gone; False where its scores cannot be read."""
    summaries = list(old.rows("summaries", "run = ?", (old_key,)))
    evaluated = list(old.rows("evaluations", "run = ?", (old_key,)))
    if not summaries or not evaluated:
        return False
    names = {row["key"]: row["name"] for row in old.rows("series")}
    points = [
        (names[row["series"]], row["step"], row["value"])
        for row in old.rows("metrics", "run = ?", (old_key,))
        if row["series"] in names
    ]
    metrics.append(database, key, points)
    _copy(database, "evaluations", evaluated, key)
    _copy(database, "predictions", old.rows("predictions", "run = ?", (old_key,)), key)
    summary = {name: value for name, value in summaries[0].items() if name != "run"}
    assignments = ", ".join(f"{name} = ?" for name in summary)
    database.execute(f"UPDATE summaries SET {assignments} WHERE run = ?", (*summary.values(), key))
    return True


def _copy(database: Database, table: str, rows: Iterable[Mapping[str, Any]], key: int) -> None:
    for row in rows:
        columns = {**row, "run": key}
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        database.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))


def _take_the_rest(database: Database, old: "DamagedFile", keys: Mapping[Any, int]) -> None:
    """Tags, dependencies, settings, and the examples that predictions are about."""
    for row in old.rows("tags"):
        if row["run"] in keys and isinstance(row["tag"], str):
            database.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (keys[row["run"]], row["tag"]))
    for row in old.rows("dependencies"):
        if row["run"] in keys and row["awaited"] in keys:
            pair = (keys[row["run"]], keys[row["awaited"]], int(bool(row["needs_success"])))
            database.execute("INSERT OR IGNORE INTO dependencies VALUES (?, ?, ?)", pair)
    for row in old.rows("settings"):
        if isinstance(row["name"], str) and isinstance(row["value"], str):
            database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (row["name"], row["value"]))
    known = {mark for (mark,) in database.execute("SELECT fingerprint FROM splits")}
    for split in [row for row in old.rows("splits") if row["fingerprint"] not in known]:
        columns = ("fingerprint", "task", "name", "count")
        new = database.execute(
            "INSERT INTO splits (fingerprint, task, name, count) VALUES (?, ?, ?, ?)",
            [split[name] for name in columns],
        ).lastrowid
        for row in old.rows("examples", "split = ?", (split["key"],)):
            values = (new, row["position"], row["id"], row["first"], row["second"], row["label"])
            database.execute("INSERT OR IGNORE INTO examples VALUES (?, ?, ?, ?, ?, ?)", values)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


class DamagedFile:
    """What can be read of a damaged registry.

    Attributes:
        unreadable: a sentence for each table of which rows are missing.
    """

    def __init__(self, path: Path):
        self.unreadable: list[str] = []
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.text_factory = lambda content: content.decode("utf-8", "replace")

    def __enter__(self) -> "DamagedFile":
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def rows(self, table: str, where: str = "1", parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows as far as they can be read: from the front to the damage, then from the back to it."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for direction in ("ASC", "DESC"):
            try:
                order = f"ORDER BY {self._key(table)} {direction}"
                cursor = self._connection.execute(f"SELECT * FROM {table} WHERE {where} {order}", parameters)
                names = [column[0] for column in cursor.description]
                for row in cursor:
                    found.setdefault(tuple(map(repr, row)), dict(zip(names, row, strict=True)))
                return list(found.values())
            except sqlite3.DatabaseError as problem:
                said = f"Rows of {table} cannot be read: {problem}."
                if said not in self.unreadable:
                    self.unreadable.append(said)
        return list(found.values())

    def _key(self, table: str) -> str:
        """The columns that a table is clustered by, so that its pages are read one after the other."""
        columns = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
        primary = sorted((column[5], column[1]) for column in columns if column[5])
        return ", ".join(name for _, name in primary) or "rowid"
