"""A registry that is damaged, empty or gone: the newest good backup takes its place, and what run folders tell since.

The new registry is made beside, checked, and put in place only then; the damaged one is kept under another name. What
people did since the backup is lost, and named as far as the damaged file can still tell it: see `losses`.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RegistryError, reason_of
from bertmt.registry.database import UNREADABLE, Database
from bertmt.registry.file.backups import Kept, kept_backups, time_stamp
from bertmt.registry.file.health import empty_log, faults
from bertmt.registry.file.opening import open_registry
from bertmt.registry.file.salvage import problems_of, readable_runs
from bertmt.registry.file.staging import forget_abandoned
from bertmt.registry.runs import all_runs
from bertmt.run_folder.layout import RunFolder, is_alive
from bertmt.services.ingest.import_run import Refused
from bertmt.services.upkeep.damage import damage_of
from bertmt.services.upkeep.not_restored import NotRestored, not_restored
from bertmt.services.upkeep.since_backup import bring_up_to_now

# Where SQLite's readers hold their locks (sqlite.org/src, os.h: SHARED_FIRST, SHARED_SIZE).
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510


@dataclass(frozen=True)
class SavedRun:
    """A run of the new registry.

    Attributes:
        source: "backup", "backup and folder", "folder" or "damaged file".
    """

    id: str
    name: str
    state: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What came of a repair.

    Attributes:
        problems: what was wrong; empty: nothing, and nothing was changed.
        kept: where the damaged registry is now; None where there was none.
        backup: what it went back to; None where there was no good one.
        passed_over: newer backups that are damaged too, and how.
        refused: run folders that could not be imported.
        held: ids of runs that wait, and were not surely to start.
    """

    problems: tuple[str, ...] = ()
    kept: Path | None = None
    backup: Kept | None = None
    passed_over: tuple[tuple[Path, str], ...] = ()
    runs: tuple[SavedRun, ...] = ()
    refused: tuple[Refused, ...] = ()
    held: tuple[str, ...] = ()
    lost: NotRestored = field(default_factory=NotRestored)


def repair(registry: Path) -> Repaired:
    """Put the newest good backup in the place of a damaged, empty or missing registry, and bring it up to now.

    Raises:
        NotFoundError: there is neither a registry nor a backup nor a run folder.
        BusyError: a process has it open, or works one of its runs.
        RegistryError: it is of a newer version, no registry, or cannot be written.
    """
    try:
        folders = paths.run_folders(registry)
        if not registry.exists() and not folders and not kept_backups(registry):
            raise NotFoundError(f"There is neither a registry at {registry} nor a backup or a run folder beside it.")
        with _alone(registry, folders) as content:
            return _repair(registry, content, folders)
    except OSError as problem:
        raise RegistryError(f"{registry} cannot be repaired ({reason_of(problem)}: {problem.filename}).") from None


def _repair(registry: Path, content: IO[bytes] | None, folders: Sequence[Path]) -> Repaired:
    beside = atomic_files.name_beside(registry)
    work = beside.with_name(f"{beside.name}-copy")
    work.mkdir(mode=atomic_files.PRIVATE_FOLDER)
    try:
        copy = _copy_of(registry, content, work / "damaged.db")
        problems = _problems(registry, copy)
        if not problems:
            return Repaired()
        rows, is_whole = readable_runs(copy)
        backup, passed_over = _restore(registry, work, beside)
        with open_registry(beside, create=True) as new:
            forget_abandoned(new)  # imports that were at work when the backup was made
            caught_up = bring_up_to_now(new, folders, rows)
            lost = not_restored(new, rows, is_whole)
            _check(new)
            runs = tuple(SavedRun(run.id, run.name, run.state, caught_up.sources[run.id]) for run in all_runs(new))
            empty_log(new)
        atomic_files.sync_file(beside)
        kept = _put_in_place(registry, beside)
        return Repaired(
            problems=tuple(problems), kept=kept, backup=backup, passed_over=passed_over, runs=runs,
            refused=caught_up.refused, held=caught_up.held, lost=lost,
        )  # fmt: skip
    finally:
        for ending in ("", "-wal", "-shm"):
            beside.with_name(beside.name + ending).unlink(missing_ok=True)
        shutil.rmtree(work, ignore_errors=True)


