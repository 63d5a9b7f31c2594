"""What takes room and serves nothing any more: what there is, and freeing it.

Nothing in a run folder whose lock is held is touched, and the lock is held while it is deleted: no child can begin in
between. A folder that belongs to no run may be all that is left of one, so it is only deleted on request (`--folders`).
"""

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bertmt import paths
from bertmt.atomic_files import LEFTOVER_SECONDS
from bertmt.errors import BertmtError, DamagedRegistryError, DataError, NotFoundError
from bertmt.registry.claims import is_awaited
from bertmt.registry.database import Database
from bertmt.registry.file.backups import keep_backup, leftovers
from bertmt.registry.file.health import pages, shrink
from bertmt.registry.file.staging import forget_abandoned, is_held
from bertmt.registry.finding import is_finished, is_known, is_removed, runs_in
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, forget, removed_runs
from bertmt.registry.states import State
from bertmt.run_folder.layout import RunFolder, hold_alive, is_alive
from bertmt.run_folder.sizes import newest_change, size_bytes
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle.removal import delete_folder

FOLDER_SECONDS = 86_400.0  # for folders of no run, what LEFTOVER_SECONDS is for files
TOKENS_SECONDS = 30 * 86_400.0
# Shrinking rewrites the whole registry.
WORTH_BYTES, WORTH_SHARE = 1 << 20, 0.1
# What atomic_files, checkpoints and models write before they rename it into place.
_BESIDE = re.compile(r"\..+\.([0-9a-f]{12}|\d+)")
_IMPORTING = re.compile(r"\.importing-\w+\.[0-9a-f]{12}")


class Kind(StrEnum):
    """Why something serves nothing any more."""

    REMOVED = "removed run"
    CHECKPOINTS = "checkpoints of a finished run"
    LEFTOVER = "left by a killed process"
    TOKENS = "tokens not used for a month"
    FOLDER = "folder of no run"


@dataclass(frozen=True)
class Item:
    """One thing that can be freed.

    Attributes:
        run: whose it is; None where it is of no run.
    """

    kind: Kind
    path: Path
    size_bytes: int
    run: Run | None = None


@dataclass(frozen=True)
class Freed:
    """What became of items.

    Attributes:
        kept: those that could not be deleted, and why.
        registry_bytes: how much smaller the registry is.
        remark: why the registry is no smaller though it could be, or why no backup of it was made; mostly empty.
    """

    items: tuple[Item, ...]
    kept: tuple[tuple[Item, str], ...]
    registry_bytes: int
    remark: str

    @property
    def size_bytes(self) -> int:
        return sum(item.size_bytes for item in self.items) + self.registry_bytes


def find_garbage(database: Database) -> list[Item]:
    """Everything that could be freed."""
    return [*_removed(database), *_checkpoints(database), *_leftovers(database), *_tokens(), *_folders(database)]


def _removed(database: Database) -> Iterator[Item]:
    for run in removed_runs(database):
        if is_awaited(database, run):  # else nothing would be left that keeps the other from starting
            continue
        folder = folder_of(database, run)
        elsewhere = folder.checkpoints(run.submission.checkpoint_dir).folder if run.submission.checkpoint_dir else None
        yield Item(
            Kind.REMOVED, folder.path, size_bytes(folder.path) + (size_bytes(elsewhere) if elsewhere else 0), run
        )


def _checkpoints(database: Database) -> Iterator[Item]:
    for run in runs_in(database, State.FINISHED):
        folder = folder_of(database, run)
        checkpoints = folder.checkpoints(run.submission.checkpoint_dir)
        if checkpoints.folder.is_dir() and checkpoints.holds_nothing_else() and not _keeps_checkpoints(folder):
            yield Item(Kind.CHECKPOINTS, checkpoints.folder, size_bytes(checkpoints.folder), run)


def _keeps_checkpoints(folder: RunFolder) -> bool:
    try:
        return folder.read_order().keeps_checkpoints
    except NotFoundError:
        return False


def _leftovers(database: Database) -> Iterator[Item]:
    registry = database.path
    copies = re.compile(rf"\..+{re.escape(registry.suffix)}\.[0-9a-f]{{12}}(-wal|-shm|-journal|-copy)?")
    for path in _entries(registry.parent):
        if copies.fullmatch(path.name) and path.is_dir() == path.name.endswith("-copy"):
            yield from _leftover(path)
    for path in leftovers(registry):
        yield from _leftover(path)
    for path in _entries(paths.runs_folder(registry)):
        if _IMPORTING.fullmatch(path.name) and not is_held(path):
            yield from _leftover(path)
    for run in all_runs(database):
        folder = folder_of(database, run)
        checkpoints = folder.checkpoints(run.submission.checkpoint_dir).folder
        for place in dict.fromkeys((folder.path, folder.path / "predictions", folder.path / "examples", checkpoints)):
            for path in _entries(place):
                if _BESIDE.fullmatch(path.name):
                    yield from _leftover(path, run)


