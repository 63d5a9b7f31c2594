"""Who works on what."""

from dataclasses import dataclass

from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.registry.workers import running_workers
from bertmt.services.lifecycle.hold import queue_is_held


@dataclass(frozen=True)
class Workload:
    """The workers that are alive, each with the ids of the runs that it works; how many runs are queued.

    Attributes:
        held: whether the queue is held, so that none of them is started.
    """

    workers: tuple[tuple[Worker, list[str]], ...]
    queued: int
    held: bool


def workload(database: Database) -> Workload:
    """What is worked and what waits now."""
    working: dict[int, list[str]] = {}
    for key, run_id in database.execute("SELECT worker, id FROM runs WHERE state = 'running' ORDER BY key"):
        working.setdefault(key, []).append(run_id)
    queued: int = database.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0]
    alive = tuple((worker, working.get(worker.key, [])) for worker in running_workers(database))
    return Workload(alive, queued, queue_is_held(database))
