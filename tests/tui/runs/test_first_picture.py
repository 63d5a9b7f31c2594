"""The first picture of a long list: its top is there before the rest is read; and what is imported for it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show
from textual import events
from textual.screen import Screen

from bertmt.errors import BertmtError
from bertmt.services.browse.listing import first_rows
from tui.app import Dashboard
from tui.screens import dashboard_screen
from tui.screens.runs import listed
from tui.screens.runs import screen as runs_screen
from tui.screens.runs.screen import RunsScreen

RUNS = 30
# What the first picture of a list can do without: a fifth of a second, and what other screens need.
NOT_YET = ("numpy", "scipy", "tui.screens.run.screen", "tui.screens.queue.screen", "tui.widgets.line_chart",
           "bertmt.services.plan.data_check", "bertmt.services.browse.live_curves")  # fmt: skip


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A registry with so many runs that wait."""
    builder = RegistryBuilder(tmp_path / "long" / "runs.db")
    for number in range(RUNS):
        builder.add(f"run-{number:02d}")
    builder.database.close()
    return tmp_path / "long" / "runs.db"


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The first five runs are read apart; the rest comes once this is set."""
    may_come = threading.Event()
    whole = listed.whole_listed

    def late(*asked: Any) -> listed.Listed:
        assert may_come.wait(30)
        return whole(*asked)

    monkeypatch.setattr(runs_screen, "whole_listed", late)
    monkeypatch.setattr(listed, "first_rows", partial(first_rows, most=5, few=10))
    yield may_come
    may_come.set()


async def first_picture(app: Any, pilot: Any) -> None:
    """Until rows are there."""
    for _ in range(500):
        await pilot.pause(0.01)
        if isinstance(app.screen, RunsScreen) and app.screen.table.rows:
            return
    pytest.fail("no rows")


async def test_the_first_rows_are_there_before_the_others_are_read(
    long: Path, rest: threading.Event, alive: None
) -> None:
    app: Any = Dashboard(registry=long, poll_seconds=0)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(app, pilot)
        table = app.screen.table
        first = [row.run.name for row in table.rows]
        assert first == [f"run-{number:02d}" for number in range(5)]
        assert "30 queued" in "".join(str(part.text) for part in app.screen.query_one("HomeLine").status)
        rest.set()
        while len(table.rows) < RUNS:
            await pilot.pause(0.01)
        assert [row.run.name for row in table.rows][:5] == first


@pytest.mark.parametrize("key", ["G", "A", "I"])
async def test_a_key_about_all_rows_waits_for_all(long: Path, rest: threading.Event, alive: None, key: str) -> None:
    app: Any = Dashboard(registry=long, poll_seconds=0)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(app, pilot)
        app.post_message(events.Key("j", "j"))
        await pilot.pause(0.05)
        assert app.screen.table.cursor == 1, "moving does not wait"
        app.post_message(events.Key(key, key))
        await pilot.pause(0.05)
        assert (app.screen.table.cursor, len(app.marked)) == (1, 0)
        rest.set()
        for _ in range(300):
            await pilot.pause(0.01)
            if app.screen.table.cursor != 1 or app.marked:
                break
        assert (app.screen.table.cursor, len(app.marked)) == ((RUNS - 1, 0) if key == "G" else (1, RUNS))


async def test_where_the_rest_cannot_be_read_keys_act_all_the_same(
    long: Path, rest: threading.Event, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*asked: Any) -> listed.Listed:
        raise BertmtError("no more of it")

    monkeypatch.setattr(runs_screen, "whole_listed", refuse)
    app: Any = Dashboard(registry=long, poll_seconds=0)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(app, pilot)
        app.post_message(events.Key("G", "G"))
        for _ in range(300):
            await pilot.pause(0.01)
            if app.screen.table.cursor:
                break
        assert app.screen.table.cursor == 4


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each picture of the list, how many rows there were to draw."""
    found: list[int] = []
    render = Screen._compositor_refresh

    def note(screen: Any) -> None:
        if isinstance(screen, RunsScreen):
            found.append(len(screen.table.rows))
        render(screen)

    monkeypatch.setattr(Screen, "_compositor_refresh", note)
    return found


async def test_no_empty_list_is_drawn_while_its_rows_are_read(
    long: Path, alive: None, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_screen, "MOST_SECONDS_UNDRAWN", 60)
    app: Any = Dashboard(registry=long, poll_seconds=1000)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(app, pilot)
        while not drawn:
            await pilot.pause(0.01)
        assert drawn[0] == RUNS


async def test_a_list_that_takes_long_is_drawn_empty_meanwhile(
    long: Path, alive: None, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_come = threading.Event()
    monkeypatch.setattr(runs_screen, "first_listed", lambda session: may_come.wait(30) and None)
    app: Any = Dashboard(registry=long, poll_seconds=1000)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(1000):
            await pilot.pause(0.01)
            if drawn:
                break
        assert drawn and set(drawn) == {0}
        may_come.set()
        await first_picture(app, pilot)


async def test_few_runs_are_read_at_once(show: Show, monkeypatch: pytest.MonkeyPatch, alive: None) -> None:
    seen: list[object] = []
    monkeypatch.setattr(runs_screen, "first_listed", lambda session: seen.append(listed.first_listed(session)))
    async with show() as shown:
        assert seen == [None]
        assert len(shown.app.screen.table.rows) == 8


def test_nothing_is_imported_for_it_that_it_does_not_show() -> None:
    script = "import sys, tui.__main__, tui.screens.runs.screen; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "tui.screens.runs.screen" in imported
    assert imported.isdisjoint(NOT_YET)
    assert all(find_spec(name) for name in NOT_YET), "they exist"


def test_the_other_screens_are_imported_once_the_first_can_be_seen(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tui.app import Dashboard\n"
        "async def main():\n"
        "    app = Dashboard(registry=Path(sys.argv[1]) / 'runs.db')\n"
        "    assert 'tui.screens.queue.screen' not in sys.modules\n"
        "    async with app.run_test():\n"
        "        for _ in range(1000):\n"
        "            await asyncio.sleep(0.01)\n"
        "            if 'tui.screens.worker_log' in sys.modules:\n"
        "                return\n"
        "asyncio.run(main())\n"
        "assert 'tui.screens.queue.screen' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