def _copy_of(registry: Path, content: IO[bytes] | None, copy: Path) -> Path:
    """The damaged file and its log, to be opened: a process that closes any file gives up its locks on it (fcntl)."""
    log = registry.with_name(f"{registry.name}-wal")
    if content is not None:
        with copy.open("xb") as target:
            shutil.copyfileobj(content, target, 1 << 20)
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"), follow_symlinks=False)
    return copy


def _problems(registry: Path, copy: Path) -> list[str]:
    """What is wrong with the registry: what SQLite finds, and values that it does not mind and no bertmt writes.

    Raises:
        RegistryError: it is another program's, or of a newer version of this one.
    """
    if not copy.exists():
        return ["it is missing"]
    if not copy.stat().st_size:
        return ["it is empty"]
    problems = problems_of(copy, registry)
    if problems:
        return problems
    found = _damage_of(copy)
    return [] if found is None else [found]


def _damage_of(copy: Path) -> str | None:
    """What is wrong with a copy, if anything; an older one is brought up to date."""
    try:
        with open_registry(copy) as database:
            return damage_of(database)
    except (BertmtError, *UNREADABLE) as problem:
        return str(problem)


def _restore(registry: Path, work: Path, beside: Path) -> tuple[Kept | None, tuple[tuple[Path, str], ...]]:
    """Put a copy of the newest good backup where the new registry is made; nothing there where there is none."""
    passed_over: list[tuple[Path, str]] = []
    for backup in reversed(kept_backups(registry)):
        copy = work / f"{backup.number}.db"
        try:
            shutil.copyfile(backup.path, copy, follow_symlinks=False)
            copy.chmod(atomic_files.PRIVATE_FILE)
            found = _damage_of(copy)
        except OSError as problem:
            found = str(problem)
        if found is None:
            copy.rename(beside)
            return backup, tuple(passed_over)
        passed_over.append((backup.path, found))
    return None, tuple(passed_over)


@contextmanager
def _alone(registry: Path, folders: Sequence[Path]) -> Iterator[IO[bytes] | None]:
    """Make sure that nobody uses the registry or works a run: what they write would be lost with it.

    Yields:
        The registry, open and locked for as long as no other file of it is opened and closed; None where there is none.

    Raises:
        BusyError: somebody does.
    """
    for folder in folders:
        with suppress(DataError):  # a lock that is none is nobody's; the import says so
            if is_alive(RunFolder(folder)):
                raise BusyError(f"The run in {folder} is being worked: end the workers and let it end, or stop it.")
    if not registry.exists():
        yield None
        return
    with registry.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except (BlockingIOError, PermissionError):
            raise BusyError(f"Another process has {registry} open: end its workers and dashboards first.") from None
        yield file


def _check(new: Database) -> None:
    said = faults(new)
    if said:
        raise RegistryError(f"The new registry is not intact ({'; '.join(said)}), so nothing was changed.")


def _put_in_place(registry: Path, new: Path) -> Path | None:
    """Put the new registry in the place of the old one, which is kept; where that is now."""
    kept = registry.with_name(f"{registry.stem}-damaged-{time_stamp()}{registry.suffix}")
    if kept.exists():
        kept = kept.with_name(f"{kept.stem}-{os.urandom(3).hex()}{kept.suffix}")
    there = registry.exists()
    old = [path for ending in ("", "-wal", "-shm") if (path := registry.with_name(registry.name + ending)).exists()]
    # All of it has its other name before any is gone from its place, so that a kill leaves one or the other.
    for path in old:
        kept.with_name(path.name.replace(registry.name, kept.name, 1)).hardlink_to(path)
    atomic_files.sync_folder(registry.parent)
    # Beside the new registry SQLite would read the old one's log as the new one's.
    for path in old:
        if path != registry:
            path.unlink()
    new.rename(registry)
    atomic_files.sync_folder(registry.parent)
    return kept if there else None
