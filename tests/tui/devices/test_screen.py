"""The screen about the devices, over a fake NVML: graphs, slots with their runs, processes with their owners."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_nvml import GIB, FakeNvml, memory
from shown import Show, Shown

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.devices.gpus import list_gpus
from bertmt.devices.processes import MachineProcess
from bertmt.drawing.styled import cells, plain
from bertmt.registry.file.opening import open_registry
from bertmt.run_folder.events import now
from bertmt.services.upkeep import devices, machine
from bertmt.services.upkeep.device_history import DeviceHistory, Graph
from tui.screens.devices.panels import cpu_lines, gpu_lines
from tui.screens.devices.screen import heights_of

SIZES = [(80, 24), (120, 40), (200, 60)]
HOSTILE = "x\x1b[2J[b]"
MINUTES = 3


class Busy:
    """A machine that is looked at every two seconds: each thread is busier than the one before, and waves."""

    def __init__(self, threads: int, cards: int):
        self.threads, self.cards, self.looks = threads, cards, 0
        self.seen_on: set[str] = set()
        self.seconds = [0.0] * threads

    def now(self) -> float:
        return 1000.0 + 2 * self.looks

    def cpu(self) -> Cpu:
        self.seen_on.add(threading.current_thread().name)
        self.looks += 1
        for thread in range(self.threads):
            wave = abs((self.looks + 3 * thread) % 16 - 8) / 8
            self.seconds[thread] += 2 * wave
        times = {each: CpuTimes(busy, 2.0 * self.looks) for each, busy in enumerate(self.seconds)}
        total = CpuTimes(sum(self.seconds), 2.0 * self.looks * self.threads, times)
        cores = max(1, self.threads // 2)
        return Cpu(f"A processor{HOSTILE}", self.threads, cores, None, 65536, 20480, total)

    def gpus(self) -> Any:
        free = 16384 - 200 * (self.looks % 60)
        cards = [
            {"uuid": f"GPU-{number}", "name": f"NVIDIA Test{HOSTILE}".encode(), "memory": memory(81920, free),
             "busy": 5 * ((self.looks + number) % 20), "processes": [(4242, 3 * GIB), (999_999, (number + 1) * GIB)]}
            for number in range(self.cards)
        ]  # fmt: skip
        return list_gpus(FakeNvml(cards))

    def processes(self) -> tuple[MachineProcess, ...]:
        others = [("alice", "python", 9000), ("bob", HOSTILE, 3000), ("root", "sshd", 12)]
        found = [MachineProcess(100 + n, 1, n, *each, busy_seconds=0.5 * self.looks) for n, each in enumerate(others)]
        return (MachineProcess(4242, 1, 1, "alice", "python", 2500, 3.0 * self.looks), *found)


Machines = Callable[..., Busy]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Machines:
    """`busy(threads, cards)`: this machine is such a one from now on."""

    def make(threads: int = 8, cards: int = 2) -> Busy:
        found = Busy(threads, cards)
        monkeypatch.setattr(machine, "read_cpu", found.cpu)
        monkeypatch.setattr(machine, "list_gpus", found.gpus)
        monkeypatch.setattr(devices, "read_processes", found.processes)
        monkeypatch.setattr("tui.registry_lane.DeviceHistory", lambda: DeviceHistory(found.now))
        return found

    return make


@pytest.fixture
def working(registry: Path) -> Path:
    """A worker of this machine has the running run on the second card, and one elsewhere has nothing to do."""
    with open_registry(registry) as database, database.immediate():
        for key, host, slots in ((1, socket.gethostname(), ["gpu0", "gpu1"]), (2, f"far{HOSTILE}", ["cpu"])):
            database.execute(
                "INSERT INTO workers (key, host, pid, process_start, slots, started_at, heartbeat_at)"
                " VALUES (?, ?, ?, '', ?, ?, ?)",
                (key, host, 4240 + key, json.dumps(slots), now(), now()),
            )
        database.execute("UPDATE runs SET worker = 1, device = 'GPU-1' WHERE state = 'running'")
    return registry


@pytest.fixture
def workers_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their pids: they are there."""
    monkeypatch.setattr("bertmt.registry.workers.is_running", lambda worker: True)


async def look_for(shown: Shown, minutes: int) -> None:
    """Let some minutes pass in which the machine was looked at, and the screen show them."""
    await shown.app.ask(lambda session: [session.history.note(machine.read_machine()) for _ in range(30 * minutes)])
    shown.app.screen.reload()
    await shown.settle()


