"""A copy of the registry as it is at one moment, while workers and front ends go on."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import RegistryError, UsageError
from bertmt.registry.database import Database, copy_to, integrity_problem


def backup_path(registry: Path) -> Path:
    """Where a backup goes that nobody named: beside the registry, with the time in UTC."""
    return registry.with_name(f"{registry.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{registry.suffix}")


def back_up(database: Database, target: Path, overwrite: bool = False) -> int:
    """Copy the registry to a file that appears whole or not at all, private to its user; its size in bytes.

    Raises:
        UsageError: the file is there and may not be overwritten, or is the registry itself.
        RegistryError: the copy cannot be written, or the registry is damaged.
    """
    if target.exists() and target.samefile(database.path):
        raise UsageError(f"{target} is the registry itself: name another file for its backup.")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already: name another file, or add --force.")
    beside = atomic_files.name_beside(target)
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(copy_to(database, beside)) as copy:
            problem = integrity_problem(copy)
        if problem is not None:
            raise RegistryError(
                f"The registry {database.path} is damaged ({problem}), so its copy would be: `bertmt repair` saves "
                "what can be saved."
            )
        atomic_files.sync_file(beside)
        beside.replace(target)
        atomic_files.sync_folder(target.parent)
    except OSError as problem:
        raise RegistryError(f"The backup {target} cannot be written: {problem.strerror}; name another file.") from None
    finally:
        for leftover in target.parent.glob(f"{beside.name}*"):
            leftover.unlink(missing_ok=True)
    return target.stat().st_size
