"""What can still be read of a damaged registry: table by table, row by row, past every page that cannot be read.

Works on a copy, since SQLite writes into what it opens. Where the first page is damaged, which says what lies where,
its header or all of it is taken from a new registry: the rows that come out must be judged before they are believed.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertmt.registry.database import Database, open_registry, sqlite3

Row = dict[str, Any]
HEADER_BYTES = 100  # sqlite.org/fileformat2.html, 1.3
# How many rows are asked for one by one behind the last that can be read in a row.
MOST_PROBES = 100_000
TABLES = frozenset({"runs", "summaries", "metrics", "moves", "settings"})


class DamagedRegistry:
    """A copy of a damaged registry in a folder of its own, open for reading."""

    def __init__(self, original: Path, folder: Path, pattern: Path):
        """Copy and open it.

        Args:
            folder: an empty one, in which the copy is made.
            pattern: a new registry.
        """
        self._copy = folder / "copy.db"
        self._connection: Any = None
        self.is_as_it_was = False  # without a first page of another
        for mended_bytes in (None, HEADER_BYTES, 4096):
            self._open(original, pattern, mended_bytes)
            if self.tables():
                self.is_as_it_was = mended_bytes is None
                return

    def _open(self, original: Path, pattern: Path, mended_bytes: int | None) -> None:
        self.close()
        for ending in ("", "-wal"):
            source = original.with_name(original.name + ending)
            target = self._copy.with_name(self._copy.name + ending)
            target.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, target, follow_symlinks=False)
                target.chmod(0o600)
        if mended_bytes and self._copy.exists():
            _mend(self._copy, pattern, mended_bytes)
        self._connection = sqlite3.connect(self._copy, isolation_level=None)
        self._connection.text_factory = lambda content: content.decode("utf-8", "replace")
        with contextlib.suppress(sqlite3.DatabaseError):
            self._connection.execute("PRAGMA writable_schema = ON")  # reads on where a table's definition is damaged

    def tables(self) -> set[str]:
        """The names of the tables that it says it has."""
        try:
            return {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError:
            return set()

    def version(self) -> int:
        """The schema's number; 0 where it cannot be read."""
        try:
            found: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
            return found
        except sqlite3.DatabaseError:
            return 0

    def problems(self) -> list[str]:
        """What SQLite finds wrong; empty where it is a whole registry."""
        try:
            said = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
            said += [
                f"rows of {row[0]} that refer to none" for row in self._connection.execute("PRAGMA foreign_key_check")
            ]
        except sqlite3.DatabaseError as problem:
            return [str(problem)]
        missing = sorted(TABLES - self.tables())
        return said + [f"no table {name}" for name in missing]

    def rows(self, table: str) -> list[Row]:
        """The readable rows of a table whose rows have numbers, ascending."""
        found: dict[int, Row] = {}
        for order in ("ASC", "DESC"):
            if self._collect(found, f"SELECT rowid, * FROM {table} NOT INDEXED ORDER BY rowid {order}"):
                return [found[number] for number in sorted(found)]
        numbers = sorted(found)
        gaps = [(low, high) for low, high in zip([0, *numbers], [*numbers, (numbers or [0])[-1] + 1000], strict=True)]
        low, high = max(gaps, key=lambda gap: gap[1] - gap[0])
        for number in range(low + 1, min(high, low + MOST_PROBES)):
            self._collect(found, f"SELECT rowid, * FROM {table} NOT INDEXED WHERE rowid = {number}")
        return [found[number] for number in sorted(found)]

    def _collect(self, found: dict[int, Row], sql: str) -> bool:
        """Gather rows by their number until one cannot be read; whether all could."""
        try:
            cursor = self._connection.execute(sql)
            names = [each[0] for each in cursor.description][1:]
            for number, *values in cursor:
                found.setdefault(number, dict(zip(names, values, strict=True)))
        except (sqlite3.DatabaseError, OverflowError):
            return False
        return True

    def of(self, table: str, condition: str = "1", *parameters: Any) -> Iterator[Row]:
        """The rows of any table that satisfy a condition, up to the first that cannot be read."""
        with contextlib.suppress(sqlite3.DatabaseError, OverflowError):
            cursor = self._connection.execute(f"SELECT * FROM {table} WHERE {condition}", parameters)
            names = [each[0] for each in cursor.description]
            for values in cursor:
                yield dict(zip(names, values, strict=True))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _mend(copy: Path, pattern: Path, count: int) -> None:
    """Put the first bytes of a new registry in the place of a copy's, with the copy's own number of pages."""
    first = bytearray(pattern.read_bytes()[:4096])
    page_size = int.from_bytes(first[16:18], "big")
    pages = copy.stat().st_size // page_size
    first[28:32] = pages.to_bytes(4, "big")
    first[92:96] = first[24:28]  # so that the number of pages is believed
    first[32:40] = bytes(8)  # free pages: none are known
    with copy.open("r+b") as file:
        file.write(first[:count])
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def damaged_registry(original: Path, pattern: Database) -> Iterator[DamagedRegistry]:
    """A damaged registry as far as it can be read, for as long as that is needed.

    Args:
        pattern: a new registry, in whose folder the copy is made.
    """
    folder = pattern.path.with_name(f"{pattern.path.name}-copy")
    folder.mkdir(mode=0o700)
    try:
        with open_registry(folder / "new.db", create=True) as new:
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        damaged = DamagedRegistry(original, folder, folder / "new.db")
        try:
            yield damaged
        finally:
            damaged.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
