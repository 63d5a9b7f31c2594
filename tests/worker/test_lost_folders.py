"""Locks and folders that are deleted or moved while a child lives: its run is worked once all the same."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from present import present
from worker_rounds import process_of, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, transitions
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import cancel, stop_orphans
from bertmt.services.plan.own_code import sources_of
from bertmt.worker import worker as worker_module
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0)


@pytest.fixture
def adopted(
    database: Database, add_run: AddRun, worker: Worker, stand_in_child: tuple[str, ...]
) -> Iterator[Callable[..., tuple[Run, Worker]]]:
    """`adopted(name)`: a run whose first worker is gone, and the worker that adopted it."""

    def adopt(name: str = "wait") -> tuple[Run, Worker]:
        run = add_run(name)
        run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
        database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
        other = Worker(database, [SLOT], lambda line: None, stand_in_child)
        run_until(other, lambda: run_by_key(database, run.key).execution.worker == other.key)
        return run_by_key(database, run.key), other

    yield adopt
    for work in worker.children.values():
        process_of(work).kill()
        process_of(work).wait()


def rounds(worker: Worker, count: int = 5) -> None:
    for _ in range(count):
        worker.round()


def states(database: Database, run: Run) -> list[str]:
    return [each.state_after for each in transitions(database, run.key)][2:]


def test_who_adopts_a_run_needs_no_sources_for_it(
    database: Database, adopted: Callable[..., tuple[Run, Worker]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be gone from the registry by now, and the child has its own."""
    read = []
    monkeypatch.setattr(worker_module, "sources_of", lambda *asked: read.append(asked) or sources_of(*asked))
    run, other = adopted()
    assert [work.run.key for work in other.children.values()] == [run.key]
    assert len(read) == 1, "by the worker that launched it"


@pytest.mark.parametrize("knows_its_process", [True, False])
def test_an_adopted_run_whose_lock_is_deleted_is_not_worked_twice(
    database: Database, adopted: Callable[..., tuple[Run, Worker]], knows_its_process: bool
) -> None:
    run, other = adopted()
    if not knows_its_process:  # as while it loads its data
        database.execute("UPDATE summaries SET started = NULL")
    folder_of(database, run).alive.unlink()
    rounds(other)
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).attempt == 1 and states(database, run) == ["running"]
    cancel(database, run)
    run_until(other, lambda: run_by_key(database, run.key).state is State.CANCELLED)


def test_an_adopted_run_whose_folder_is_moved_is_not_worked_twice(
    database: Database, adopted: Callable[..., tuple[Run, Worker]]
) -> None:
    run, other = adopted()
    folder = folder_of(database, run).path
    folder.rename(folder.with_name("away"))
    rounds(other)
    ingest_running(database, silent_only=False)
    assert run_by_key(database, run.key).attempt == 1 and states(database, run) == ["running"]
    assert not folder.exists(), "a folder in its place would be taken for the run's"
    folder.with_name("away").rename(folder)
    cancel(database, run)
    run_until(other, lambda: run_by_key(database, run.key).state is State.CANCELLED)


def test_what_is_asked_of_a_run_whose_folder_is_moved_reaches_its_child(
    database: Database, adopted: Callable[..., tuple[Run, Worker]], worker: Worker
) -> None:
    run, _ = adopted()
    folder = folder_of(database, run).path
    folder.rename(folder.with_name("away"))
    database.execute("UPDATE workers SET ended_at = 'now'")
    stop_orphans(database, [cancel(database, run)])
    [work] = worker.children.values()
    assert process_of(work).wait(timeout=20) == 143


def test_a_run_whose_folder_is_moved_is_lost_once_its_child_is_gone(
    database: Database, adopted: Callable[..., tuple[Run, Worker]], worker: Worker
) -> None:
    run, other = adopted()
    folder = folder_of(database, run).path
    folder.rename(folder.with_name("away"))
    [work] = worker.children.values()
    process_of(work).kill()
    process_of(work).wait()
    other.stopping = True
    run_until(other, lambda: run_by_key(database, run.key).state is State.QUEUED)
    assert states(database, run)[-2:] == ["lost", "queued"]


def test_a_child_of_an_older_version_is_known_by_its_lock_alone(
    database: Database, adopted: Callable[..., tuple[Run, Worker]]
) -> None:
    run, other = adopted("wait-old")
    assert present(run.progress.started).process_start == ""
    rounds(other)
    assert states(database, run) == ["running"]
    os.kill(present(present(run.progress.started).pid), signal.SIGKILL)
    other.stopping = True
    end = time.monotonic() + 20
    while run_by_key(database, run.key).state is State.RUNNING and time.monotonic() < end:
        other.round()
    assert states(database, run)[-2:] == ["lost", "queued"]


def test_a_child_that_says_that_its_folder_is_anothers_makes_its_run_lost_not_failed(
    database: Database, add_run: AddRun, said: Any, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import sys\nfrom pathlib import Path\nfrom bertmt.run_folder.event_files import EventWriter\n"
        "from bertmt.run_folder.events import Displaced, now\n"
        "events = EventWriter(Path(sys.argv[1]) / f'events-{sys.argv[2]}.jsonl', fresh=True)\n"
        "events.write(Displaced(at=now(), step=3, reason='It was moved.'))\nsys.exit(6)\n"
    )
    run = add_run("displaced", requeue_lost=False)
    Worker(database, [SLOT], said.append, [sys.executable, str(child)]).work(drain=True)
    assert states(database, run) == ["running", "lost"]
    reasons = [each.reason for each in transitions(database, run.key)][-2:]
    assert reasons == ["It was moved.", "its folder was moved or replaced while it worked there"]
