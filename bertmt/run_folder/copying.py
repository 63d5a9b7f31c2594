"""Copying a run folder from elsewhere: what belongs to a run and nothing else, private, and no link followed.

A link in such a folder could lead to any file of the user, whose content would then be taken for the run's.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import DataError, NotFoundError, reason_of

# Without `code/`, a user's own losses and heads: what somebody else wrote is never run here.
_OWN = re.compile(r"run\.json|recipe\.json|tasks\.json|vocabulary\.txt|events-\d{1,9}\.jsonl|log-\d{1,9}\.txt|alive")
_FOLDERS = ("examples", "predictions", "model", "checkpoints")


def plain_entries(folder: Path) -> list[Path]:
    """The files and folders of a run, relative to its folder, each folder before what is in it.

    Hidden ones were left by killed processes, others are not of a run: both are left out.

    Raises:
        NotFoundError: this is no folder.
        DataError: one of them is a link, or neither file nor folder.
    """
    try:
        top = [Path(each.name) for each in os.scandir(folder) if _OWN.fullmatch(each.name) or each.name in _FOLDERS]
    except (OSError, ValueError) as problem:
        raise NotFoundError(f"{folder} is not a run folder: {reason_of(problem)}.") from None
    return [each for name in sorted(top) for each in _plain(folder, name)]


def _plain(folder: Path, name: Path) -> Iterator[Path]:
    mode = (folder / name).lstat().st_mode
    is_folder = stat.S_ISDIR(mode)
    at_its_place = is_folder == (name.parts[0] in _FOLDERS) if len(name.parts) == 1 else True
    if not (at_its_place and (is_folder or stat.S_ISREG(mode))):
        raise DataError(
            f"{folder / name} is a link, or of another kind than what a run writes there: a run folder from elsewhere "
            "holds plain files and folders."
        )
    yield name
    if is_folder:
        for each in sorted((folder / name).iterdir()):
            if not each.name.startswith("."):
                yield from _plain(folder, name / each.name)


def copy_run_folder(source: Path, target: Path) -> None:
    """Make `target` a copy of the run folder `source`, on disk when this returns.

    Raises:
        NotFoundError, DataError: as `plain_entries`.
        OSError: it cannot be read or written; half a copy may be left.
    """
    entries = plain_entries(source)
    target.mkdir(mode=0o700)
    for name in entries:
        if stat.S_ISDIR((source / name).lstat().st_mode):
            (target / name).mkdir(mode=0o700)
        elif name.name != "alive":
            _copy_file(source / name, target / name)
    for folder in (target, *(target / name for name in entries if (target / name).is_dir())):
        atomic_files.sync_folder(folder)


def _copy_file(source: Path, target: Path) -> None:
    # It may have become a link, or a pipe without a writer, since it was looked at.
    opened = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as reader:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise DataError(f"{source} is not a plain file.")
        made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(made)
