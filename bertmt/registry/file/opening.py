"""Opening the registry: one way to connect, for every process."""

import os
import time
from functools import partial
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, DamagedRegistryError, NotFoundError, RegistryError, reason_of
from bertmt.registry.database import (
    BUSY_TIMEOUT_SECONDS,
    GOES_BACK,
    SCHEMA_VERSION,
    UNREADABLE,
    Database,
    log_of,
    registry_error,
    sqlite3,
)
from bertmt.registry.file.file_systems import refuse_network_file_system


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
            beside = "; there are run folders beside it: `bertmt repair` rebuilds it from them and the newest backup"
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
    without_locks = read_only and not _is_writable(path) and not log_of(path).exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' * without_locks}" if read_only else path
    try:
        connection = sqlite3.connect(address, timeout=busy_seconds, isolation_level=None, uri=read_only)
        reopen = partial(open_registry, path, read_only=True, busy_seconds=busy_seconds) if without_locks else None
        database = Database(path, connection, read_only, reopen)
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
        if path.stat().st_size or log_of(path).exists():
            return False
        time.sleep(pause)
    return True


def _has_run_folders(path: Path) -> bool:
    try:
        return bool(paths.run_folders(path))
    except OSError:  # nobody can say; whoever needs them gets the reason
        return False


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _bring_up_to_date(database: Database, version: int) -> None:
    if database.read_only:
        what = f"has schema {version} and is read-only" if version else "is not a bertmt registry, and is read-only"
        raise RegistryError(
            f"{database.path} {what}, so it cannot be brought to schema {SCHEMA_VERSION}: run `bertmt runs` once "
            "where it can be written, or on a copy, or name another with --db."
        )
    # sqlite-utils costs 0.1–0.4 s to import, so it is loaded only where there is something to migrate.
    from bertmt.registry.migrations import migrate  # noqa: PLC0415

    database.execute("PRAGMA journal_mode = WAL")
    if version:
        _back_up_first(database)
    with database.immediate():
        migrate(database.path, database.connection, SCHEMA_VERSION)


def _back_up_first(database: Database) -> None:
    """Keep what is brought up to date as it was; where that cannot be, a person is told.

    Raises:
        DamagedRegistryError: it is damaged, and stays as it is.
    """
    from bertmt.registry.file.backups import keep_backup  # noqa: PLC0415 - needed as rarely

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