def _leftover(path: Path, run: Run | None = None) -> Iterator[Item]:
    if _is_older(path, LEFTOVER_SECONDS):
        yield Item(Kind.LEFTOVER, path, size_bytes(path), run)


def _tokens() -> Iterator[Item]:
    """Of the user's cache, which all registries share: a run that needs them again makes them anew, in seconds."""
    for path in _entries(paths.tokens_folder()):
        if path.suffix == ".npy" and _is_older(path, TOKENS_SECONDS):
            yield Item(Kind.TOKENS, path, size_bytes(path))


def _folders(database: Database) -> Iterator[Item]:
    known = {run.id for run in (*all_runs(database), *removed_runs(database))}
    for path in _entries(paths.runs_folder(database.path)):
        folder = RunFolder(path)
        is_one = (
            path.name not in known and not path.is_symlink() and (folder.order.is_file() or folder.recipe.is_file())
        )
        if is_one and not path.name.startswith(".") and _is_idle(folder) and _is_older(path, FOLDER_SECONDS):
            yield Item(Kind.FOLDER, path, size_bytes(path))


def _is_idle(folder: RunFolder) -> bool:
    """Whether no process works it; one whose lock is no lock may be anybody's."""
    try:
        return not is_alive(folder)
    except DataError:
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_older(path: Path, seconds: float) -> bool:
    return time.time() - newest_change(path) > seconds


def free(database: Database, items: Sequence[Item]) -> Freed:
    """Delete items for good, once there is a backup of the registry, and shrink it where that is worth it.

    Raises:
        RegistryError: the registry is read-only or damaged; nothing was deleted.
    """
    with database.immediate():
        before = _registry_bytes(database)
    unkept = _back_up_first(database)
    forget_abandoned(database)
    freed: list[Item] = []
    kept: list[tuple[Item, str]] = []
    for item in items:
        try:
            _delete(database, item)
        except (BertmtError, OSError) as problem:
            kept.append((item, str(problem)))
            continue
        freed.append(item)
    remark = " ".join(filter(None, (unkept, _shrink(database))))
    return Freed(tuple(freed), tuple(kept), max(0, before - _registry_bytes(database)), remark)


def _back_up_first(database: Database) -> str:
    """Keep what is about to be deleted; why that failed, or nothing: who frees a full disk must not be refused."""
    try:
        keep_backup(database)
    except DamagedRegistryError:
        raise
    except BertmtError as problem:
        return str(problem)
    return ""


def _delete(database: Database, item: Item) -> None:
    own = item.path if item.kind is Kind.FOLDER else folder_of(database, item.run).path if item.run else None
    with contextlib.ExitStack() as stack:
        if own is not None and own.is_dir():
            stack.enter_context(hold_alive(RunFolder(own)))
        with database.immediate():
            if not _is_still_so(database, item):
                raise BertmtError("it has changed in the meantime: run `bertmt gc` again.")
            if item.kind is Kind.REMOVED and item.run is not None:
                forget(database, item.run.key)
        # The registry first: a folder without a run is litter, a run without its folder a riddle.
        if item.kind is Kind.REMOVED and item.run is not None:
            delete_folder(database, item.run)
        elif item.path.is_dir():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)
    if item.path.exists():
        raise BertmtError(f"{item.path} could not be deleted completely: check its permissions.")


def _is_still_so(database: Database, item: Item) -> bool:
    """Whether what was found holds yet: a person may have looked at the list for an hour."""
    run = item.run
    if item.kind is Kind.FOLDER:
        return not is_known(database, item.path.name)
    if run is None or item.kind is Kind.LEFTOVER:
        return True
    if item.kind is Kind.REMOVED:
        return is_removed(database, run.key) and not is_awaited(database, run)
    return is_finished(database, run.key)


def _shrink(database: Database) -> str:
    """Give the registry's free pages back where they are many; why that failed, or nothing."""
    count, unused, size = pages(database)
    if unused * size < WORTH_BYTES or unused < WORTH_SHARE * count:
        return ""
    problem = shrink(database)
    return f"The registry was not made smaller ({problem}): try again when no worker is at work." if problem else ""


def _registry_bytes(database: Database) -> int:
    return size_bytes(database.path) + size_bytes(database.path.with_name(f"{database.path.name}-wal"))
