"""A registry that may be damaged: what is wrong with it, and what it still says of its runs."""

import contextlib
from pathlib import Path
from typing import Any

from bertmt.errors import RegistryError
from bertmt.registry.database import SCHEMA_VERSION, UNREADABLE, sqlite3, tables_of
from bertmt.registry.file.health import faults
from bertmt.registry.runs import STAGED

TABLES = frozenset({"runs", "summaries", "metrics", "settings"})
HISTORY = frozenset({"transitions", "moves"})  # one of them: the second is its name before schema 6
# A schema of this number is a damaged header, not a newer version.
IMPLAUSIBLE_VERSION = 1000

# What reading any row of a damaged file raises; a name of a column that is no UTF-8 is a ValueError.
UNREADABLE_ROWS = (*UNREADABLE, OverflowError, ValueError)


class Row(dict[str, Any]):
    """A row by the names of its columns; one that its table lacks is None."""

    def __missing__(self, name: str) -> None:
        return None


def problems_of(copy: Path, original: Path) -> list[str]:
    """What SQLite finds wrong with a copy of a registry; empty where it is whole.

    Raises:
        RegistryError: it is another program's, or of a newer version of this one.
    """
    with _opened(copy) as connection:
        try:
            tables = set(tables_of(connection).table_names())
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        except UNREADABLE_ROWS as problem:
            return [str(problem)]
        if tables and not tables & TABLES:
            raise RegistryError(f"{original} is an SQLite file, but not a bertmt registry; name another with --db.")
        if SCHEMA_VERSION < version < IMPLAUSIBLE_VERSION:
            raise RegistryError(
                f"{original} was written by a newer bertmt (schema {version}, this one knows {SCHEMA_VERSION}): "
                "upgrade with `pip install -U bertmt`, then repair it."
            )
        if not 0 < version < IMPLAUSIBLE_VERSION:
            return ["it does not say which version it is of"]
        try:
            said = faults(connection)
        except UNREADABLE_ROWS as problem:
            return [" ".join(str(problem).split())]
    missing = sorted(TABLES - tables) + ["transitions"] * tables.isdisjoint(HISTORY)
    return said + [f"no table {name}" for name in missing]


def readable_runs(copy: Path) -> tuple[list[Row], bool]:
    """The rows of runs as far as they can be read from both ends, and whether all could.

    Each has its "tags" too, under "awaits" the keys of what it awaits, under "definitions" what its tasks are, None for
    built-in ones, and under "sources" the digests of all own code that was submitted. What damaged bytes say need not
    be true: it serves to name what is lost, and whoever stores any of it checks it.
    """
    with _opened(copy) as connection:
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        found: dict[Any, Row] = {}
        is_whole = _read_runs(connection, found, "ASC")
        if not is_whole:
            _read_runs(connection, found, "DESC")
        tags, has_tags = _of_runs(connection, "SELECT run, tag FROM tags")
        awaited, has_awaited = _of_runs(connection, "SELECT run, awaited FROM dependencies")
        sets, _ = _of_runs(connection, "SELECT key, definitions FROM task_sets")
        sources, _ = _of_runs(connection, "SELECT digest, file FROM sources")
    for key, row in found.items():
        row |= {"tags": tags.get(key, set()), "awaits": awaited.get(key, set()), "sources": set(sources)}
        row["definitions"] = next(iter(sets.get(row.get("task_set"), ())), None)
    shown = [row for row in found.values() if not str(row["id"]).startswith(STAGED)]
    return shown, is_whole and has_tags and has_awaited


def _read_runs(connection: Any, found: dict[Any, Row], order: str) -> bool:
    try:
        cursor = connection.execute(f"SELECT rowid, * FROM runs NOT INDEXED ORDER BY rowid {order}")
        names = [each[0] for each in cursor.description][1:]
        for key, *values in cursor:
            found.setdefault(key, Row(zip(names, values, strict=True)))
    except UNREADABLE_ROWS:
        return False
    return True


def _of_runs(connection: Any, sql: str) -> tuple[dict[Any, set[Any]], bool]:
    """By the keys of runs, the other column of a table, as far as it can be read; and whether all of it could."""
    found: dict[Any, set[Any]] = {}
    try:
        for run, value in connection.execute(sql):
            found.setdefault(run, set()).add(value)
    except UNREADABLE_ROWS:
        return found, False
    return found, True


def _opened(copy: Path) -> "contextlib.closing[Any]":
    return contextlib.closing(sqlite3.connect(copy, isolation_level=None))
