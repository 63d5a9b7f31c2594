"""Copies of the registry by SQLite's own backup API, and the last three of them, kept beside it without being asked.

A copy is of one moment, also while others write, is checked before it gets its name, and is there whole or not at all.
"""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, DamagedRegistryError, reason_of
from bertmt.registry.database import GOES_BACK, LONGEST_SHOWN, UNREADABLE, Database, registry_error, sqlite3
from bertmt.registry.file.health import FINE, pages

KEPT = 3
# Between two portions Ctrl-C is heard: 16 MiB of a registry's pages of 4 KiB.
PORTION_PAGES = 4096
FIRST_COMPARED = 6  # the first schema with these tables; an older registry is about to be brought up to date


@dataclass(frozen=True)
class Kept:
    """A backup that was made by itself.

    Attributes:
        number: later ones have higher ones, whatever the clock said.
    """

    path: Path
    number: int

    @property
    def age_seconds(self) -> float:
        """How long ago it was made, by the clock that people set: negative where that was put back."""
        return time.time() - self.path.stat().st_mtime

    @property
    def made_at(self) -> str:
        """When it was made, for people."""
        return f"{datetime.fromtimestamp(self.path.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC"


def time_stamp() -> str:
    """The time in UTC as a part of a file name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def kept_backups(registry: Path) -> list[Kept]:
    """Those there are, the newest last."""
    names = re.compile(rf"{re.escape(registry.stem)}-(\d+)-\d{{8}}T\d{{6}}Z{re.escape(registry.suffix)}")
    found = [(names.fullmatch(path.name), path) for path in _entries(paths.backups_folder(registry))]
    return sorted((Kept(path, int(name[1])) for name, path in found if name), key=lambda each: each.number)


def keep_backup(database: Database, least_seconds: float = 0.0) -> Path | None:
    """Make a backup, and let go of all but the last three; where it is, or None where none was needed.

    None is needed where nothing was changed since the last one, or that is younger than `least_seconds`.

    Raises:
        DamagedRegistryError: the registry is damaged; no backup was made, and those there are stay.
        BertmtError: the disk has no room, or something else failed.
    """
    if database.read_only:
        return None
    database.check_place()
    try:
        folder = paths.backups_folder(database.path)
        folder.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
        with _held(folder):
            return _keep(database, folder, least_seconds)
    except OSError as problem:
        raise BertmtError(f"No backup of the registry was made ({reason_of(problem)}: {problem.filename}).") from None
    except UNREADABLE as problem:
        raise registry_error(database.path, problem) from problem


def _keep(database: Database, folder: Path, least_seconds: float) -> Path | None:
    kept = kept_backups(database.path)
    if kept and (0 <= kept[-1].age_seconds < least_seconds or _mark_of_copy(kept[-1].path) == _mark(database)):
        return None
    for path in leftovers(database.path):  # nobody else is writing here
        path.unlink(missing_ok=True)
    _check_room(database, folder)
    number = kept[-1].number + 1 if kept else 1
    path = folder / f"{database.path.stem}-{number:06}-{time_stamp()}{database.path.suffix}"
    write_copy(database, path)
    for old in kept[: 1 - KEPT]:
        old.path.unlink(missing_ok=True)
    return path


def leftovers(registry: Path) -> list[Path]:
    """Halves of backups: of one that is being made, or of processes that were killed."""
    halves = re.compile(rf"\.{re.escape(registry.stem)}-\d+-\w+{re.escape(registry.suffix)}\.[0-9a-f]{{12}}")
    return [path for path in _entries(paths.backups_folder(registry)) if halves.fullmatch(path.name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """One process at a time makes backups here; the second finds that of the first."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _mark(connection: Any) -> tuple[Any, ...] | None:
    """What is another after any change of a run or a setting, and no other where workers merely say that they live."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < FIRST_COMPARED:
        return None
    numbers = connection.execute(
        "SELECT (SELECT max(number) FROM changes), (SELECT max(key) FROM transitions)"
    ).fetchone()
    return version, *numbers, *connection.execute("SELECT name, value FROM settings ORDER BY name").fetchall()


def _mark_of_copy(path: Path) -> tuple[Any, ...] | None:
    try:
        with _opened_copy(path) as copy:
            return _mark(copy) or ()
    except UNREADABLE:
        return ()


def _check_room(database: Database, folder: Path) -> None:
    """Leave as much room as the copy takes: a run needs it more."""
    count, _, size = pages(database)
    if shutil.disk_usage(folder).free < 2 * count * size:
        raise BertmtError(f"No backup of the registry was made: there is not twice its size free at {folder}.")


def write_copy(database: Database, path: Path, check: str = "quick_check") -> None:
    """Copy the registry; what is at `path` is replaced.

    Args:
        check: the pragma by which SQLite looks at the copy.

    Raises:
        DamagedRegistryError: the copy is damaged, and so is the registry.
        BertmtError, OSError: it cannot be written.
    """
    beside = atomic_files.name_beside(path)
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, atomic_files.PRIVATE_FILE))
        _copy(database, beside)
        found = _found_by(check, beside)
        if found:
            raise DamagedRegistryError(
                f"The registry {database.path} is damaged ({found}), so no copy was made: {GOES_BACK}."
            )
        atomic_files.sync_file(beside)
        beside.replace(path)
        atomic_files.sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError, ValueError):
            beside.unlink(missing_ok=True)


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


def _found_by(check: str, path: Path) -> str:
    """What SQLite finds wrong with a copy; empty where it is whole."""
    try:
        with _opened_copy(path) as copy:
            said = [row[0] for row in copy.execute(f"PRAGMA {check}(3)")]
    except UNREADABLE as problem:
        said = [str(problem)]
    return "" if said == FINE else " ".join("; ".join(said).split())[:LONGEST_SHOWN]


def runs_in(path: Path) -> int:
    """How many runs a copy holds."""
    with _opened_copy(path) as copy:
        found: int = copy.execute("SELECT count(*) FROM runs WHERE removed_at IS NULL").fetchone()[0]
        return found


def _opened_copy(path: Path) -> "contextlib.closing[Any]":
    """A copy that nobody writes; immutable, so that SQLite leaves nothing beside it."""
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return contextlib.closing(sqlite3.connect(address, uri=True))
