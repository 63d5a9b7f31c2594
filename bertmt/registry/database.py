"""Opening the registry: one way to connect, for every process.

SQLite 3.7.0–3.51.2 can lose or corrupt commits when several processes write one WAL (the "WAL-reset" race,
sqlite.org/changes.html, 3.51.3), so pysqlite3's newer library is used where it is installed. All processes must
use the same library on one file, hence this single place.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, DamagedRegistryError, MovedRegistryError, NotFoundError, RegistryError, reason_of
from bertmt.registry.file_systems import refuse_network_file_system
from bertmt.registry.identity import NOBODY_MAY_LOOK, file_identity

try:
    from pysqlite3 import dbapi2 as sqlite3
except ImportError:
    import sqlite3

SCHEMA_VERSION = 5
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
    """

    def __init__(self, path: Path, connection: Any, read_only: bool = False, without_locks: bool = False):
        self.path = path
        self.connection = connection
        self.read_only = read_only
        self.notice = ""
        self.identity = file_identity(path)
        # When it was last written, where it is read without locks; else None.
        self._written = _written(path) if without_locks else None

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
            MovedRegistryError: the file is no longer at its path.
            RegistryError: the lock did not come free, the disk is full, or the file is read-only.
        """
        if self.connection.in_transaction:
            yield self
            return
        if self.read_only:
            raise RegistryError(
                f"The registry {self.path} is read-only, so nothing can be changed in it: make it and its folder "
                "writable, or name another with --db."
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
            what = "is no longer at its place" if there is None else "is another file now"
            raise MovedRegistryError(
                f"The registry {self.path} {what}: what has it open must end; name where it is now with --db."
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
        """Open anew what is read without locks and was written since, and say whether that was so.

        Raises:
            NotFoundError, RegistryError: as `open_registry`.
        """
        if self._written is None or self._written == _written(self.path):
            return False
        busy_milliseconds = self.execute("PRAGMA busy_timeout").fetchone()[0]
        anew = open_registry(self.path, read_only=True, busy_seconds=busy_milliseconds / 1000)
        self.connection.close()
        self.connection, self._written = anew.connection, anew._written
        return True

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_registry(
    path: Path, create: bool = False, read_only: bool | None = None, busy_seconds: float = BUSY_TIMEOUT_SECONDS
) -> Database:
    """Open the registry, bringing an older schema up to date.

    Args:
        create: make it where it is missing; reading commands never do.
        read_only: write nothing, not even a newer schema; None: where the file or its folder cannot be written.
        busy_seconds: how long to wait for another process's lock.

    Raises:
        NotFoundError: there is none, and `create` is false.
        RegistryError: it is locked, damaged, newer than this program, no registry, or on a network file system; or
            it is older than this program and read-only.
    """
    if not _is_there(path):
        if not create:
            beside = "; there are run folders beside it: `bertmt repair` makes one of the newest backup and of them"
            makes = "; `bertmt queue --preset baseline` makes one, --db names another"
            raise NotFoundError(f"No registry at {path}{beside if _has_run_folders(path) else makes}.")
        refuse_network_file_system(path.parent)
        _make_private(path)
    elif _stays_empty(path) and _has_run_folders(path):
        # A new one in its place would let the folders look like litter.
        raise DamagedRegistryError(f"The registry {path} is empty, and run folders lie beside it: {GOES_BACK}.")
    if read_only is None:
        read_only = not _is_writable(path)
    # Beside a file in WAL mode SQLite makes two more, or cannot read it. Who may not write must not leave them there,
    # where they would lock the owner out; as long as no writer has made them, the file stands still.
    without_locks = read_only and not _is_writable(path) and not _log_of(path).exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' * without_locks}" if read_only else path
    try:
        connection = sqlite3.connect(address, timeout=busy_seconds, isolation_level=None, uri=read_only)
        database = Database(path, connection, read_only, without_locks)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RegistryError(
                f"{path} was written by a newer bertmt (schema {version}, this one knows {SCHEMA_VERSION}): "
                "upgrade with `pip install -U bertmt`, or name another registry with --db."
            )
        if version < SCHEMA_VERSION:
            _bring_up_to_date(database, version)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except UNREADABLE as problem:
        raise registry_error(path, problem) from problem
    return database


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as problem:  # a folder above that may not be entered, a name that is too long
        raise RegistryError(
            f"The registry {path} cannot be reached ({reason_of(problem)}): name another with --db."
        ) from None


def _stays_empty(path: Path) -> bool:
    """Whether nothing is in it, also after a moment: it may just be made by another process."""
    for pause in (0.1, 0.2, 0):
        if path.stat().st_size or _log_of(path).exists():
            return False
        time.sleep(pause)
    return True


def _has_run_folders(path: Path) -> bool:
    return any(paths.runs_folder(path).glob("*/run.json"))


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _written(path: Path) -> tuple[int, bool]:
    try:
        return path.stat().st_mtime_ns, _log_of(path).exists()
    except OSError:
        return 0, False


def _bring_up_to_date(database: Database, version: int) -> None:
    if database.read_only:
        what = f"has schema {version} and is read-only" if version else "is no bertmt registry, and is read-only"
        raise RegistryError(
            f"{database.path} {what}, so it cannot be brought to schema {SCHEMA_VERSION}: run `bertmt runs` once "
            "where it can be written, or on a copy, or name another with --db."
        )
    # sqlite-utils costs 0.1–0.4 s to import, so it is loaded only where there is something to migrate.
    from bertmt.registry.migrations import migrate  # noqa: PLC0415

    database.execute("PRAGMA journal_mode = WAL")
    if version:
        _back_up_first(database)
    migrate(database)


def _back_up_first(database: Database) -> None:
    """Keep what is brought up to date as it was; where that cannot be, a person is told.

    Raises:
        DamagedRegistryError: it is damaged, and stays as it is.
    """
    from bertmt.registry.backups import keep_backup  # noqa: PLC0415 - which needs this module

    try:
        keep_backup(database)
    except DamagedRegistryError:
        raise
    except BertmtError as problem:
        database.notice = f"{problem} The registry is brought up to date without one."


def _make_private(path: Path) -> None:
    """Create an empty registry that only its user can read: sentences in it may be private."""
    stranger = next((part for part in path.parts if part.startswith("~") and part != "~"), None)
    if stranger and not path.parent.is_dir():  # what the shell and `paths` left as it stands
        raise RegistryError(
            f"The registry {path} cannot be made: {stranger!r} is nobody's home folder here; name another with --db."
        )
    try:
        atomic_files.make_folder(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except (OSError, ValueError) as problem:
        raise RegistryError(
            f"The registry {path} cannot be made: {reason_of(problem)}; name another with --db."
        ) from None


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
            f"The registry {path} cannot be used ({text}): it is damaged or no registry; {GOES_BACK}."
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
