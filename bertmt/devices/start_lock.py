"""One lock per GPU, shared by all users of a machine: who holds it is starting a run there.

From the look at a card's free memory to the first step, which takes that memory, nobody else may look.

The lock is flock(2) on a file in the system's temporary folder, where anyone may have put anything before: a link, a
pipe, a file that nobody else can open, a second name of somebody's private file. None of them is written to or opened
to others. What a lock says of its holder is for people only.
"""

import contextlib
import fcntl
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bertmt.devices.user_names import user_name
from bertmt.errors import BusyError, reason_of

# Symbolic links are not followed, pipes not waited for, and children do not inherit the lock.
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOR_ALL = 0o666  # flock needs an open file, and who holds it must be written
_BEGINNING = b'{"bertmt": "start", '
_LONGEST = 4096  # bytes read of what somebody wrote
_TRIES = 5


@dataclass(frozen=True)
class Starter:
    """Who starts a run, by what the lock says: any user can write that. None where it says nothing."""

    user: str | None = None
    pid: int | None = None
    run_id: str | None = None

    def words(self) -> str:
        """Such as "run k3mp7x of alice (pid 4711)"."""
        run = f"run {self.run_id}" if self.run_id else "a run"
        return f"{run} of {self.user or 'somebody'}{f' (pid {self.pid})' if self.pid else ''}"


class StartLock:
    """A lock that is held until `release`, or until the process ends, however it ends."""

    def __init__(self, handle: int):
        self._handle: int | None = handle

    def release(self) -> None:
        """Let others start; safe to repeat."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        with contextlib.suppress(OSError):  # what a lock says is not believed once nobody holds it
            os.ftruncate(handle, 0)
        # Closing alone would leave the lock to a child that is just being started and has not closed its copy yet.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def lock_path(uuid: str, folder: Path | None = None) -> Path:
    """The lock of a GPU or of a MIG slice; old drivers write slashes into the UUID of a slice."""
    return (folder or Path(tempfile.gettempdir())) / f"bertmt-{uuid.replace('/', '_')}.lock"


def take_start_lock(uuid: str, run_id: str, folder: Path | None = None) -> StartLock | None:
    """Take the lock of a GPU without waiting; None where somebody holds it.

    Args:
        run_id: of the run that starts, for others to read.
        folder: the system's temporary folder if None.

    Raises:
        BusyError: what lies there cannot serve as a lock.
    """
    path = lock_path(uuid, folder)
    for _ in range(_TRIES):
        try:
            handle = _open(path)
        except (FileNotFoundError, FileExistsError):  # removed or made by another in this very moment
            continue
        except OSError as problem:
            raise _unusable(path, reason_of(problem)) from None
        lock = None
        try:
            lock = _lock(handle, path, run_id)
        except BlockingIOError:
            return None
        except OSError as problem:
            raise _unusable(path, reason_of(problem)) from None
        finally:
            if lock is None:
                os.close(handle)
        if lock is not None:
            return lock
    raise _unusable(path, "it is removed again and again")


def who_starts(uuid: str, folder: Path | None = None) -> Starter | None:
    """Who holds the lock of a GPU; None where nobody does, whatever the file still says."""
    try:
        handle = os.open(lock_path(uuid, folder), os.O_RDONLY | _FLAGS)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            # Shared: two who only ask do not take each other for a holder.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _starter(os.pread(handle, _LONGEST, 0))
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


def _open(path: Path) -> int:
    # Not with O_CREAT at once: with fs.protected_regular Linux then refuses a file of another user in a folder like
    # /tmp (Documentation/admin-guide/sysctl/fs.rst).
    try:
        return os.open(path, os.O_RDWR | _FLAGS)
    except FileNotFoundError:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, _FOR_ALL)


def _lock(handle: int, path: Path, run_id: str) -> StartLock | None:
    """The lock, or None where the file was removed meanwhile, so that the next one will lock another.

    Raises:
        BlockingIOError: somebody holds it.
        BusyError, OSError: it cannot serve.
    """
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise _unusable(path, "it is no plain file")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    found = os.fstat(handle)
    try:
        if not os.path.samestat(found, path.lstat()):
            return None
    except FileNotFoundError:
        return None
    if found.st_nlink > 1:
        raise _unusable(path, "it is a second name of another file")
    said = os.pread(handle, len(_BEGINNING), 0)
    if said and said != _BEGINNING:
        raise _unusable(path, "something else is written in it")
    # Only what is surely a lock is opened to all.
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != _FOR_ALL:
        os.fchmod(handle, _FOR_ALL)  # the umask took rights away
    _say_who(handle, run_id)
    return StartLock(handle)


def _say_who(handle: int, run_id: str) -> None:
    words = {"bertmt": "start", "user": user_name(os.geteuid()), "pid": os.getpid(), "run": run_id}
    with contextlib.suppress(OSError):  # on a full disk the lock holds as well
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(words).encode() + b"\n", 0)


def _starter(said: bytes) -> Starter:
    try:
        words = json.loads(said)
    except (ValueError, RecursionError):
        return Starter()
    if not isinstance(words, dict):
        return Starter()
    user, pid, run_id = words.get("user"), words.get("pid"), words.get("run")
    return Starter(
        user if isinstance(user, str) else None,
        pid if isinstance(pid, int) else None,
        run_id if isinstance(run_id, str) else None,
    )


def _unusable(path: Path, why: str | None) -> BusyError:
    return BusyError(
        f"No run can be started on this GPU, since its lock {path} cannot be used ({why}): remove it, or ask its owner "
        f"or an administrator to."
    )
