"""Asking workers to end: a request in the registry, which reaches them on any machine and outlives who asked."""

from bertmt.errors import NotFoundError
from bertmt.registry import workers
from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.services.workers import alive_workers


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


def find_worker(database: Database, key: int) -> Worker:
    """The worker of that number.

    Raises:
        NotFoundError: none of that number is alive.
    """
    found = next((worker for worker in alive_workers(database) if worker.key == key), None)
    if found is None:
        raise NotFoundError(f"No worker {key} is alive; `bertmt workers` lists those that are.")
    return found


def _ask(database: Database, worker: Worker, request: str) -> Worker:
    with database.immediate():
        find_worker(database, worker.key)
        workers.ask(database, worker.key, request)
        return find_worker(database, worker.key)
