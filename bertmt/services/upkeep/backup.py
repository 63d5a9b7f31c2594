"""A copy of the registry where a person wants one."""

from dataclasses import dataclass
from pathlib import Path

from bertmt import paths
from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.registry.database import Database
from bertmt.registry.file.backups import runs_in, time_stamp, write_copy
from bertmt.run_folder.sizes import size_bytes

# What SQLite puts beside a file that is in use; a copy put in place between them would be read together with them.
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
    try:
        _check_target(source, path, replace)
        write_copy(database, path, "integrity_check")
    except (OSError, ValueError) as problem:
        raise BertmtError(f"{path} cannot be written ({reason_of(problem)}): name another file.") from None
    folders = paths.run_folders(source)
    return Backup(path, path.stat().st_size, runs_in(path), len(folders), sum(map(size_bytes, folders)))


def _check_target(source: Path, path: Path, replace: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file.")
    if path.exists() and path.samefile(source):
        raise UsageError(f"{path} is the registry itself: name another file.")
    if path.exists() and not replace:
        raise UsageError(f"{path} already exists: name another file, or add --force to replace it.")
    for ending in COMPANIONS:
        if path.with_name(path.name + ending).exists():
            raise UsageError(f"{path} is in use ({path.name}{ending} lies beside it): name another file.")
