"""The folder of a registry that is moved while a worker and its children live."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from call_types import AddRun
from worker_rounds import process_of, run_until

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import MovedRegistryError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.services.ingest.reconcile import declare_dead, ingest_running
from bertmt.services.ingest.watch import Watch
from bertmt.services.lifecycle.control import cancel
from bertmt.worker import worker as worker_module
from bertmt.worker.worker import Worker

SLOT = DeviceSlot("cpu", "cpu", 1)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_registry(tmp_path / "old" / "runs.db", create=True) as opened:
        yield opened


@pytest.fixture
def moved(database: Database, add_run: AddRun, worker: Worker, tmp_path: Path) -> Iterator[tuple[Run, Run]]:
    """A run whose child works on while its registry is elsewhere, and what waits behind it."""
    run, waiting = add_run("wait"), add_run("finish")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    (tmp_path / "old").rename(tmp_path / "new")
    yield run, waiting
    for work in worker.children.values():
        process_of(work).kill()
        process_of(work).wait()


def test_a_worker_stops_makes_nothing_and_leaves_its_child(
    database: Database, moved: tuple[Run, Run], worker: Worker, tmp_path: Path
) -> None:
    with pytest.raises(MovedRegistryError, match="has been moved or deleted"):
        worker.work(drain=False)
    [work] = worker.children.values()
    assert process_of(work).poll() is None
    assert not (tmp_path / "old").exists()


def test_a_worker_at_the_new_place_adopts_what_runs_and_takes_what_waits(
    database: Database, moved: tuple[Run, Run], worker: Worker, tmp_path: Path, stand_in_child: tuple[str, ...]
) -> None:
    run, waiting = moved
    database.execute("UPDATE workers SET process_start = 'of a process that is gone'")
    with open_registry(tmp_path / "new" / "runs.db") as there:
        other = Worker(there, [SLOT], lambda line: None, stand_in_child)
        run_until(other, lambda: run_by_key(there, run.key).execution.worker == other.key)
        assert run_by_key(there, run.key).attempt == 1
        cancel(there, run)
        other.work(drain=True)
        states = [run_by_key(there, each.key).state for each in (run, waiting)]
        assert states == [State.CANCELLED, State.FINISHED]


def test_another_registry_at_the_old_place_stops_it_too_and_gets_none_of_its_runs(
    database: Database, moved: tuple[Run, Run], worker: Worker, tmp_path: Path
) -> None:
    with open_registry(tmp_path / "old" / "runs.db", create=True), pytest.raises(MovedRegistryError, match="another"):
        worker.work(drain=False)
    assert not (tmp_path / "old" / "runs").exists()


def test_nobody_at_the_old_place_takes_a_moved_run_for_dead(
    database: Database, moved: tuple[Run, Run], worker: Worker, tmp_path: Path
) -> None:
    run, _ = moved
    database.execute("UPDATE workers SET ended_at = 'now'")
    [work] = worker.children.values()
    process_of(work).kill()
    process_of(work).wait()
    for look in (ingest_running, lambda it: declare_dead(it, run, "gone"), lambda it: Watch(it).poll()):
        with pytest.raises(MovedRegistryError):
            look(database)
    assert not (tmp_path / "old").exists() and run_by_key(database, run.key).state is State.RUNNING


def test_a_registry_may_be_moved_while_nobody_has_it_open_and_a_hard_link_is_no_move(
    tmp_path: Path, database: Database
) -> None:
    os.link(database.path, database.path.with_name("linked.db"))
    database.check_place()
    database.path.unlink()
    with pytest.raises(MovedRegistryError), database.immediate():
        pass
