"""One lock per GPU and user: who holds it is starting a run there.

From the look at a card's free memory to the first step, which takes that memory, no other worker of the user may look.

The lock is flock(2) on a file in the user's own state folder, where nobody else can put or hold anything. A lock that
users shared would lie where any of them could stop all others by holding it. What they do on a card is seen by NVML:
its free memory and its processes (worker/admission.py). No two machines that share a home folder have a GPU's UUID.
"""

import contextlib
import fcntl
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.errors import BusyError, reason_of

# Symbolic links are not followed, pipes not waited for, and children do not inherit the lock.
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST = 4096  # bytes read of what a lock says


@dataclass(frozen=True)
class Starter:
    """What starts a run, by what the lock says. None where it says nothing."""

    pid: int | None = None
    run_id: str | None = None

    def words(self) -> str:
        """Such as "run k3mp7x (pid 4711)"."""
        run = f"run {self.run_id}" if self.run_id else "another run"
        return f"{run}{f' (pid {self.pid})' if self.pid else ''}"


class StartLock:
    """A lock that is held until `release`, or until the process ends, however it ends."""

    def __init__(self, handle: int):
        self._handle: int | None = handle

    def release(self) -> None:
        """Let others start; safe to repeat."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        # Closing alone would leave the lock to a child that is just being started and has not closed its copy yet.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def lock_path(uuid: str, folder: Path | None = None) -> Path:
    """The lock of a GPU or of a MIG slice; old drivers write slashes into the UUID of a slice."""
    return (folder or paths.state_folder()) / f"start-{uuid.replace('/', '_')}.lock"


def take_start_lock(uuid: str, run_id: str, folder: Path | None = None) -> StartLock | None:
    """Take the lock of a GPU without waiting; None where another process of this user holds it.

    Args:
        run_id: of the run that starts, to be read meanwhile.
        folder: the user's state folder if None.

    Raises:
        BusyError: no lock can be had there.
    """
    try:
        path = lock_path(uuid, folder)
    except RuntimeError:
        raise _unusable(Path("~/.local/state/bertmt"), "you have no home folder") from None
    try:
        atomic_files.make_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, atomic_files.PRIVATE_FILE)
    except OSError as problem:
        raise _unusable(path, reason_of(problem)) from None
    lock = None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _unusable(path, "it is not a plain file")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock = StartLock(handle)
    except BlockingIOError:
        return None
    except OSError as problem:
        raise _unusable(path, reason_of(problem)) from None
    finally:
        if lock is None:
            os.close(handle)
    with contextlib.suppress(OSError):  # on a full disk the lock holds as well
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "run": run_id}).encode() + b"\n", 0)
    return lock


def who_starts(uuid: str, folder: Path | None = None) -> Starter | None:
    """What holds the lock of a GPU; None where nothing does, whatever the file still says."""
    try:
        handle = os.open(lock_path(uuid, folder), os.O_RDONLY | _FLAGS)
    except (OSError, RuntimeError):
        return None
    try:
        # Shared: two who only ask do not take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _starter(os.pread(handle, _LONGEST, 0))
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


def _starter(said: bytes) -> Starter:
    try:
        words = json.loads(said)
    except (ValueError, RecursionError):
        return Starter()
    if not isinstance(words, dict):
        return Starter()
    pid, run_id = words.get("pid"), words.get("run")
    return Starter(pid if isinstance(pid, int) else None, run_id if isinstance(run_id, str) else None)


def _unusable(path: Path, why: str | None) -> BusyError:
    return BusyError(
        f"No run can be started on this GPU, since its lock {path} cannot be used ({why}): fix that, or set "
        "XDG_STATE_HOME to a folder of yours on a local disk."
    )
