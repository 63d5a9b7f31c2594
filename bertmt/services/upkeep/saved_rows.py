"""Rows of a damaged registry, judged one by one and stored in a new one.

Damaged bytes may still look like a row: what no `bertmt` writes is left behind, and the run comes from its folder.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bertmt.errors import BertmtError, NotFoundError, RegistryError, UsageError
from bertmt.recipe.loading import from_json
from bertmt.registry import metrics
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database, sqlite3
from bertmt.registry.runs import STAGED, move, run_by_key
from bertmt.registry.salvage import DamagedRegistry, Row
from bertmt.registry.states import Owner, State
from bertmt.run_folder.event_files import attempts
from bertmt.run_folder.events import is_time, now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.services.ingest.import_run import is_run_id, replay
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.names import check_tag
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.task import SPLITS, TASKS

SUMMARY_TEXTS = ("phase", "last_event_at", "started", "finished")
# What the row of a run says, whatever its folder tells, unless the folder knows a later attempt.
CONDUCT = ("state", "attempt", "device", "started_at", "ended_at", "failure", "saves_memory")


class SavedRows:
    """Brings what can be read of one registry into another."""

    def __init__(self, damaged: DamagedRegistry, new: Database):
        self.damaged = damaged
        self.new = new
        self._columns = [row[1] for row in new.execute("PRAGMA table_info(runs)")]
        self._series = {row["key"]: row["name"] for row in damaged.rows("series") if isinstance(row["name"], str)}
        self._snapshots = {row["key"]: row for row in damaged.rows("snapshots") if _is_snapshot(row)}
        self._ids: dict[int, str] = {}  # by the keys of the damaged registry
        self._stored: set[int] = set()
        self.not_believed: list[str] = []
        self._moves: dict[Any, list[Row]] = {}
        for row in damaged.rows("moves"):
            if _is_move(row):
                self._moves.setdefault(row["run"], []).append(row)

    def store(self) -> dict[str, str]:
        """Store every run that can be read, with what belongs to it; where each was saved from, by its id."""
        sources: dict[str, str] = {}
        for row in self.damaged.rows("runs"):
            if row["id"] in sources or str(row["id"]).startswith(STAGED):  # an import that was killed
                continue
            if is_run_id(row["id"]) and _is_count(row["key"]):
                self._ids[row["key"]] = row["id"]
            try:
                if not is_run(row):
                    raise ValueError(f"no run: {row['id']!r}")
                with self.new.immediate():
                    sources[row["id"]] = self._store_run(row)
                    self._stored.add(row["key"])
            except RegistryError:  # the new registry's trouble, not the row's
                raise
            except (BertmtError, sqlite3.IntegrityError, OSError, ValueError):
                # What it says contradicts itself or its folder: then the folder alone is imported.
                self.not_believed.append(row["id"] if is_run_id(row["id"]) else "?")
        with self.new.immediate():
            for row in self.damaged.of("settings"):
                if isinstance(row["name"], str) and isinstance(row["value"], str):
                    self.new.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (row["name"], row["value"]))
        return sources

    def _store_run(self, row: Row) -> str:
        key = row["key"]
        values = {name: row[name] for name in self._columns if name in row}
        values |= {"worker": None, "request": None, "snapshot": self._snapshot(row), "removed_at": None}
        values |= {"synced_at": None, "events_attempt": 0, "events_offset": 0, "state": State.LOST}
        marks = ", ".join("?" * len(values))
        self.new.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
        self.new.execute("INSERT INTO summaries (run) VALUES (?)", (key,))
        order = self._order(key)
        if order is None:
            self._store_measured(key)
            state = State.LOST if row["state"] == State.RUNNING else row["state"]
            self._restore(row, {"state": state})
        else:
            knows_more = self._replay(row, order)
            self._restore(row, {} if knows_more else {name: row.get(name) for name in CONDUCT if name in row})
        self._store_history(row, order is not None)
        for tag in self.damaged.of("tags", "run = ?", key):
            if _is_tag(tag["tag"]):
                self.new.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (key, tag["tag"]))
        self.new.execute("UPDATE runs SET removed_at = ? WHERE key = ?", (row.get("removed_at"), key))
        return "registry and folder" if order is not None else "registry"

    def _order(self, key: int) -> RunOrder | None:
        """What the run's folder says, where that can be read."""
        try:
            order = RunFolder(folder_of(self.new, run_by_key(self.new, key)).path).read_order()
        except NotFoundError:
            return None
        return order if type(order.attempt) is int and isinstance(order.device, str) else None

    def _replay(self, row: Row, order: RunOrder) -> bool:
        """Import what the folder tells; whether it knows more than the row does."""
        run = run_by_key(self.new, row["key"])
        newest = max(attempts(folder_of(self.new, run).path), default=0)
        replay(self.new, run, order)
        return row["state"] == State.RUNNING or newest > row["attempt"]

    def _restore(self, row: Row, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.new.execute(f"UPDATE runs SET {name} = ? WHERE key = ?", (value, row["key"]))

    def _store_history(self, row: Row, has_folder: bool) -> None:
        """The moves that can be read, in place of those of the import, and that the registry was repaired."""
        key = row["key"]
        run = run_by_key(self.new, key)
        known = self._moves.get(key, [])
        columns = ("at", "attempt", "state_before", "state_after", "owner", "reason")
        sql = "INSERT INTO moves (run, at, attempt, state_before, state_after, owner, reason) VALUES (?,?,?,?,?,?,?)"
        if known:
            self.new.execute("DELETE FROM moves WHERE run = ?", (key,))
            self.new.executemany(sql, [(key, *(move[name] for name in columns)) for move in known])
        before = known[-1]["state_after"] if known else None
        told = "the registry was repaired; " + ("measured values from the folder" if has_folder else "it has no folder")
        self.new.execute(sql, (key, now(), run.attempt, before, run.state, "import", told))

    def _snapshot(self, row: Row) -> int:
        found = self._snapshots.get(row["snapshot"])
        columns = (found["code_digest"], found["source"], found["environment"]) if found else ("unknown", "{}", "{}")
        self.new.execute("INSERT OR IGNORE INTO snapshots (code_digest, source, environment) VALUES (?,?,?)", columns)
        key: int = self.new.execute(
            "SELECT key FROM snapshots WHERE code_digest = ? AND source = ? AND environment = ?", columns
        ).fetchone()[0]
        return key

    def store_dependencies(self) -> None:
        """Once all runs are there, from rows and folders; what waits for a run that is lost is held.

        Raises:
            BertmtError: the new registry cannot be written.
        """
        with self.new.immediate():
            key_of = dict(self.new.execute("SELECT id, key FROM runs").fetchall())
            for key in sorted(self._stored):
                for row in self.damaged.of("dependencies", "run = ?", key):
                    awaited = key_of.get(self._ids.get(row["awaited"], ""))
                    if awaited is not None and row["needs_success"] in (0, 1):
                        columns = (key, awaited, row["needs_success"])
                        self.new.execute("INSERT OR IGNORE INTO dependencies VALUES (?, ?, ?)", columns)
                    else:
                        self._hold(key)

    def _hold(self, key: int) -> None:
        state = self.new.execute("SELECT state FROM runs WHERE key = ? AND removed_at IS NULL", (key,)).fetchone()
        if state == (State.QUEUED,):
            move(self.new, key, State.HELD, Owner.IMPORT, "the run that it waits for was lost with the registry")

    def _store_measured(self, key: int) -> None:
        """What was imported of a run whose folder is gone."""
        for number, name in self._series.items():
            points = [
                (name, row["step"], row["value"])
                for row in self.damaged.of("metrics", "run = ? AND series = ?", key, number)
                if _is_count(row["step"]) and _is_number(row["value"])
            ]
            if points:
                metrics.append(self.new, key, points)
        self._copy("evaluations", key, lambda row: all(_is_number(value) for value in row.values()))
        self._copy("predictions", key, _is_prediction)
        for row in self.damaged.of("predictions", "run = ?", key):
            self._store_split(row["fingerprint"])
        for row in self.damaged.of("summaries", "run = ?", key):
            texts = all(isinstance(row.get(name), str | None) for name in SUMMARY_TEXTS)
            numbers = all(_is_number(value) for name, value in row.items() if name not in SUMMARY_TEXTS)
            if texts and numbers and _is_json(row["started"] or "{}") and _is_json(row["finished"] or "{}"):
                self.new.execute("DELETE FROM summaries WHERE run = ?", (key,))
                self._insert("summaries", row)

    def _copy(self, table: str, key: int, holds: Callable[[Row], bool]) -> None:
        for row in self.damaged.of(table, "run = ?", key):
            if holds(row):
                self._insert(table, row)

    def _insert(self, table: str, row: Row) -> None:
        marks = ", ".join("?" * len(row))
        self.new.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))

    def _store_split(self, mark: Any) -> None:
        """The examples of a fingerprint, if all are there as they were."""
        for split in self.damaged.of("splits", "fingerprint = ?", mark):
            rows = list(self.damaged.of("examples", "split = ? ORDER BY position", split["key"]))
            # The table holds labels as floats; the fingerprint was taken of classes, which are none.
            for kind in (float, int):
                examples = [Example(row["id"], row["first"], row["second"], _label(row["label"], kind)) for row in rows]
                if fingerprint(examples) == mark and split["task"] in TASKS and split["name"] in SPLITS:
                    stored_predictions.store_split(self.new, mark, split["task"], split["name"], examples)


