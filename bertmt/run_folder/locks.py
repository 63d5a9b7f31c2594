"""Locks on files that a process holds for its life: the kernel gives them back however it dies."""

import fcntl
import time

# Who looks whether a lock is held holds it himself for microseconds: only who still fails after a while is second.
PAUSES = (0.001, 0.01, 0.05, 0.1, 0.2, None)


def lock(handle: int) -> bool:
    """Lock an open file until it is closed; false where another process holds it."""
    for pause in PAUSES:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if pause is not None:
                time.sleep(pause)
    return False


def is_locked(handle: int) -> bool:
    """Whether another process holds the lock of an open file."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
