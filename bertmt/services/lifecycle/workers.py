"""Starting workers and seeing which are there; the worker itself is another process."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bertmt import atomic_files, paths
from bertmt.errors import BertmtError, reason_of
from bertmt.launchers.protocol import LOCAL
from bertmt.launchers.workers import become, run_in_front, start_in_background, worker_command
from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.registry.workers import running_workers
from bertmt.run_folder.event_files import tail_lines


def worker_log(registry: Path) -> Path:
    """Where detached workers of a registry write."""
    return paths.runs_folder(registry) / "worker.log"


def worker_log_lines(registry: Path, count: int) -> list[str]:
    """The last lines that detached workers of a registry wrote."""
    return tail_lines(worker_log(registry), count)


def elsewhere(launcher: str, settings: Sequence[str]) -> list[str]:
    """The options with which a worker starts runs by another launcher than this machine's."""
    return [f"--launcher={launcher}", *(f"--set={each}" for each in settings)] if launcher != LOCAL or settings else []


def start_detached_worker(
    registry: Path, drain: bool = False, slots: int = 1, device: str = "auto", options: Sequence[str] = ()
) -> int:
    """Start a worker in its own session, which survives the terminal, and return its pid.

    Raises:
        BertmtError: its log cannot be opened.
    """
    log = worker_log(registry)
    try:
        atomic_files.make_folder(log.parent)
        return start_in_background(worker_command(registry, drain, slots, device, options), log)
    except OSError as problem:
        raise BertmtError(f"The worker's log {log} cannot be written: {reason_of(problem)}.") from None


def work_until_empty(registry: Path) -> int:
    """Work the queue in front of this process until nothing waits; the worker's exit code."""
    return run_in_front(worker_command(registry, drain=True))


def become_worker(registry: Path, drain: bool, slots: int, device: str, options: Sequence[str] = ()) -> NoReturn:
    """Work the queue in the place of this process."""
    become(worker_command(registry, drain, slots, device, options))


def alive_workers(database: Database) -> list[Worker]:
    """The workers of a registry whose process is there."""
    return running_workers(database)
