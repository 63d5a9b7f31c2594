"""A copy of the registry, made while others write it: consistent, checked, private, and whole or not there at all."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, DamagedRegistryError, UsageError, reason_of
from bertmt.registry.database import Database, sqlite3
from bertmt.run_folder.sizes import size_bytes

# Between two portions Ctrl-C is heard: 16 MiB of a registry's pages of 4 KiB.
PORTION_PAGES = 4096
# What SQLite puts beside a file that is in use; a copy put in place between them would be read together with them.
LONGEST_SHOWN = 200  # characters of what SQLite says
COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Backup:
    """A copy that was made.

    Attributes:
        runs: how many runs it holds.
        folders: run folders beside the registry, which are not in it, and `folders_bytes`, their size.
    """

    path: Path
    size_bytes: int
    runs: int
    folders: int
    folders_bytes: int


def time_stamp() -> str:
    """The time in UTC as a part of a file name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def back_up(database: Database, target: Path | None = None, replace: bool = False) -> Backup:
    """Copy the registry.

    Args:
        target: by default `runs-<UTC>.db` beside it.
        replace: a file may be there already.

    Raises:
        UsageError: something is there, and it is not to be replaced or must not be.
        RegistryError: the registry is damaged; there is no copy then.
        BertmtError: the copy cannot be written.
    """
    source = database.path
    named = target or source.with_name(f"{source.stem}-{time_stamp()}{source.suffix}")
    path = paths.expanded(named).absolute()
    beside = atomic_files.name_beside(path)
    try:
        _check_target(source, path, replace)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        _copy(database, beside)
        runs = _checked_runs(source, beside)
        atomic_files.sync_file(beside)
        beside.replace(path)
        atomic_files.sync_folder(path.parent)
    except (OSError, ValueError) as problem:
        raise BertmtError(f"{path} cannot be written ({reason_of(problem)}): name another file.") from None
    finally:
        with suppress(OSError, ValueError):
            beside.unlink(missing_ok=True)
    folders = [each for each in _folders(source) if (each / "run.json").is_file()]
    return Backup(path, path.stat().st_size, runs, len(folders), sum(map(size_bytes, folders)))


def _check_target(source: Path, path: Path, replace: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file.")
    if path.exists() and path.samefile(source):
        raise UsageError(f"{path} is the registry itself: name another file.")
    if path.exists() and not replace:
        raise UsageError(f"{path} is there already: name another file, or add --force to replace it.")
    for ending in COMPANIONS:
        if path.with_name(path.name + ending).exists():
            raise UsageError(f"{path} is in use ({path.name}{ending} lies beside it): name another file.")


def _copy(database: Database, beside: Path) -> None:
    """All pages of one moment: a transaction that only reads keeps that moment, and no writer waits for it."""
    copy = sqlite3.connect(beside, isolation_level=None)
    try:
        # Whole or not at all, so no journal is needed; what is on disk is seen to at the end.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        try:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            database.connection.backup(copy, pages=PORTION_PAGES)
        finally:
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as problem:
        if "full" in str(problem):
            raise BertmtError(f"The copy has no room in {beside.parent}: free some, or name another file.") from None
        raise
    finally:
        copy.close()


def _checked_runs(source: Path, beside: Path) -> int:
    """How many runs the copy holds.

    Raises:
        RegistryError: it is damaged, and so is the registry.
    """
    # Immutable: SQLite leaves nothing beside it.
    copy = sqlite3.connect(f"{beside.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        try:
            said = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
        except sqlite3.DatabaseError as problem:
            said = [str(problem)]
        if said != ["ok"]:
            shown = " ".join("; ".join(said).split())[:LONGEST_SHOWN]
            raise DamagedRegistryError(
                f"The registry {source} is damaged ({shown}), so no copy was made: `bertmt repair` saves "
                "what can be saved."
            )
        runs: int = copy.execute("SELECT count(*) FROM runs WHERE removed_at IS NULL").fetchone()[0]
        return runs
    finally:
        copy.close()


def _folders(registry: Path) -> list[Path]:
    folder = paths.runs_folder(registry)
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
