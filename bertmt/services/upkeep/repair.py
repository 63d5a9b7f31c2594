"""A registry that is damaged, empty or gone: a new one is made of what can be read of it and of the run folders.

What people typed (names, notes, tags, the queue) and the history come from the damaged file, run by run; what children
measured comes from the run folders, and from the damaged file for runs whose folder is gone. The new registry is made
beside, checked, and put in place only then; the damaged one is kept under another name.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RegistryError, reason_of
from bertmt.registry.database import SCHEMA_VERSION, Database, open_registry
from bertmt.registry.salvage import TABLES, UNREADABLE, DamagedRegistry, damaged_registry
from bertmt.run_folder.layout import RunFolder, is_alive
from bertmt.services.ingest.import_run import Refused, import_runs
from bertmt.services.upkeep.backup import time_stamp
from bertmt.services.upkeep.damage import damage_of
from bertmt.services.upkeep.saved_rows import SavedRows

# Where SQLite's readers hold their locks (sqlite.org/src, os.h: SHARED_FIRST, SHARED_SIZE).
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
# A schema of this number is a damaged header, not a newer version.
IMPLAUSIBLE_VERSION = 1000


@dataclass(frozen=True)
class SavedRun:
    """A run of the new registry.

    Attributes:
        source: "registry and folder", "registry" or "folder".
    """

    id: str
    name: str
    state: str
    source: str


@dataclass(frozen=True)
class Repaired:
    """What came of a repair.

    Attributes:
        problems: what was wrong; empty: nothing, and nothing was changed.
        kept: where the damaged registry is now; None where there was none.
        refused: run folders that could not be imported.
        lost: ids of runs whose rows are no longer what a bertmt writes, and whose folders are gone.
    """

    problems: tuple[str, ...]
    kept: Path | None
    runs: tuple[SavedRun, ...]
    refused: tuple[Refused, ...]
    lost: tuple[str, ...]


def repair(registry: Path) -> Repaired:
    """Make a new registry in the place of a damaged, empty or missing one.

    Raises:
        NotFoundError: there is neither a registry nor a run folder.
        BusyError: a process has it open, or works one of its runs.
        RegistryError: it is of a newer version, no registry, or cannot be written.
    """
    folders = _run_folders(registry)
    if not registry.exists() and not folders:
        raise NotFoundError(f"There is neither a registry at {registry} nor a run folder beside it.")
    try:
        with _alone(registry, folders) as content:
            return _repair(registry, content, folders)
    except OSError as problem:
        raise RegistryError(f"{registry} cannot be repaired ({reason_of(problem)}: {problem.filename}).") from None


def _repair(registry: Path, content: IO[bytes] | None, folders: Sequence[Path]) -> Repaired:
    beside = atomic_files.name_beside(registry)
    try:
        with open_registry(beside, create=True) as new, damaged_registry(registry, content, new) as damaged:
            problems = _problems(registry, damaged)
            if not problems:
                return Repaired((), None, (), (), ())
            saved = SavedRows(damaged, new)
            sources = saved.store()
            rest = [folder for folder in folders if folder.name not in sources]
            imported, refused = import_runs(new, rest)
            sources |= {run.id: "folder" for run in imported}
            saved.store_dependencies()
            lost = tuple(run_id for run_id in saved.not_believed if run_id not in sources)
            _check(new)
            runs = tuple(
                SavedRun(run_id, name, state, sources[run_id])
                for run_id, name, state in new.execute("SELECT id, name, state FROM runs ORDER BY key")
            )
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        atomic_files.sync_file(beside)
        return Repaired(tuple(problems), _put_in_place(registry, beside), runs, tuple(refused), lost)
    finally:
        for ending in ("", "-wal", "-shm"):
            beside.with_name(beside.name + ending).unlink(missing_ok=True)
        shutil.rmtree(beside.with_name(f"{beside.name}-copy"), ignore_errors=True)


def _problems(registry: Path, damaged: DamagedRegistry) -> list[str]:
    """What is wrong with the registry.

    Raises:
        RegistryError: it is another program's, or of a newer version of this one.
    """
    if not registry.exists():
        return ["it is missing"]
    if not registry.stat().st_size:
        return ["it is empty"]
    problems = damaged.problems()
    if damaged.original_tables and not damaged.original_tables & TABLES:
        raise RegistryError(f"{registry} is an SQLite file, but no bertmt registry; name another with --db.")
    if SCHEMA_VERSION < damaged.version() < IMPLAUSIBLE_VERSION:
        raise RegistryError(
            f"{registry} was written by a newer bertmt (schema {damaged.version()}, this one knows {SCHEMA_VERSION}): "
            "upgrade with `pip install -U bertmt`, then repair it."
        )
    if not damaged.is_as_it_was:
        return ["the pages that say what lies where cannot be read"]
    if not 0 < damaged.version() < IMPLAUSIBLE_VERSION:
        return [*problems, "it does not say which version it is of"]
    return problems or _wrong_values(damaged)


def _wrong_values(damaged: DamagedRegistry) -> list[str]:
    """What SQLite does not mind: values that no bertmt writes; of this version's registries, which it knows."""
    if damaged.version() != SCHEMA_VERSION:
        return []
    try:
        with open_registry(damaged.copy, read_only=True) as whole:
            found = damage_of(whole)
    except (*UNREADABLE, BertmtError) as problem:
        return [str(problem)]
    return [] if found is None else [found]


def _run_folders(registry: Path) -> list[Path]:
    folder = paths.runs_folder(registry)
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(path for path in found if RunFolder(path).order.exists())


@contextmanager
def _alone(registry: Path, folders: Sequence[Path]) -> Iterator[IO[bytes] | None]:
    """Nobody uses the registry or works a run meanwhile: what they wrote would be lost with it.

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
    said = [row[0] for row in new.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
    said += [f"a row of {row[0]} refers to none" for row in new.execute("PRAGMA foreign_key_check")]
    if said:
        raise RegistryError(f"The new registry is not whole ({'; '.join(said)}), so nothing was changed.")


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
