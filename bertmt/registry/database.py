"""An open registry: its connection, its transactions, and what SQLite raises as a sentence.

SQLite 3.7.0–3.51.2 can lose or corrupt commits when several processes write one WAL (the "WAL-reset" race,
sqlite.org/changes.html, 3.51.3), so pysqlite3's newer library is used where it is installed. All processes must
use the same library on one file, hence this single place.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertmt.errors import DamagedRegistryError, MovedRegistryError, RegistryError
from bertmt.registry.file.identity import NOBODY_MAY_LOOK, file_identity

if TYPE_CHECKING:
    import sqlite3 as sqlite3  # pysqlite3 is the same module with a newer library, and has no types

    from sqlite_utils import Database as SqliteUtilsDatabase
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

SCHEMA_VERSION = 14
BUSY_TIMEOUT_SECONDS = 30.0
SAFE_SQLITE = (3, 51, 3)
# The second where SQLite's own words quote bytes of a damaged file.
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
LONGEST_SHOWN = 200  # characters of SQLite's own words in a sentence
# What to do about a damaged one, at the end of a sentence.
GOES_BACK = (
    "`bertmt repair` goes back to the newest good backup, adds what the run folders tell, and keeps the damaged file"
)


class Database:
    """An open registry: a connection in autocommit mode, whose writes go through `immediate()`.

    Attributes:
        path: the file; run folders stand beside it.
        read_only: nothing can be written, and what children wrote cannot be imported.
        identity: which file it is, whatever its name; a copy is another.
        notice: what a person should know of its opening, a sentence; mostly empty.

    Args:
        reopen: opens it once more, where it is read without locks and so sees nothing that is written meanwhile.
    """

    def __init__(
        self,
        path: Path,
        connection: Any,
        read_only: bool = False,
        reopen: "Callable[[], Database] | None" = None,
    ):
        self.path = path
        self.connection = connection
        self.read_only = read_only
        self.notice = ""
        self.identity = file_identity(path)
        # When it was last written, where it is read without locks; else None.
        self._written = _written(path) if reopen else None
        self._reopen = reopen

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """One statement; see sqlite3.

        Bare, not through sqlite-utils: its import takes 0.1–0.4 s, which `bertmt queue` and `runs` would pay at every
        start, and brings pandas where there is one; its own transactions take their lock at the first write, see
        `immediate`. For what is rare there is `tables_of`.
        """
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self.connection.executemany(sql, rows)

    @contextmanager
    def immediate(self) -> Iterator["Database"]:
        """A write transaction that takes its lock at once.

        A deferred one that reads before it writes fails with "locked" when another writer came in between, and
        no busy timeout helps. Nested use joins the transaction that is open.

        Raises:
            MovedRegistryError: the file is no longer at its path.
            RegistryError: the lock did not come free, the disk is full, or the file is read-only.
        """
        if self.connection.in_transaction:
            yield self
            return
        if self.read_only:
            raise RegistryError(
                f"The registry {self.path} is read-only, so nothing can be changed: make it and its folder writable, "
                "or name another with --db."
            )
        self.check_place()
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

    def check_place(self) -> None:
        """Return while the path leads to the file that was opened: run folders are looked for beside the path.

        SQLite would go on writing a file that was moved, and who finds no run folder would take runs for dead.

        Raises:
            MovedRegistryError: it leads to another, or to none.
        """
        there = file_identity(self.path)
        if there not in (self.identity, NOBODY_MAY_LOOK):
            what = "has been moved or deleted" if there is None else "is now a different file"
            raise MovedRegistryError(
                f"The registry {self.path} {what}: close whatever has it open, and name its new place with --db."
            )

    @contextmanager
    def durable(self) -> Iterator["Database"]:
        """As `immediate`, and on disk when it ends, with all that was written before."""
        if self.connection.in_transaction:  # whose end decides how durable it is
            yield self
            return
        self.execute("PRAGMA synchronous = FULL")
        try:
            with self.immediate():
                yield self
        finally:
            self.execute("PRAGMA synchronous = NORMAL")

    def reopen_if_written(self) -> bool:
        """Reopen a registry that is read without locks and has been written since; whether that was so.

        Raises:
            NotFoundError, RegistryError: as `open_registry`.
        """
        if self._reopen is None or self._written == _written(self.path):
            return False
        again = self._reopen()
        self.connection.close()
        self.connection, self._written = again.connection, again._written
        return True

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def tables_of(connection: Any) -> "SqliteUtilsDatabase":
    """The tables of a connection by name, through sqlite-utils: for what is rare and goes by whatever columns exist.

    Write within `Database.immediate`: where a transaction is open sqlite-utils joins it with a savepoint and commits
    nothing. Outside, each call would be a separate transaction, which takes its lock late.
    """
    from sqlite_utils import Database as SqliteUtilsDatabase  # noqa: PLC0415 - 0.1–0.4 s, and brings pandas

    # The connection stays as it was opened: with recursive triggers REPLACE does something else, and plugins are
    # anybody's code.
    return SqliteUtilsDatabase(connection, recursive_triggers=False, execute_plugins=False)


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _written(path: Path) -> tuple[int, bool]:
    try:
        return path.stat().st_mtime_ns, log_of(path).exists()
    except OSError:
        return 0, False


def registry_error(path: Path, problem: Exception) -> RegistryError:
    """SQLite's error as a sentence with the next step."""
    text = " ".join(str(problem).split())  # it may quote what the file holds
    text = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    if path.is_dir():
        advice = "it is a folder; name a file with --db"
    elif "locked" in text or "busy" in text:
        advice = "another process holds it; try again, or see `bertmt doctor`"
    elif "malformed" in text or "not a database" in text or "decode" in text:
        return DamagedRegistryError(
            f"The registry {path} cannot be used ({text}): it is damaged or not a registry; {GOES_BACK}."
        )
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
    except UNREADABLE as problem:
        raise registry_error(path, problem) from problem
