"""Fixtures of the dashboard's tests: a built registry with ids that never change, and screens as text.

Nothing here sleeps: the dashboard looks at the registry when a test says so, and a screen is read when it is idle.
"""

import asyncio
import io
import itertools
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from evaluated_runs import add_evaluated
from registry_builder import HOSTILE, STEPS, RegistryBuilder
from rich.console import Console
from textual.pilot import Pilot

from bertmt.devices.cpu import Cpu, CpuTimes
from bertmt.registry import runs
from bertmt.registry.states import State
from bertmt.services.upkeep import machine
from tui.app import Dashboard
from tui.dialogs.dialog import Dialog
from tui.settings import Settings

GOLDENS = Path(__file__).parent / "goldens"
UPDATE = bool(os.environ.get("UPDATE_GOLDENS"))  # UPDATE_GOLDENS=1 pytest tests/tui writes them anew: look at the diff
SMALL, LARGE = (80, 24), (120, 40)
# What differs from one time to the next, replaced by as many characters.
CHANGING = ((re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), lambda found: "2026-01-01 00:00:00"[: len(found[0])]),)


def screen_text(app: Dashboard) -> str:
    """What is on screen, as text; spaces at the ends of lines left out."""
    width, height = app.size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, record=True, legacy_windows=False
    )
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    console.print(update)
    lines = console.export_text().splitlines()
    text = "\n".join(line.rstrip() for line in lines[:height])
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return text + "\n"


class Shown:
    """A running dashboard as a person sees and drives it."""

    def __init__(self, app: Dashboard, pilot: Pilot[None]):
        self.app = app
        self.pilot = pilot

    async def settle(self) -> None:
        """Until everything that was started has come to its end and is on screen."""
        for _ in range(3):  # what one worker shows may start another
            await self.pilot.pause()
            waiting = [worker for worker in self.app.workers if not worker.is_finished and worker.group != "act"]
            if waiting:  # of none, Textual takes all
                await self.app.workers.wait_for_complete(waiting)
            await self._until_asked()
        await self.pilot.pause()

    async def _until_asked(self) -> None:
        """Until what acts is done, or asks a person."""
        async with asyncio.timeout(60):
            while any(worker.group == "act" and not worker.is_finished for worker in self.app.workers):
                if isinstance(self.app.screen, Dialog):
                    break
                await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, each after the last one's effect is on screen."""
        for each in keys:
            await self.pilot.press("space" if each == " " else each)
            await self.settle()

    async def look(self) -> None:
        """Let the dashboard look at the registry."""
        await self.app.look()
        await self.settle()

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def said(self) -> str:
        """The sentences that were said in the corner; tests do not draw them, since they go with time."""
        return "\n".join(each.message for each in self.app._notifications)

    def should_be(self, name: str) -> None:
        """Compare with the golden of that name and this size; written anew with UPDATE_GOLDENS=1."""
        golden = GOLDENS / f"{name}-{self.app.size.width}x{self.app.size.height}.txt"
        if UPDATE:
            golden.write_text(self.text, encoding="utf-8")
        assert golden.exists(), f"no golden {golden.name}: make it with UPDATE_GOLDENS=1, and look at it"
        assert self.text == golden.read_text(encoding="utf-8")


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
            events.step(step, 1, "train", {"loss/sst": 1 / (step + 1), "loss": 1 / (step + 1)}, seconds_left=252.0)
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
    for name in ("NO_COLOR", "BERTMT_DB"):
        monkeypatch.delenv(name, raising=False)


Show = Callable[..., AbstractAsyncContextManager[Shown]]


@pytest.fixture
def show(registry: Path) -> Show:
    """`async with show(size=SMALL) as shown:` a dashboard over the copy, or over `path`; children seem alive."""

    @asynccontextmanager
    async def shown(
        path: Path | None = None, size: tuple[int, int] = SMALL, settings: Settings | None = None, **options: object
    ) -> AsyncIterator[Shown]:
        app = Dashboard(path or registry, settings=settings, poll_seconds=0, **options)  # type: ignore[arg-type]
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
