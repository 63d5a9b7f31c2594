"""Seeing that a detached worker has really started."""

import os
import time

from bertmt.errors import BertmtError
from bertmt.registry.database import Database
from bertmt.services.lifecycle.workers import alive_workers, worker_log, worker_log_lines

WAIT_SECONDS = 15.0  # importing what it needs takes a second, on a busy machine several


def await_worker(database: Database, pid: int) -> None:
    """Return once the worker that was started as `pid` is alive, or has ended well: nothing was queued.

    Raises:
        BertmtError: it ended badly, with its last words; or it has not begun in time.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if any(worker.pid == pid for worker in alive_workers(database)):
            return
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            if status == 0:
                return
            words = worker_log_lines(database.path, 1)
            raise BertmtError(f"The worker exited immediately: {words[0] if words else 'it said nothing'}")
        time.sleep(0.05)
    raise BertmtError(f"The worker has not started after {WAIT_SECONDS:.0f} s; see {worker_log(database.path)}.")
