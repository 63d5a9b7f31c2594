"""Asking workers to end or go on: a request in the registry, which reaches them anywhere and outlives who asked."""

from bertmt.errors import BusyError, NotFoundError
from bertmt.registry import workers
from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.services.lifecycle.workers import alive_workers


def stop_worker(database: Database, worker: Worker) -> Worker:
    """Ask a worker to end now: its running runs go back to the queue.

    Raises:
        NotFoundError: it has ended.
    """
    return _ask(database, worker, "stop")


def drain_worker(database: Database, worker: Worker) -> Worker:
    """Ask a worker to end once nothing waits and nothing runs there; one that stops already goes on stopping.

    Raises:
        NotFoundError: it has ended.
    """
    return _ask(database, worker, "drain")


def let_go_on(database: Database, worker: Worker) -> Worker:
    """Let a worker start runs again that stopped doing so because several died in a row.

    Raises:
        NotFoundError: it has ended.
        BusyError: it starts runs as it is.
    """
    if worker.guard is None:
        raise BusyError(f"Worker {worker.key} is not halted; `bertmt workers` shows what it is doing.")
    return _ask(database, worker, "go on")


def find_worker(database: Database, key: int) -> Worker:
    """The worker of that number.

    Raises:
        NotFoundError: none of that number is alive.
    """
    found = next((worker for worker in alive_workers(database) if worker.key == key), None)
    if found is None:
        raise NotFoundError(f"There is no live worker {key}; `bertmt workers` lists them.")
    return found


def _ask(database: Database, worker: Worker, request: str) -> Worker:
    with database.immediate():
        find_worker(database, worker.key)
        workers.ask(database, worker.key, request)
        return find_worker(database, worker.key)
