"""Who works on what."""

from dataclasses import dataclass

from bertmt.registry import queue
from bertmt.registry.database import Database
from bertmt.registry.records import Run, Worker
from bertmt.registry.states import State
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
    working = queue.running_ids(database)
    alive = tuple((worker, working.get(worker.key, [])) for worker in running_workers(database))
    return Workload(alive, count_queued(database), queue_is_held(database))


def count_queued(database: Database) -> int:
    """How many runs wait to be started."""
    return queue.count_in(database, State.QUEUED)


def count_before(database: Database, run: Run) -> int:
    """How many queued runs are started before this one."""
    return queue.count_before(database, run)


def count_running(database: Database) -> int:
    """How many runs are worked."""
    return queue.count_in(database, State.RUNNING)