@pytest.mark.parametrize("size", SIZES)
async def test_everything_is_on_screen(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines, size: tuple[int, int]
) -> None:
    busy()
    async with show(size=size, first="devices") as shown:
        await look_for(shown, MINUTES)
        await shown.should_be("devices")
        assert all(word in shown.text for word in ("cpu", "mem", "gpu0", "gpu1", "61 °C", "250 W", "alice", "4242"))
        assert "\x1b" not in shown.text and "x�[2J[b]" in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_machine_without_gpus_and_workers_says_so(
    show: Show, alive: Any, registry: Path, busy: Machines, size: tuple[int, int]
) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'cancelled' WHERE state = 'running'")
    busy(2, 0)
    async with show(size=size, first="devices") as shown:
        await look_for(shown, 1)
        await shown.should_be("devices-bare")
        assert "no NVIDIA GPU" in shown.text and "No worker is running" in shown.text


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 12), (120, 40), (200, 60)])
@pytest.mark.parametrize(("threads", "cards"), [(1, 0), (2, 1), (64, 8), (256, 16)])
async def test_the_important_fits_on_any_machine(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines, size: tuple[int, int], threads: int,
    cards: int,
) -> None:  # fmt: skip
    busy(threads, cards)
    async with show(size=size, first="devices") as shown:
        await look_for(shown, 1)
        lines = shown.text.splitlines()
        assert any("cpu" in each for each in lines) and (not cards or any("gpu0" in each for each in lines))
        assert any("slot" in each for each in lines), "and which run is where"
        assert len(lines) == size[1] and lines[-1].strip(), "the keys are in sight"


async def test_enter_opens_the_run_that_is_on_a_slot(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines
) -> None:
    busy()
    async with show(first="devices") as shown:
        await shown.press("enter")
        assert "No run of this registry is there" in shown.said and len(shown.app.screen_stack) == 1
        await shown.press("j", "enter")
        assert type(shown.app.screen).__name__ == "RunScreen" and shown.app.screen.run.name == "training"


async def test_enter_opens_the_run_of_a_process(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_at_hand = busy()
    monkeypatch.setattr(devices, "its_process", lambda database, run: machine_at_hand.processes()[0])
    async with show(first="devices") as shown:
        await shown.press("tab")
        place = next(index for index, row in enumerate(shown.app.screen.holders.rows) if row.run is not None)
        await shown.press(*["j"] * place, "enter")
        assert type(shown.app.screen).__name__ == "RunScreen" and shown.app.screen.run.name == "training"


async def test_keys_about_runs_act_on_the_one_under_the_cursor(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines
) -> None:
    busy()
    async with show(first="devices") as shown:
        await shown.press("x")
        assert "Nothing to cancel" in shown.said
        await shown.press("j", "x", "y")
        assert "1 run will stop" in shown.said


async def test_the_machine_is_looked_at_on_the_registrys_thread(show: Show, alive: Any, busy: Machines) -> None:
    found = busy()
    async with show(first="devices") as shown:
        await look_for(shown, 1)
    assert found.looks > 3 and all(name.startswith("registry") for name in found.seen_on)


async def test_the_history_began_before_the_screen_was_opened(show: Show, alive: Any, busy: Machines) -> None:
    busy()
    async with show() as shown:
        for _ in range(8):
            shown.app.screen.reload()
            await shown.settle()
        seen = len(shown.app.live._session.history)
        await shown.press("4")
        drawn = shown.app.screen.query_one("CpuPanel").look.graph.cpu
        assert seen > 5 and np.isfinite(drawn).sum() > 5


async def test_a_hidden_screen_keeps_no_machine_busy(show: Show, alive: Any, busy: Machines) -> None:
    found = busy()
    async with show(first="devices") as shown:
        screen = shown.app.screen
        await shown.press("1")
        before = found.looks
        screen._refresh_if_shown()
        await shown.settle()
        assert found.looks == before


async def test_ascii_draws_nothing_but_ascii(
    show: Show, alive: Any, working: Path, workers_live: None, busy: Machines
) -> None:
    busy()
    async with show(size=(120, 40), first="devices", ascii_only=True) as shown:
        await look_for(shown, 1)
        assert shown.text.isascii(), sorted({each for each in shown.text if not each.isascii()})


def test_the_parts_of_a_column_never_need_more_lines_than_there_are() -> None:
    for full in range(10, 70):
        for gpus in (0, 1, 2, 4, 8, 16):
            found = heights_of(full, gpus, 4)
            frames = 2 * (2 + bool(gpus) + found.has_holders)
            assert found.cpu >= 1 and (found.gpu >= 1) == bool(gpus) and found.places >= 2
            if full >= 20 or not gpus:
                assert found.cpu + found.gpu + found.places + frames + 3 * found.has_holders <= full, (full, gpus)


def graph_of(threads: int, uuids: Any) -> Graph:
    half = np.full(240, 0.5)
    return Graph(half, half, dict.fromkeys(range(threads), half), dict.fromkeys(uuids, (half, half)))


@pytest.mark.parametrize(("threads", "cards"), [(1, 1), (12, 3), (128, 8), (256, 16)])
def test_panels_never_grow_beyond_their_room(threads: int, cards: int) -> None:
    found = Busy(threads, cards)
    cpu, gpus = found.cpu(), found.gpus()
    graph = graph_of(threads, [gpu.uuid for gpu in gpus])
    for width in (20, 36, 76, 116, 198):
        for height in (1, 2, 3, 7, 20, 50):
            for lines in (cpu_lines(cpu, graph, width, height), gpu_lines(gpus, graph, width, height)):
                assert len(lines) <= height
                assert all(cells(plain(each)) <= width for each in lines), (width, height)
