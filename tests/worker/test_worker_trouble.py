"""What a worker does where a registry is locked, a folder cannot be read, or another worker is faster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from changed_run import changed
from fake_nvml import FakeNvml, memory
from present import present
from worker_rounds import process_of, run_until

from bertmt.devices.gpus import read_gpus
from bertmt.devices.slots import DeviceSlot
from bertmt.errors import BertmtError, BusyError, RegistryError
from bertmt.launchers.local import AdoptedChild
from bertmt.registry import workers
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.run_folder.layout import hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import control
from bertmt.services.lifecycle.bulk import for_all
from bertmt.worker import claiming
from bertmt.worker import worker as worker_module
from bertmt.worker.admission import Admission
from bertmt.worker.settling import Work
from bertmt.worker.worker import Worker

SLOT, GPU = DeviceSlot("cpu", "cpu", 1), DeviceSlot("gpu0", "GPU-aaaa", 1)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TROUBLE_SECONDS", "HEARTBEAT_SECONDS", "UNREAD_SECONDS"):
        monkeypatch.setattr(worker_module, name, 0)


@pytest.fixture
def orphan(database: Database, add_run: AddRun) -> Run:
    """A run whose worker and process are gone, and that wrote nothing."""
    add_run("wait")
    gone = workers.register(database, ["cpu"])
    run = present(claim_next(database, gone, "cpu"))
    workers.end(database, gone)
    folder_of(database, run).path.mkdir(parents=True)
    database.execute("UPDATE runs SET started_at = '2020-01-01T00:00:00.000+00:00'")
    return run


def locked_once(real: Any) -> Callable[..., Any]:
    calls = []

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise RegistryError("The registry is locked.")
        return real(*arguments, **options)

    return call


@pytest.mark.parametrize(("module", "name"), [(claiming, "claim_next"), (worker_module, "snapshot_of")])
def test_a_locked_registry_leaves_no_gpu_reserved(
    database: Database,
    add_run: AddRun,
    said: Any,
    stand_in_child: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
) -> None:
    nvml, ticks = FakeNvml([{"uuid": "GPU-aaaa", "memory": memory(16_384, 16_000)}]), iter(range(0, 10**9, 10))
    admission = Admission([GPU], read=lambda uuids: read_gpus(uuids, nvml), clock=ticks.__next__, folder=tmp_path)
    worker, run = Worker(database, [GPU], said.append, stand_in_child, admission), add_run("finish")
    monkeypatch.setattr(module, name, locked_once(getattr(module, name)))
    worker._safe_round()
    run_until(worker, lambda: run_by_key(database, run.key).state is State.FINISHED)
    assert not any("first step" in line for line in said)


@pytest.mark.parametrize(("request_word", "state"), [("cancel", State.CANCELLED), (None, State.FAILED)])
def test_a_run_that_ended_in_a_folder_that_stays_unreadable_is_given_up(
    database: Database, add_run: AddRun, worker: Worker, said: Any, request_word: str | None, state: State
) -> None:
    run, other = add_run("wait"), add_run("finish")
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    events = folder_of(database, run).events(1)
    events.rename(events.with_suffix(".kept"))
    events.mkdir()
    [work] = worker.children.values()
    process_of(work).kill()
    process_of(work).wait()
    database.execute("UPDATE runs SET request = ? WHERE key = ?", (request_word, run.key))
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
    assert run_by_key(database, run.key).state is state
    assert sum("will look again" in line for line in said) == 1


def test_an_orphan_that_cannot_be_read_keeps_no_draining_worker(
    database: Database, orphan: Run, worker: Worker
) -> None:
    folder_of(database, orphan).events(1).mkdir()
    worker.work(drain=True)
    assert run_by_key(database, orphan.key).state is State.FAILED


def test_an_adopted_child_whose_run_another_worker_works_now_frees_its_slot(
    database: Database, add_run: AddRun, worker: Worker
) -> None:
    add_run("wait")
    run = claim_next(database, worker.key, "cpu")
    folder = folder_of(database, present(run))
    folder.path.mkdir(parents=True)
    worker.children[SLOT] = Work(present(run), AdoptedChild(folder))
    database.execute("UPDATE runs SET attempt = 2, worker = ?", (workers.register(database, ["cpu"]),))
    with hold_alive(folder):
        worker.round()
    assert worker.children == {} and run_by_key(database, present(run).key).state is State.RUNNING


def test_an_attempt_that_begins_while_the_old_one_is_read_is_not_taken_for_its_own(
    database: Database, add_run: AddRun, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run("wait")
    run = claim_next(database, worker.key, "cpu")
    folder_of(database, present(run)).path.mkdir(parents=True)
    with hold_alive(folder_of(database, present(run))):
        work = worker.children[SLOT] = Work(present(run), AdoptedChild(folder_of(database, present(run))))
        monkeypatch.setattr(worker_module, "ingest", lambda database, run: changed(run, attempt=2))
        worker._look_after(SLOT, work)
        assert worker.children[SLOT].run.attempt == 1


def test_a_refusal_does_not_undo_that_a_process_was_found_to_be_gone(database: Database, orphan: Run) -> None:
    folder_of(database, orphan).events(1).write_text("")
    with pytest.raises(BusyError):
        for_all(database, [orphan], control.pause)
    assert run_by_key(database, orphan.key).state is State.QUEUED, "lost once, so queued again"


def test_one_strange_lock_keeps_no_other_child_from_its_signal(
    database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run("wait"), add_run("wait")
    runs = [claim_next(database, None, "cpu"), claim_next(database, None, "cpu")]
    for run in runs:
        folder_of(database, present(run)).path.mkdir(parents=True)
    folder_of(database, present(runs[0])).alive.write_text("no number of a process, but much longer")
    told = []
    monkeypatch.setattr("bertmt.launchers.local.os.kill", lambda pid, number: told.append(number))
    with hold_alive(folder_of(database, present(runs[1]))):
        control.stop_orphans(database, [control.cancel(database, present(run)) for run in runs])
    assert len(told) == 1


def test_checkpoints_stay_where_the_registry_cannot_store_that_they_are_not_wanted(
    database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run("failed")
    run = claim_next(database, None, "cpu")
    database.execute("UPDATE runs SET state = 'failed'")
    folder = folder_of(database, present(run)).checkpoints().folder
    folder.mkdir(parents=True)

    def full(*_: Any) -> None:
        raise BertmtError("The disk is full.")

    monkeypatch.setattr("bertmt.services.lifecycle.control._queued_anew", full)
    with pytest.raises(BertmtError, match="full"):
        control.begin_anew(database, [run_by_key(database, present(run).key)])
    assert folder.is_dir()
