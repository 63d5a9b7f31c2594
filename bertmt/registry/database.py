"""Opening the registry: one way to connect, for every process.

SQLite 3.7.0–3.51.2 can lose or corrupt commits when several processes write one WAL (the "WAL-reset" race,
sqlite.org/changes.html, 3.51.3), so pysqlite3's newer library is used where it is installed. All processes must
use the same library on one file, hence this single place.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertmt.errors import NotFoundError, RegistryError
from bertmt.registry.file_systems import refuse_network_file_system

try:
    from pysqlite3 import dbapi2 as sqlite3
except ImportError:
    import sqlite3

SCHEMA_VERSION = 2
BUSY_TIMEOUT_SECONDS = 30.0
SAFE_SQLITE = (3, 51, 3)


class Database:
    """An open registry: a connection in autocommit mode, whose writes go through `immediate()`.

    Attributes:
        path: the file; run folders stand beside it.
    """

    def __init__(self, path: Path, connection: Any):
        self.path = path
        self.connection = connection

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """One statement; see sqlite3."""
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self.connection.executemany(sql, rows)

    @contextmanager
    def immediate(self) -> Iterator["Database"]:
        """A write transaction that takes its lock at once.

        A deferred one that reads before it writes fails with "locked" when another writer came in between, and
        no busy timeout helps. Nested use joins the transaction that is open.

        Raises:
            RegistryError: the lock did not come free, the disk is full, or the file is read-only.
        """
        if self.connection.in_transaction:
            yield self
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as problem:
            raise registry_error(self.path, problem) from problem

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_registry(path: Path, create: bool = False) -> Database:
    """Open the registry, bringing an older schema up to date.

    Args:
        create: make it where it is missing; reading commands never do.

    Raises:
        NotFoundError: there is none, and `create` is false.
        RegistryError: it is locked, damaged, newer than this program, no registry, or on a network file system.
    """
    if not path.exists():
        if not create:
            raise NotFoundError(
                f"No registry at {path}; `bertmt queue --preset baseline` makes one, --db names another."
            )
        refuse_network_file_system(path.parent)
        _make_private(path)
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        database = Database(path, connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RegistryError(
                f"{path} was written by a newer bertmt (schema {version}, this one knows {SCHEMA_VERSION}): "
                "upgrade with `pip install -U bertmt`, or name another registry with --db."
            )
        if version < SCHEMA_VERSION:
            # sqlite-utils costs 0.1–0.4 s to import, so it is loaded only where there is something to migrate.
            from bertmt.registry.migrations import migrate  # noqa: PLC0415

            connection.execute("PRAGMA journal_mode = WAL")
            migrate(database)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as problem:
        raise registry_error(path, problem) from problem
    return database


def _make_private(path: Path) -> None:
    """Create an empty registry that only its user can read: sentences in it may be private."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as problem:
        raise RegistryError(
            f"The registry {path} cannot be made: {problem.strerror}; name another with --db."
        ) from None


def registry_error(path: Path, problem: Exception) -> RegistryError:
    """SQLite's error as a sentence with the next step."""
    text = str(problem)
    if "locked" in text or "busy" in text:
        advice = "another process holds it; try again, or see `bertmt doctor`"
    elif "malformed" in text or "not a database" in text:
        advice = "it is damaged or no registry; move it aside, the run folders keep what the runs wrote"
    elif "readonly" in text or "unable to open" in text:
        advice = "check its permissions and those of its folder, or name another with --db"
    elif "full" in text:
        advice = "free some space and try again; nothing was written"
    else:
        advice = "see `bertmt doctor`"
    return RegistryError(f"The registry {path} cannot be used ({text}): {advice}.")


@contextmanager
def sqlite_errors_as_sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite raises while reading into a RegistryError; used once, at the edge of each front end."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise registry_error(path, problem) from problem
