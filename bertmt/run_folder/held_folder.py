"""The folder that a child works in, looked after: whether it is still where it was, with the child's own lock in it."""

import contextlib
import logging
import os
import time
from enum import Enum
from pathlib import Path
from typing import IO

from bertmt import atomic_files
from bertmt.bounded_files import open_plain
from bertmt.run_folder.layout import RunFolder, hold_alive, sign
from bertmt.run_folder.locks import is_locked, lock

# What is wrong at two looks so far apart is believed: a network mount lies for a moment.
LOOK_SECONDS = 3.0

log = logging.getLogger(__name__)


class Place(Enum):
    """What is found where a child's folder was."""

    OURS = "ours"
    UNLOCKED = "the folder, without `alive`"
    AWAY = "nothing"
    ANOTHER = "another folder, or another `alive`"


class DisplacedError(Exception):
    """The folder, or the lock in it, is another's now.

    Args:
        reason: a sentence.
        keeps_events: what the process writes there is still its own: a checkpoint serves the next attempt.
    """

    def __init__(self, reason: str, keeps_events: bool):
        super().__init__(reason)
        self.keeps_events = keeps_events


class HeldFolder:
    """A run folder whose lock this process holds until `close`.

    Raises:
        BusyError, NotFoundError, DataError: as `hold_alive`.
    """

    def __init__(self, folder: RunFolder):
        self.folder = folder
        self._lock = hold_alive(folder)
        self._folder = _identity(folder.path)
        self._events: tuple[Path, tuple[int, int] | None] | None = None
        self._seen = Place.OURS
        self._looked_at = time.monotonic()

    def __enter__(self) -> "HeldFolder":
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.close()

    def writes(self, events: Path) -> None:
        """Say which events this process writes."""
        self._events = events, _identity(events)

    def look(self) -> None:
        """To be called between two steps: put `alive` back where it was deleted. While the folder is away, go on.

        Raises:
            DisplacedError: it is another's now.
        """
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        before, self._seen = self._seen, self.place()
        if self._seen is not before:
            return
        if self._seen is Place.UNLOCKED:
            self._put_back()
        elif self._seen is Place.ANOTHER:
            raise self.displaced()

    def place(self) -> Place:
        """What is there now; what cannot be looked at is taken for ours."""
        try:
            if self._folder != _identity(self.folder.path):
                return Place.ANOTHER if self.folder.path.exists() else Place.AWAY
            there = _identity(self.folder.alive)
            if there is None:
                return Place.UNLOCKED
            return Place.OURS if there == _identity_of(self._lock) else Place.ANOTHER
        except OSError:
            return Place.OURS

    def displaced(self) -> DisplacedError:
        """Why this process ends, once its place is another's or gone."""
        path = self.folder.path
        if self.place() is Place.AWAY:
            return DisplacedError(f"{path} was moved or deleted while the run was worked in it.", False)
        keeps_events = self._events is not None and _identity(self._events[0]) == self._events[1] is not None
        reason = f"{path} or the lock in it was replaced while the run was worked there."
        return DisplacedError(reason, keeps_events and not self._is_worked_by_another())

    def _is_worked_by_another(self) -> bool:
        with contextlib.suppress(OSError), open_plain(self.folder.alive) as file:
            return is_locked(file.fileno())
        return False

    def _put_back(self) -> None:
        """A new `alive`, which is locked before it has its name, and never takes the place of another's."""
        beside = atomic_files.name_beside(self.folder.alive)
        try:
            opened = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, atomic_files.PRIVATE_FILE)
            new: IO[bytes] = os.fdopen(opened, "r+b", buffering=0)
            old = self._lock
            try:
                lock(opened)
                sign(new)
                self.folder.alive.hardlink_to(beside)
                self._lock = new
                log.warning("%s was gone and has been put back.", self.folder.alive)
            finally:
                beside.unlink(missing_ok=True)
                (old if self._lock is new else new).close()
        except OSError as problem:  # a full disk, or another was faster: the next look knows
            log.warning("%s is gone and could not be put back: %s.", self.folder.alive, problem.strerror)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a name leads to; None where it leads to none.

    Raises:
        OSError: that cannot be looked at.
    """
    try:
        about = path.lstat() if path.name == "alive" else path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return about.st_dev, about.st_ino


def _identity_of(file: IO[bytes]) -> tuple[int, int]:
    about = os.fstat(file.fileno())
    return about.st_dev, about.st_ino
