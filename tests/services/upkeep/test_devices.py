"""The history of a machine, which run is where, and who holds memory."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_nvml import GIB, FakeNvml

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.devices.gpus import Gpu, list_gpus
from bertmt.devices.processes import MachineProcess
from bertmt.registry import workers
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.upkeep import device_history, devices, machine
from bertmt.services.upkeep.device_history import DeviceHistory, Graph
from bertmt.services.upkeep.devices import Holder, look_at_devices, memory_by_owner, places_of
from bertmt.services.upkeep.machine import Machine

CARDS = ({"uuid": "GPU-aaaa"}, {"uuid": "GPU-bbbb"})


def cpu_at(seconds: float, *busy: float, free: int = 8192) -> Cpu:
    """A processor with as many threads as there are seconds that each was busy so far."""
    times = {number: CpuTimes(each, seconds) for number, each in enumerate(busy)}
    total = CpuTimes(sum(busy), seconds * len(busy), times)
    return Cpu("a processor", len(busy), len(busy), None, 16384, free, total)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def history() -> DeviceHistory:
    return DeviceHistory(Clock())


def note(history: Any, at: float, cpu: Cpu, gpus: tuple[Gpu, ...] = ()) -> None:
    history.clock.now = at
    history.note(Machine(cpu, gpus))


def gpus_of(*cards: Any) -> tuple[Gpu, ...]:
    return list_gpus(FakeNvml(list(cards)))


def graph(history: DeviceHistory, columns: int, threads: int = 2) -> Graph:
    return history.graph(columns, range(threads), [card["uuid"] for card in CARDS])


def test_each_thread_and_gpu_has_its_own_shares(history: DeviceHistory) -> None:
    note(history, 100, cpu_at(1000, 10, 10))
    note(history, 102, cpu_at(1002, 12, 11), gpus_of({**CARDS[0], "busy": 25}, {**CARDS[1], "busy": None}))
    found = graph(history, 2)
    assert found.cores[0].tolist()[1:] == [1.0] and found.cores[1].tolist()[1:] == [0.5]
    assert found.cpu[1] == 0.75 and np.isnan(found.cpu[0]), "one look tells nothing about a processor"
    assert found.memory.tolist() == [0.5, 0.5]
    busy, memory = found.gpus["GPU-aaaa"]
    assert busy[1] == 0.25 and memory[1] == pytest.approx(1 / 16)
    assert np.isnan(found.gpus["GPU-bbbb"][0][1])


def test_what_was_seen_within_a_column_is_its_mean(history: DeviceHistory) -> None:
    for at, busy in ((100, 0.0), (101, 1.0), (102, 1.0), (103, 1.5)):
        note(history, at, cpu_at(at, busy))
    assert graph(history, 1, threads=1).cores[0].tolist() == [0.25]


def test_a_look_that_comes_too_soon_is_not_noted(history: DeviceHistory) -> None:
    for at in (100, 100.5, 100.8):
        note(history, at, cpu_at(at, 0))
    assert len(history) == 1


def test_where_nobody_looked_the_last_share_stands_for_a_while_and_then_nothing(history: DeviceHistory) -> None:
    note(history, 100, cpu_at(100, 0), gpus_of(*CARDS))
    note(history, 120, cpu_at(120, 0), gpus_of(*CARDS))
    known = np.isfinite(graph(history, 11, threads=1).gpus["GPU-aaaa"][0])
    assert known.tolist() == [True] * 3 + [False] * 7 + [True]


def test_the_history_is_bounded(history: DeviceHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(device_history.MOST_MOMENTS + 50):
        note(history, at, cpu_at(at, 0))
    assert len(history) == device_history.MOST_MOMENTS
    assert len(graph(history, 7).cpu) == 7


def test_a_machine_whose_threads_change_keeps_its_history(history: DeviceHistory) -> None:
    """As where a container is given other ones: what was noted of other numbers is of no thread that is here."""
    note(history, 100, cpu_at(100, 0))
    note(history, 102, cpu_at(102, 1, 1))
    note(history, 104, cpu_at(104, 1, 3))
    assert graph(history, 1).cores[1].tolist() == [1.0]
    assert np.isnan(graph(history, 3).cores[1][0])


def test_an_empty_history_is_drawn_as_nothing(history: DeviceHistory) -> None:
    assert np.isnan(graph(history, 4).cpu).all()


def process(pid: int, busy: float, began: int = 1) -> MachineProcess:
    return MachineProcess(pid, 1, began, "alice", "python", 100, busy)


def test_a_process_is_as_busy_as_it_was_since_the_look_before(history: Any) -> None:
    assert history.busy_shares([process(1, 5.0), process(2, 0.0)]) == {}
    history.clock.now += 2
    assert history.busy_shares([process(1, 8.0), process(2, 0.0, began=9)]) == {(1, 1): 1.5}, "2 is another one"
    history.clock.now += 0.1
    assert history.busy_shares([process(1, 8.1)]) == {(1, 1): 1.5}, "too soon to judge"


def claimed(database: Database, add_run: Callable[..., Run], worker: int | None, device: str) -> Run:
    add_run(str(device))
    found = claim_next(database, worker, device)
    assert found is not None
    return found


def slots_of(database: Database, gpus: tuple[Gpu, ...]) -> list[tuple[str, Any, str | None]]:
    found = places_of(workers.running_workers(database), all_runs(database, "runs.state = 'running'"), gpus)
    return [(each.slot, each.worker.key if each.worker else None, each.run.id if each.run else None) for each in found]


def test_every_slot_shows_the_run_on_its_device(database: Database, add_run: Callable[..., Run]) -> None:
    first = workers.register(database, ["gpu0", "gpu1", "cpu"])
    second = workers.register(database, ["cpu-1", "cpu-2"])
    on_card = claimed(database, add_run, first, "GPU-bbbb")
    on_cpu = claimed(database, add_run, second, "cpu")
    assert slots_of(database, gpus_of(*CARDS)) == [
        ("gpu0", first, None), ("gpu1", first, on_card.id), ("cpu", first, None),
        ("cpu-1", second, on_cpu.id), ("cpu-2", second, None),
    ]  # fmt: skip


def test_slots_of_one_device_are_filled_in_the_order_of_their_starts(
    database: Database, add_run: Callable[..., Run]
) -> None:
    worker = workers.register(database, ["gpu0-1", "gpu0-2", "gpu1-1"])
    runs = [claimed(database, add_run, worker, "GPU-aaaa") for _ in range(2)]
    assert slots_of(database, gpus_of(*CARDS)) == [
        ("gpu0-1", worker, runs[0].id), ("gpu0-2", worker, runs[1].id), ("gpu1-1", worker, None),
    ]  # fmt: skip


def test_a_card_of_another_machine_is_a_slot_that_is_no_cpu(database: Database, add_run: Callable[..., Run]) -> None:
    worker = workers.register(database, ["cpu", "gpu0"])
    run = claimed(database, add_run, worker, "GPU-elsewhere")
    assert slots_of(database, ()) == [("cpu", worker, None), ("gpu0", worker, run.id)]


def test_runs_beyond_the_slots_and_of_no_worker_are_shown_too(database: Database, add_run: Callable[..., Run]) -> None:
    worker = workers.register(database, ["cpu"])
    runs = [claimed(database, add_run, each, "cpu") for each in (worker, worker, None)]
    assert slots_of(database, ()) == [
        ("cpu", worker, runs[0].id),
        ("cpu", worker, runs[1].id),
        ("cpu", None, runs[2].id),
    ]


@pytest.fixture
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards; this process and one outside of the container are on the first."""
    held = [(os.getpid(), 3 * GIB), (999_999_999, None)]
    monkeypatch.setattr(machine, "read_cpu", lambda: cpu_at(100, 1, 1))
    monkeypatch.setattr(machine, "list_gpus", lambda: gpus_of({**CARDS[0], "processes": held}, CARDS[1]))


