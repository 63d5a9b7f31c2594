"""What may be deleted for good: removed runs, checkpoints that nobody needs, and litter of killed processes."""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt import paths
from bertmt.atomic_files import LEFTOVER
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, removed_runs
from bertmt.registry.states import State
from bertmt.run_folder.layout import RunFolder, is_alive
from bertmt.services.removal import delete_for_good
from bertmt.services.sync import folder_of

# What lies about for so long is nobody's work in progress.
OLD_SECONDS = 24 * 3600.0
# Folders that a process of that number was completing.
_UNFINISHED = re.compile(r"\..+\.\d+")


@dataclass(frozen=True)
class Garbage:
    """One thing that would be deleted.

    Attributes:
        what: "removed run", "checkpoints", "no run" or "litter".
        run: only of a removed run.
        reason: for people, why it is not needed.
    """

    what: str
    path: Path
    size_bytes: int
    reason: str
    run: Run | None = None


def find_garbage(database: Database) -> list[Garbage]:
    """Everything that could be freed; nothing of a run that a process works."""
    return [*_removed(database), *_checkpoints(database), *_strangers(database), *_litter(database)]


def free(database: Database, garbage: Sequence[Garbage]) -> int:
    """Delete it, and give back what is then empty in the registry's file; how many bytes were freed."""
    before = database.path.stat().st_size
    freed = 0
    for each in garbage:
        if each.run is not None:
            delete_for_good(database, each.run)
        elif each.path.is_dir():
            shutil.rmtree(each.path, ignore_errors=True)
        else:
            each.path.unlink(missing_ok=True)
        freed += each.size_bytes if not each.path.exists() else 0
    if any(each.run is not None for each in garbage):
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return freed + max(0, before - database.path.stat().st_size)


def _removed(database: Database) -> Iterator[Garbage]:
    for run in removed_runs(database):
        folder = folder_of(database, run)
        if not is_alive(folder):
            elsewhere = _size(folder.checkpoints(run.checkpoint_dir).folder) if run.checkpoint_dir else 0
            size = _size(folder.path) + elsewhere
            yield Garbage("removed run", folder.path, size, f"{run.name}, seed {run.seed}, {run.state}", run)


def _checkpoints(database: Database) -> Iterator[Garbage]:
    """Those of finished runs: a child deletes them itself, unless it was killed just then."""
    for run in all_runs(database, "runs.state = ?", (State.FINISHED,)):
        folder = folder_of(database, run)
        kept = folder.checkpoints(run.checkpoint_dir).folder
        if kept.is_dir() and not is_alive(folder):
            yield Garbage("checkpoints", kept, _size(kept), f"{run.id} ({run.name}) has finished")


def _strangers(database: Database) -> Iterator[Garbage]:
    """Run folders that no run of this registry has."""
    known = {run.id for run in (*all_runs(database), *removed_runs(database))}
    for path in _folders(database):
        folder = RunFolder(path)
        if path.name not in known and folder.order.is_file() and _is_old(path) and not is_alive(folder):
            yield Garbage(
                "no run", path, _size(path), f"no run of this registry; `bertmt import-run {path}` takes it in"
            )


def _litter(database: Database) -> Iterator[Garbage]:
    """What killed processes did not bring to its end."""
    root = paths.runs_folder(database.path)
    for folder in [root, database.path.parent, *_folders(database)]:
        found = folder.iterdir() if folder in (root, database.path.parent) else folder.rglob(".*")
        for path in found if folder.is_dir() else ():
            if (LEFTOVER.fullmatch(path.name) or _UNFINISHED.fullmatch(path.name)) and _is_old(path):
                yield Garbage("litter", path, _size(path), "left by a process that was killed")


def _folders(database: Database) -> list[Path]:
    root = paths.runs_folder(database.path)
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[:1] != ".") if root.is_dir() else []


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD_SECONDS
    except OSError:
        return False


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
