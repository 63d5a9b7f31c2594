"""What can still be read of a damaged registry: table by table, row by row, past every page that cannot be read.

Works on a copy, since SQLite writes into what it opens. Where the pages are damaged that say what lies where, they are
taken from a new registry, which has the same where its schema was made in one go: the rows that come out must be judged
before they are believed.
"""

import contextlib
import shutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import IO, Any

from bertmt.registry.database import Database, open_registry, sqlite3

HEADER_BYTES, PAGE_BYTES = 100, 4096  # sqlite.org/fileformat2.html, 1.3
INTERIOR_PAGE = 5  # 1.6: of a table; its cells begin with the number of a page
# How many rows are asked for one by one behind the last that can be read in a row.
MOST_PROBES = 100_000
TABLES = frozenset({"runs", "summaries", "metrics", "moves", "settings"})
# What reading damaged bytes raises; a name of a column that is no UTF-8 is a ValueError.
UNREADABLE = (sqlite3.DatabaseError, OverflowError, ValueError)


class Row(dict[str, Any]):
    """A row by the names of its columns; one that its table lacks is None."""

    def __missing__(self, name: str) -> None:
        return None


class Mend(Enum):
    """What of a copy is replaced by that of a new registry."""

    NOTHING = "nothing"
    HEADER = "header"
    SCHEMA = "the pages of the schema"


class DamagedRegistry:
    """A copy of a damaged registry in a folder of its own, open for reading."""

    def __init__(self, original: Path, content: IO[bytes] | None, folder: Path, pattern: Path):
        """Copy and open it.

        Args:
            content: the registry, open; None where there is none. It is not opened here: a process that closes any file
                gives up its locks on it (POSIX, fcntl).
            folder: an empty one, in which the copy is made.
            pattern: a new registry.
        """
        self.copy = folder / "copy.db"
        self._content = content
        self._connection: Any = None
        with contextlib.closing(sqlite3.connect(pattern)) as new:
            self._known = {table: {row[1] for row in new.execute(f"PRAGMA table_info({table})")} for table in TABLES}
        self._open(original, pattern, Mend.NOTHING)
        self.original_tables = self.tables()
        usable = {Mend.NOTHING: self._usable()}
        for mend in (Mend.HEADER, Mend.SCHEMA):
            if max(usable.values()) < len(TABLES):
                self._open(original, pattern, mend)
                usable[mend] = self._usable()
        best = max(usable, key=lambda mend: usable[mend])  # of equal ones the first, which changes least
        self.is_as_it_was = best is Mend.NOTHING
        self._open(original, pattern, best)

    def _open(self, original: Path, pattern: Path, mend: "Mend") -> None:
        self.close()
        log, log_of_copy = (path.with_name(f"{path.name}-wal") for path in (original, self.copy))
        for each in (self.copy, log_of_copy):
            each.unlink(missing_ok=True)
        if self._content is not None:
            self._content.seek(0)
            with self.copy.open("xb") as target:
                shutil.copyfileobj(self._content, target, 1 << 20)
        if log.exists():
            shutil.copyfile(log, log_of_copy, follow_symlinks=False)
        for each in (self.copy, log_of_copy):
            if each.exists():
                each.chmod(0o600)
        if mend is not Mend.NOTHING and self.copy.exists():
            _mend(self.copy, pattern, mend)
        self._connection = sqlite3.connect(self.copy, isolation_level=None)
        self._connection.text_factory = lambda content: content.decode("utf-8", "replace")
        with contextlib.suppress(*UNREADABLE):
            self._connection.execute("PRAGMA writable_schema = ON")  # reads on where a table's definition is damaged

    def _usable(self) -> int:
        """How many tables of a registry it has whose definition can be understood."""
        found = 0
        for table in TABLES:
            with contextlib.suppress(*UNREADABLE):
                columns = {each[0] for each in self._connection.execute(f"SELECT * FROM {table} LIMIT 0").description}
                found += columns <= self._known[table]
        return found

    def tables(self) -> set[str]:
        """The names of the tables that it says it has."""
        try:
            return {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except UNREADABLE:
            return set()

    def version(self) -> int:
        """The schema's number; 0 where it cannot be read."""
        try:
            found: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
            return found
        except UNREADABLE:
            return 0

    def problems(self) -> list[str]:
        """What SQLite finds wrong; empty where it is a whole registry."""
        try:
            said = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
            said += [
                f"rows of {row[0]} that refer to none" for row in self._connection.execute("PRAGMA foreign_key_check")
            ]
        except UNREADABLE as problem:
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
                found.setdefault(number, Row(zip(names, values, strict=True)))
        except UNREADABLE:
            return False
        return True

    def of(self, table: str, condition: str = "1", *parameters: Any) -> Iterator[Row]:
        """The rows of any table that satisfy a condition, up to the first that cannot be read."""
        with contextlib.suppress(*UNREADABLE):
            cursor = self._connection.execute(f"SELECT * FROM {table} WHERE {condition}", parameters)
            names = [each[0] for each in cursor.description]
            for values in cursor:
                yield Row(zip(names, values, strict=True))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _mend(copy: Path, pattern: Path, mend: Mend) -> None:
    """Put pages of a new registry in the place of a copy's, with the copy's own number of pages."""
    content = pattern.read_bytes()
    first = bytearray(content[:PAGE_BYTES])
    first[28:32] = (copy.stat().st_size // PAGE_BYTES).to_bytes(4, "big")
    first[92:96] = first[24:28]  # so that the number of pages is believed
    first[32:40] = bytes(8)  # free pages: none are known
    with copy.open("r+b") as file:
        file.write(first if mend is Mend.SCHEMA else first[:HEADER_BYTES])
        for number in _schema_pages(content) if mend is Mend.SCHEMA else ():
            file.seek((number - 1) * PAGE_BYTES)
            file.write(content[(number - 1) * PAGE_BYTES : number * PAGE_BYTES])


def _schema_pages(content: bytes) -> list[int]:
    """The pages below the first one, which is the root of the table of all tables."""
    if content[HEADER_BYTES] != INTERIOR_PAGE:
        return []
    cells = int.from_bytes(content[HEADER_BYTES + 3 : HEADER_BYTES + 5], "big")
    starts = HEADER_BYTES + 12
    places = [int.from_bytes(content[starts + 2 * each : starts + 2 * each + 2], "big") for each in range(cells)]
    return [int.from_bytes(content[place : place + 4], "big") for place in (*places, HEADER_BYTES + 8)]


@contextlib.contextmanager
def damaged_registry(original: Path, content: IO[bytes] | None, pattern: Database) -> Iterator[DamagedRegistry]:
    """A damaged registry as far as it can be read, for as long as that is needed.

    Args:
        content: the registry, open; None where there is none.
        pattern: a new registry, in whose folder the copy is made.
    """
    folder = pattern.path.with_name(f"{pattern.path.name}-copy")
    folder.mkdir(mode=0o700)
    try:
        with open_registry(folder / "new.db", create=True) as new:
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        damaged = DamagedRegistry(original, content, folder, folder / "new.db")
        try:
            yield damaged
        finally:
            damaged.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
