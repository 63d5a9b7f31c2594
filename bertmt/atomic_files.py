"""Files that appear whole or not at all: written beside, flushed to disk, renamed."""

import os
import re
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
# Further restricted by the user's umask.
SHARED_FILE = 0o666
# What `name_beside` calls a file.
LEFTOVER = re.compile(r"\..+\.[0-9a-f]{12}")
LEFTOVER_SECONDS = 3600.0  # what is younger may belong to a process that is at work


def name_beside(path: Path) -> Path:
    """Where a file is written until it is whole and takes its name."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}")


def write_bytes(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` by `content`, so that a reader or a crash never sees half of it.

    Raises:
        OSError: the folder is missing or full; `path` is then as it was.
    """
    beside = name_beside(path)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def clear_up(folder: Path) -> None:
    """Delete what writers that were killed left beside their files; nobody may be writing in the folder."""
    for leftover in folder.glob(".*"):
        if LEFTOVER.fullmatch(leftover.name):
            leftover.unlink(missing_ok=True)


def write_text(path: Path, content: str, mode: int = PRIVATE_FILE) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, content.encode("utf-8"), mode)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each for its user alone; one that is there stays as it is.

    `mkdir` gives its mode to the last one only.

    Raises:
        OSError: it cannot be made, or something else is there.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a rename is on disk only when its folder is."""
    sync_file(folder)


def sync_file(path: Path) -> None:
    """Return once what was written to a file is on disk, whoever wrote it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
