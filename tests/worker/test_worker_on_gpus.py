"""A worker over GPUs, against a stand-in for NVML and children that do not train."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from fake_nvml import FakeNvml, memory
from present import present
from worker_rounds import run_until

from bertmt.devices.gpus import read_gpus
from bertmt.devices.slots import DeviceSlot
from bertmt.devices.start_lock import take_start_lock
from bertmt.registry.database import Database
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.worker.admission import Admission
from bertmt.worker.worker import Worker

GPU, CPU = DeviceSlot("gpu0", "GPU-aaaa", 1), DeviceSlot("cpu", "cpu", 1)


@pytest.fixture
def cards() -> list[Any]:
    return [{"uuid": "GPU-aaaa", "memory": memory(16_384, 16_000)}]


@pytest.fixture
def start_worker(
    database: Database, stand_in_child: tuple[str, ...], cards: Any, said: Any, tmp_path: Path
) -> Callable[..., Worker]:
    """`start_worker(GPU, CPU)`: a worker whose NVML is asked in every round."""

    def start(*slots: Any) -> Worker:
        nvml = FakeNvml(cards)
        admission = Admission(
            slots, read=lambda uuids: read_gpus(uuids, nvml), clock=iter(range(0, 10**9, 10)).__next__, folder=tmp_path
        )
        return Worker(database, slots, said.append, stand_in_child, admission)

    return start


def test_a_run_is_bound_to_its_gpu_by_uuid(
    database: Database, add_run: AddRun, start_worker: Callable[..., Worker]
) -> None:
    run = add_run("finish")
    start_worker(GPU).work(drain=True)
    run = run_by_key(database, run.key)
    assert (run.state, run.execution.device) == (State.FINISHED, "GPU-aaaa")


def test_a_run_waits_while_another_user_starts_there_and_its_attempt_is_not_used_up(
    database: Database, add_run: AddRun, start_worker: Callable[..., Worker], said: Any, tmp_path: Path
) -> None:
    run, worker = add_run("finish"), start_worker(GPU)
    lock = take_start_lock("GPU-aaaa", "theirs", tmp_path)
    for _ in range(3):
        worker.round()
    assert (run_by_key(database, run.key).state, run_by_key(database, run.key).attempt) == (State.QUEUED, 0)
    assert len(said) == 1 and "has not taken its first step there" in said[0], "a refusal is said once"
    present(lock).release()
    run_until(worker, lambda: run_by_key(database, run.key).state is State.FINISHED)


def test_the_lock_is_free_once_the_first_step_is_done_though_the_run_goes_on(
    database: Database, add_run: AddRun, start_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    run, worker = add_run("wait"), start_worker(GPU)
    worker.round()
    assert take_start_lock("GPU-aaaa", "theirs", tmp_path) is None
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    worker.round()
    theirs = take_start_lock("GPU-aaaa", "theirs", tmp_path)
    assert theirs is not None
    theirs.release()
    worker.stopping = True
    worker.work(drain=True)


def test_a_run_waits_until_enough_memory_is_free(
    database: Database, add_run: AddRun, start_worker: Callable[..., Worker], cards: Any, said: Any
) -> None:
    run, worker = add_run("finish"), start_worker(GPU)
    cards[0]["memory"] = memory(16_384, 100)
    worker.round()
    assert run_by_key(database, run.key).state is State.QUEUED
    assert "100 of 16,384 MiB are free" in said[0]
    cards[0]["memory"] = memory(16_384, 16_000)
    run_until(worker, lambda: run_by_key(database, run.key).state is State.FINISHED)


def test_a_gpu_that_vanishes_fails_its_run_not_the_worker(
    database: Database, add_run: AddRun, start_worker: Callable[..., Worker], cards: Any
) -> None:
    run, worker = add_run("stubborn"), start_worker(GPU, CPU)
    database.execute("UPDATE runs SET wants = 'gpu' WHERE key = ?", (run.key,))
    run_until(worker, lambda: run_by_key(database, run.key).progress.step == 19)
    cards.clear()
    run_until(worker, lambda: run_by_key(database, run.key).state is not State.RUNNING)
    run = run_by_key(database, run.key)
    assert (run.state, run.execution.failure) == (State.FAILED, "its GPU GPU-aaaa has disappeared; see `nvidia-smi`")
    other = add_run("finish")
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
    assert run_by_key(database, other.key).execution.device == "cpu"


def test_a_run_that_needs_more_memory_than_the_card_has_gives_the_card_back_and_is_tried_once_more(
    database: Database,
    add_run: AddRun,
    start_worker: Callable[..., Worker],
    cards: Any,
    said: Any,
    tmp_path: Path,
) -> None:
    run, worker = add_run("shortage"), start_worker(GPU)
    worker.round()
    assert take_start_lock("GPU-aaaa", "theirs", tmp_path) is None, "it was not admitted"
    run_until(worker, lambda: run_by_key(database, run.key).state is State.FAILED)
    run = run_by_key(database, run.key)
    assert (run.attempt, run.execution.saves_memory, run.execution.device) == (2, 1, "GPU-aaaa")
    assert run.execution.failure == "Out of memory: needed 9 GiB, 1 GiB is free."
    orders = folder_of(database, run).read_order()
    assert (orders.device, orders.saves_memory) == ("cuda:GPU-aaaa", True)
    present(take_start_lock("GPU-aaaa", "theirs", tmp_path)).release()
    other = add_run("finish")
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
    assert run_by_key(database, other.key).execution.device == "GPU-aaaa"


def test_a_card_that_vanishes_before_the_first_step_is_given_back_and_takes_runs_once_it_returns(
    database: Database,
    add_run: AddRun,
    start_worker: Callable[..., Worker],
    cards: Any,
    said: Any,
    tmp_path: Path,
) -> None:
    run, worker = add_run("unready"), start_worker(GPU)
    worker.round()
    assert take_start_lock("GPU-aaaa", "theirs", tmp_path) is None, "it was not admitted"
    cards[0]["off_bus"] = True
    run_until(worker, lambda: run_by_key(database, run.key).state is State.FAILED)
    assert run_by_key(database, run.key).execution.failure == "its GPU GPU-aaaa has disappeared; see `nvidia-smi`"
    present(take_start_lock("GPU-aaaa", "theirs", tmp_path)).release()
    other = add_run("finish")
    worker.round()
    assert run_by_key(database, other.key).state is State.QUEUED
    assert "gpu0 (GPU-aaaa) has disappeared; see `nvidia-smi`." in said
    cards[0]["off_bus"] = False
    run_until(worker, lambda: run_by_key(database, other.key).state is State.FINISHED)
