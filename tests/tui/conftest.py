"""Fixtures of the dashboard's tests: a built registry with ids that never change, and screens as text.

Nothing here sleeps: the dashboard looks at the registry when a test says so, and a screen is read when it is idle.
"""

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from evaluated_runs import add_evaluated
from registry_builder import HOSTILE, STEPS, RegistryBuilder
from shown import SMALL, Show, Shown

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.registry import runs
from bertmt.registry.states import State
from bertmt.run_folder.events import Step, now
from bertmt.services.upkeep import machine
from tui.app import Dashboard
from tui.screens.runs import screen as runs_screen
from tui.settings import Settings


@pytest.fixture(scope="session")
def built_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs.db with base, better, twins (seeds 1, 2), one that failed with a hostile name, one running, later, held."""
    folder = tmp_path_factory.mktemp("dashboard")
    with pytest.MonkeyPatch.context() as patch:
        numbers = itertools.count(1)
        patch.setattr(runs, "new_id", lambda: f"run{next(numbers):03d}")
        builder = RegistryBuilder(folder / "runs.db")
        builder.add_ended()
        _, _, events = builder.started("training", "ensembled")
        for step in range(STEPS // 2):
            events.write(
                Step(
                    at=now(),
                    step=step,
                    epoch=1,
                    phase="train",
                    values={"loss/sst": 1 / (step + 1), "loss": 1 / (step + 1)},
                    seconds_left=252.0,
                )
            )
        events.close()
        builder.add("later")
        builder.add("held", state=State.HELD)
        builder.database.execute("UPDATE runs SET note = ? WHERE name = 'later'", (HOSTILE,))
        # However slowly it was built: what it took so far is nothing.
        builder.database.execute("UPDATE summaries SET last_event_at = (SELECT started_at FROM runs WHERE key = run)")
    builder.database.close()
    return folder


@pytest.fixture
def registry(built_folder: Path, tmp_path: Path) -> Path:
    """A copy of the built registry."""
    folder = tmp_path / "registry"
    shutil.copytree(built_folder, folder)
    return folder / "runs.db"


@pytest.fixture
def evaluated(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy, with the runs that `add_evaluated` tells of."""
    add_evaluated(registry, monkeypatch)
    return registry


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine of which everything is known, and a user without choices of their own."""
    cpu = Cpu("a processor", 4, 2, None, 16384, 8192, CpuTimes(0.0, 0.0))
    monkeypatch.setattr(machine, "read_cpu", lambda: cpu)
    monkeypatch.setattr(machine, "list_gpus", lambda: ())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "choices"))
    # The registry is built once: minutes later its running run would have been silent for minutes.
    monkeypatch.setattr("bertmt.services.browse.run_formatting.seconds_since", lambda at: 1.0 if at else None)
    # Its events, too, were written as fast as a test writes.
    monkeypatch.setattr("bertmt.services.browse.times.throughput._speed", lambda folder, attempt: 2.0)
    monkeypatch.setattr(runs_screen, "PAUSE_SECONDS", 0)
    for name in ("NO_COLOR", "BERTMT_DB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def show(registry: Path) -> Show:
    """`async with show(size=SMALL) as shown:` a dashboard over the copy, or over `path`; children seem alive."""

    @asynccontextmanager
    async def shown(
        path: Path | None = None, size: tuple[int, int] = SMALL, settings: Settings | None = None, **options: object
    ) -> AsyncIterator[Shown]:
        app = Dashboard(registry=path or registry, settings=settings, poll_seconds=0, **options)  # type: ignore[arg-type]
        async with app.run_test(size=size) as pilot:
            found = Shown(app, pilot)
            await found.look()
            yield found

    return shown


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Running runs have a process: their locks look taken."""
    monkeypatch.setattr("bertmt.services.ingest.reconcile.is_alive", lambda folder: True)
    yield


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, int, str]]:
    """Workers are noted instead of started: drain, slots and device of each."""
    orders: list[tuple[bool, int, str]] = []

    def start(registry: Path, drain: bool, slots: int, device: str) -> int:
        orders.append((drain, slots, device))
        return 4242

    monkeypatch.setattr("tui.actions.workers.start_detached_worker", start)
    monkeypatch.setattr("tui.actions.workers.await_worker", lambda database, pid: None)
    return orders