def test_processes_are_joined_with_their_gpu_memory_and_their_worker(
    database: Database, history: DeviceHistory, this_machine: None
) -> None:
    worker = workers.register(database, ["cpu"])
    found = look_at_devices(database, [], history)
    own = next(each for each in found.holders if each.pid == os.getpid())
    assert own.gpu_memory_mib == {0: 3072} and own.what == f"worker {worker}" and own.run is None
    assert found.holders[0] is own, "memory of GPUs counts first"
    stranger = next(each for each in found.holders if each.pid == 999_999_999)
    assert (stranger.user, stranger.memory_mib, stranger.gpu_memory_mib) == ("", None, {0: None})
    assert len(history) == 1


def test_a_process_that_works_a_run_is_called_by_it(
    database: Database, history: DeviceHistory, this_machine: None, add_run: Callable[..., Run], monkeypatch: Any
) -> None:
    run = claimed(database, add_run, None, "cpu")
    monkeypatch.setattr(devices, "its_process", lambda database, run: process(os.getpid(), 0))
    own = next(each for each in look_at_devices(database, [run], history).holders if each.pid == os.getpid())
    assert own.run == run and own.what == f"run {run.id}"


def test_memory_is_summed_by_owner(tmp_path: Path) -> None:
    alice = Holder(
        pid=1, began=1, user="alice", command="python", memory_mib=100, busy=None, gpu_memory_mib={0: 50, 1: None}
    )
    bob = replace(alice, pid=3, user="bob", memory_mib=900, gpu_memory_mib={})
    found = memory_by_owner([alice, replace(alice, pid=2), bob])
    assert found == [("alice", 200, 100), ("bob", 900, 0)]