def is_run(row: Row) -> bool:
    """Whether a row is one that a `bertmt` wrote."""
    texts = ("name", "recipe", "digest", "data", "extra_data_file", "fingerprints", "note")
    optional = ("preset", "from_preset", "device", "failure")
    if not (is_run_id(row.get("id")) and row.get("state") in set(State) and _is_count(row.get("key"))):
        return False
    if not all(isinstance(row.get(name), str) for name in texts):
        return False
    if not all(isinstance(row.get(name), str | None) for name in optional):
        return False
    times = all(is_time(row[name]) for name in ("started_at", "ended_at", "removed_at") if row.get(name) is not None)
    counts = all(_is_count(row.get(name)) for name in ("attempt", "snapshot")) and isinstance(row.get("seed"), int)
    if not _are_conditions(row):
        return False
    if not (times and counts and is_time(row.get("submitted_at")) and isinstance(row.get("position"), float)):
        return False
    try:
        from_json(row["recipe"])
        marks = [json.loads(row.get(name, "{}")) for name in ("fingerprints", "encoder_fingerprints")]
        return all(isinstance(each, dict) for each in marks)
    except (BertmtError, TypeError, ValueError, RecursionError):
        return False


def _are_conditions(row: Row) -> bool:
    """Whether it says when and where to start a run as a bertmt does; an older one says nothing."""
    numbers = {name: row.get(name) for name in ("priority", "recoveries", "saves_memory")}
    return (
        all(value is None or (isinstance(value, int) and abs(value) < 1 << 31) for value in numbers.values())
        and row.get("wants") in (None, "", "cpu", "gpu")
        and isinstance(row.get("checkpoint_dir"), str | None)
        and (row.get("not_before_at") is None or is_time(row["not_before_at"]))
    )


def _is_move(row: Row) -> bool:
    states = row.get("state_before") in {None, *State} and row.get("state_after") in set(State)
    texts = all(isinstance(row.get(name), str) for name in ("owner", "reason"))
    return states and texts and is_time(row.get("at")) and _is_count(row.get("attempt"))


def _is_snapshot(row: Row) -> bool:
    return isinstance(row.get("code_digest"), str) and _is_json(row.get("source")) and _is_json(row.get("environment"))


def _is_prediction(row: Row) -> bool:
    texts = all(isinstance(row.get(name), str) for name in ("task", "split", "fingerprint"))
    content, columns = row.get("probabilities"), row.get("columns")
    whole = isinstance(content, bytes) and columns in (1, 5) and not len(content) % (4 * columns)
    return texts and whole and _is_count(row.get("epoch"))


def _is_tag(text: Any) -> bool:
    try:
        check_tag(text)
    except (UsageError, TypeError):
        return False
    return True


def _label(value: Any, kind: type[float] | type[int]) -> float | None:
    return kind(value) if isinstance(value, float) and abs(value) < 1e9 else None


def _is_json(text: Any) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (TypeError, ValueError, RecursionError):
        return False


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)
