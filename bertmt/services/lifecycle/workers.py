"""Starting workers and seeing which are there; the worker itself is another process."""

import os
import subprocess
import sys
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, reason_of
from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.registry.workers import running_workers
from bertmt.run_folder.event_files import tail_lines


def worker_command(registry: Path, drain: bool = False, slots: int = 1, device: str = "auto") -> list[str]:
    """The command line of a worker."""
    command = [sys.executable, "-m", "bertmt.worker", "--db", str(registry), "--slots", str(slots), "--device", device]
    return [*command, "--drain"] if drain else command


def worker_log(registry: Path) -> Path:
    """Where detached workers of a registry write."""
    return paths.runs_folder(registry) / "worker.log"


def worker_log_lines(registry: Path, count: int) -> list[str]:
    """The last lines that detached workers of a registry wrote."""
    return tail_lines(worker_log(registry), count)


def start_detached_worker(registry: Path, drain: bool = False, slots: int = 1, device: str = "auto") -> int:
    """Start a worker in its own session, which survives the terminal, and return its pid.

    Raises:
        BertmtError: its log cannot be opened.
    """
    log = worker_log(registry)
    try:
        atomic_files.make_folder(log.parent)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as problem:
        raise BertmtError(f"The worker's log {log} cannot be written: {reason_of(problem)}.") from None
    try:
        process = subprocess.Popen(
            worker_command(registry, drain, slots, device),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    return process.pid


def alive_workers(database: Database) -> list[Worker]:
    """The workers of a registry whose process is there."""
    return running_workers(database)
