"""Checkpoints of a run: folders that appear whole or not at all, of which the newest intact one counts.

<checkpoints>/
  000007/
    …              the files that a child wrote
    manifest.json  format, size and SHA-256 of each of them; written last
  .000008.<pid>/   one that was not completed

What is in the files is the child's business; see `bertmt/training/checkpoints/checkpointing.py`.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt import atomic_files
from bertmt.bounded_files import open_plain, read_json
from bertmt.errors import BertmtError, DataError, reason_of

FORMAT = 1
MANIFEST = "manifest.json"
# The files of a training child: all tensors that a step changes, and the rest.
TENSORS, DOCUMENT = "state.safetensors", "state.json"
# The newest may be damaged: then the one before it counts.
KEPT = 2
# Beyond what the files take: the events and predictions of the steps until the next checkpoint need room too.
SPARE_BYTES = 64 << 20

_OWN = re.compile(r"\d{6,}|\.\d{6,}\.\d+")

Writer = Callable[[Path], object]


class NoSpaceError(BertmtError):
    """There is no room for a checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """One intact checkpoint; the files in `path` are what was written."""

    path: Path

    def read(self, name: str) -> bytes:
        """A file's content."""
        with open_plain(self.path / name) as file:  # as large as the model
            return file.read()

    def read_document(self, name: str) -> Any:
        """A file's JSON."""
        return read_json(self.path / name)


class Checkpoints:
    """The checkpoints of one run, written by its child alone.

    Args:
        is_elsewhere: they have a folder beside those of other runs, which is made where it is missing. The run folder
            never is: who finds it gone must not begin another in its place.
        older: where a version that knew copies of registries not from their originals wrote them. They are read until
            the first is written to `folder`, and never deleted: both may want them.
    """

    def __init__(self, folder: Path, is_elsewhere: bool = False, older: Path | None = None):
        self.folder = folder
        self._is_elsewhere = is_elsewhere
        self._older = older

    def write(self, files: Mapping[str, Writer], size_bytes: int) -> Checkpoint:
        """Add a checkpoint and delete all but the newest two; those of another version stay for it.

        Args:
            files: by name, what writes the file to a path.
            size_bytes: about what they will take.

        Raises:
            NoSpaceError: there is less room than that; nothing was written.
            OSError: the disk is full or gone; the older checkpoints are as they were.
        """
        if self._is_elsewhere:
            atomic_files.make_folder(self.folder)
        else:
            self.folder.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
        self._clear_up()
        self._make_room(size_bytes)
        numbers = _numbers(self.folder)
        final = self.folder / f"{(numbers[-1] if numbers else 0) + 1:06d}"
        beside = self.folder / f".{final.name}.{os.getpid()}"
        try:
            beside.mkdir(mode=0o700)
            for name, write in files.items():
                write(beside / name)
                atomic_files.sync_file(beside / name)
            manifest = {"format": FORMAT, "files": {name: _fingerprint(beside / name) for name in files}}
            atomic_files.write_text(beside / MANIFEST, json.dumps(manifest, indent=1))
            beside.rename(final)
            atomic_files.sync_folder(self.folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        mine = [number for number in numbers if not _is_of_another_format(self.folder / f"{number:06d}")]
        for number in mine[: max(0, len(mine) + 1 - KEPT)]:
            shutil.rmtree(self.folder / f"{number:06d}", ignore_errors=True)
        return Checkpoint(final)

    def newest_intact(self, damaged: Callable[[Path, str], None]) -> Checkpoint | None:
        """The newest checkpoint whose files are what was written; None where there is none.

        Args:
            damaged: told of each newer one that is not, or that cannot be read, and why; a damaged one is deleted.

        Raises:
            DataError: there is none but such as cannot be read, by this version or for now: to start from the
                beginning would throw away what they hold.
        """
        unread = ""
        readable = self._readable()
        for number in reversed(_numbers(readable)):
            path = readable / f"{number:06d}"
            try:
                problem = _damage(path)
            except UnreadError as reason:
                unread = unread or f"{path} {reason}"
                damaged(path, str(reason))
                continue
            if problem is None:
                return Checkpoint(path)
            damaged(path, problem)
            if readable == self.folder:
                shutil.rmtree(path, ignore_errors=True)
        if unread:
            raise DataError(
                f"No checkpoint can be used, though there are some: {unread}. Fix that and requeue the run, or start "
                "over with `bertmt requeue --from-start`."
            )
        return None

    def delete(self) -> None:
        """Delete all of them, whole or not."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin_anew(self) -> None:
        """Delete all of them, and read no older ones any more."""
        self.delete()
        if self._older is not None and self._older.is_dir():
            atomic_files.make_folder(self.folder)

    def of_others(self) -> list[Path]:
        """Folders with checkpoints of other folders of this run: one was copied from the other."""
        if not self._is_elsewhere:
            return []
        named = self.folder.name.rpartition("-")[0]
        return sorted(path for path in self.folder.parent.glob(f"{named}-*") if path != self.folder and _numbers(path))

    def size_bytes(self) -> int:
        """What all of them take on disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    def holds_nothing_else(self) -> bool:
        """Whether the folder is there and holds checkpoints alone, whole or not."""
        folder = self._readable()
        try:
            names = [path.name for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
            return len(names) == len(list(folder.iterdir())) and all(map(_OWN.fullmatch, names))
        except OSError:
            return False

    def _readable(self) -> Path:
        return self._older if self._older is not None and not self.folder.is_dir() else self.folder

    def _clear_up(self) -> None:
        """Delete what a killed child did not complete; a run has one child at a time."""
        for leftover in self.folder.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _make_room(self, size_bytes: int) -> None:
        """Return once there is room, for which all but the newest checkpoint may be given up."""
        needed = size_bytes + SPARE_BYTES
        for number in _numbers(self.folder)[:-1]:
            if shutil.disk_usage(self.folder).free >= needed:
                return
            shutil.rmtree(self.folder / f"{number:06d}", ignore_errors=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise NoSpaceError(
                f"A checkpoint needs {needed >> 20:,} MiB in {self.folder}, but {free >> 20:,} MiB are free: "
                f"free some, or queue with --checkpoint-dir on another disk."
            )


def _numbers(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir())
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _fingerprint(file: Path) -> dict[str, object]:
    with open_plain(file) as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return {"bytes": os.fstat(opened.fileno()).st_size, "sha256": digest}


def _is_of_another_format(path: Path) -> bool:
    try:
        found = read_json(path / MANIFEST)["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return isinstance(found, int) and found != FORMAT


class UnreadError(Exception):
    """Why a checkpoint cannot be judged, which may be whole."""


def _damage(path: Path) -> str | None:
    """What of a checkpoint is not what was written, or None.

    Raises:
        UnreadError: it is of another format, or the system does not let it be read now.
    """
    try:
        manifest = read_json(path / MANIFEST)
        if isinstance(manifest["format"], int) and manifest["format"] != FORMAT:
            raise UnreadError(f"is of format {manifest['format']}, and this bertmt reads {FORMAT}")
        for name, expected in manifest["files"].items():
            if _fingerprint(path / Path(name).name) != expected:
                return f"{name} is not what was written"
    except FileNotFoundError as problem:
        return f"{Path(str(problem.filename)).name} is missing"
    except OSError as problem:
        raise UnreadError(f"cannot be read ({reason_of(problem)})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        return f"its manifest is damaged ({problem})"
    return None
