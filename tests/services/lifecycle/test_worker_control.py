"""Requests to workers: who can be asked, and what counts."""

from pathlib import Path

import pytest

from bertmt.errors import NotFoundError
from bertmt.registry import workers
from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.services.lifecycle.worker_control import drain_worker, find_worker, stop_worker
from bertmt.services.lifecycle.workers import worker_log, worker_log_lines


@pytest.fixture
def worker(database: Database) -> Worker:
    return find_worker(database, workers.register(database, ["cpu"]))


def test_a_request_is_stored_for_the_worker_to_find(database: Database, worker: Worker) -> None:
    assert worker.request is None
    assert drain_worker(database, worker).request == "drain"
    assert workers.request_of(database, worker.key) == "drain"


def test_a_draining_worker_can_be_stopped_but_not_the_other_way_round(database: Database, worker: Worker) -> None:
    drain_worker(database, worker)
    assert stop_worker(database, worker).request == "stop"
    assert drain_worker(database, worker).request == "stop"


def test_a_worker_of_another_machine_is_asked_too(database: Database, worker: Worker) -> None:
    database.execute("UPDATE workers SET host = 'far away' WHERE key = ?", (worker.key,))
    assert stop_worker(database, worker).request == "stop"


def test_one_worker_is_asked_not_all(database: Database, worker: Worker) -> None:
    other = workers.register(database, ["gpu0"])
    stop_worker(database, worker)
    assert workers.request_of(database, other) is None


def test_a_worker_that_has_ended_or_never_was_cannot_be_asked(database: Database, worker: Worker) -> None:
    workers.end(database, worker.key)
    with pytest.raises(NotFoundError, match=f"There is no live worker {worker.key}; `bertmt workers`"):
        stop_worker(database, worker)
    with pytest.raises(NotFoundError, match="no live worker 99"):
        find_worker(database, 99)


def test_the_last_lines_of_detached_workers_are_read(tmp_path: Path) -> None:
    registry = tmp_path / "runs.db"
    assert worker_log_lines(registry, 5) == []
    worker_log(registry).parent.mkdir()
    worker_log(registry).write_text("one\ntwo\nthree\n")
    assert worker_log_lines(registry, 2) == ["two", "three"]
