"""What waiting runs wait for, what stands in their way, their priority, and workers that start nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.run_folder.events import now
from bertmt.services.lifecycle import reordering
from bertmt.services.lifecycle.reordering import queue_order

SIZES = [(80, 24), (120, 40)]
GUARD = "3 consecutive runs died within 30 s; the last: run009: ValueError: no\x1b[2J[b]"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in the future lie there, all others a second back."""

    def seconds_since(at: Any) -> float | None:
        if at is None:
            return None
        return -9000.0 if datetime.fromisoformat(at).astimezone(UTC).year > 2090 else 1.0

    for module in ("run_formatting", "queue_times"):
        monkeypatch.setattr(f"bertmt.services.browse.{module}.seconds_since", seconds_since)


@pytest.fixture
def waiting(registry: Path, monkeypatch: pytest.MonkeyPatch, clock: Any) -> Path:
    """A CPU's worker; runs that wait for another, for a time, for a GPU, for what is held; one that goes on."""
    builder = RegistryBuilder(registry)
    database = builder.database
    names = ("behind", "tomorrow", "elsewhere", "blocked", "urgent")
    keys = {name: builder.add(name).key for name in names}
    with database.immediate():
        key_of = dict(database.execute("SELECT name, key FROM runs").fetchall())
        for name, awaited, ok in (("behind", "training", 0), ("blocked", "held", 1)):
            database.execute("INSERT INTO dependencies VALUES (?, ?, ?)", (keys[name], key_of[awaited], ok))
        for number, name in enumerate(names, start=10):
            database.execute("UPDATE runs SET id = ? WHERE name = ?", (f"run{number:03d}", name))
        database.execute("UPDATE runs SET not_before_at = '2099-01-01T00:00:00+00:00' WHERE name = 'tomorrow'")
        database.execute("UPDATE runs SET wants = 'gpu' WHERE name = 'elsewhere'")
        database.execute("UPDATE runs SET priority = 5 WHERE name = 'urgent'")
        database.execute("UPDATE summaries SET checkpoint_step = 3, steps_total = 6 WHERE run = ?", (keys["urgent"],))
        database.execute(
            "INSERT INTO workers (key, host, pid, process_start, slots, started_at, heartbeat_at)"
            " VALUES (1, 'far', 4241, '', ?, ?, ?)",
            (json.dumps(["cpu"]), now(), now()),
        )
        database.execute("UPDATE runs SET worker = 1 WHERE state = 'running'")
    database.close()
    monkeypatch.setattr("tui.screens.queue.columns.AGO_SECONDS", 600)  # however slow the machine: heard of just now
    monkeypatch.setattr(
        "tui.screens.queue.screen.expected_durations",
        lambda database, runs, past: dict.fromkeys([r.key for r in runs], 62.0),
    )
    return registry


def order(path: Path) -> list[Any]:
    with open_registry(path) as database:
        return [run.name for run in queue_order(database)]


def listed(shown: Shown) -> list[Any]:
    return [row.run.name for row in shown.app.screen.table.rows]


async def go_to(shown: Shown, name: str) -> None:
    table = shown.app.screen.table
    table.go_to(next(row.run.id for row in table.rows if row.run.name == name))
    await shown.settle()


def words(shown: Shown) -> str:
    return " ".join(shown.text.split())


@pytest.mark.parametrize("size", SIZES)
async def test_the_queue_says_what_each_run_waits_for(
    show: Show, alive: Any, waiting: Path, size: tuple[int, int]
) -> None:
    async with show(size=size, first="queue") as shown:
        await go_to(shown, "blocked")
        await shown.should_be("queue-conditions")


async def test_the_line_below_says_all_about_the_run_under_the_cursor(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue") as shown:
        await go_to(shown, "behind")
        assert "run010 queued: after run006; starts in 5m45s; takes 1m02s" in words(shown)
        await go_to(shown, "elsewhere")
        assert "will not start: it needs a GPU, which no worker has" in words(shown)
        await go_to(shown, "urgent")
        assert "priority 5, resumes from step 3; starts in 4m12s; takes" in words(shown)


async def test_the_order_is_by_priority_then_by_place_and_a_moved_run_takes_on_its_neighbours(
    show: Show, alive: Any, waiting: Path
) -> None:
    async with show(first="queue") as shown:
        assert listed(shown)[1:] == order(waiting)
        assert listed(shown)[1:3] == ["urgent", "later"]
        await go_to(shown, "later")
        await shown.press("K")
        assert listed(shown)[1:3] == ["later", "urgent"] and order(waiting)[:2] == ["later", "urgent"]
        with open_registry(waiting) as database:
            assert all_runs(database, "runs.name = 'later'")[0].queueing.priority == 5


async def test_marked_runs_are_given_a_priority(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue") as shown:
        await go_to(shown, "tomorrow")
        await shown.press("space", "space", "P", "backspace", *"x")
        assert "must be a whole number" in words(shown)
        await shown.press("backspace", *"7", "enter")
        assert listed(shown)[1:4] == ["tomorrow", "elsewhere", "urgent"]
        assert "2 runs given priority 7." in shown.said


async def test_an_awaited_run_that_starts_again_is_no_obstacle_any_more(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue") as shown:
        await go_to(shown, "blocked")
        assert "it waits for run008, which is held" in words(shown)
        await go_to(shown, "held")
        await shown.press("z")
        await go_to(shown, "blocked")
        assert "which is held" not in shown.text and "after run008 has finished" in words(shown)


async def test_an_awaited_run_that_failed_is_said_to_stand_in_the_way(show: Show, alive: Any, waiting: Path) -> None:
    with open_registry(waiting) as database, database.immediate():
        database.execute("UPDATE runs SET state = 'failed' WHERE name = 'held'")
    async with show(first="queue") as shown:
        await go_to(shown, "blocked")
        assert "will not start: it waits for run008, which is failed" in words(shown)


@pytest.mark.parametrize("size", SIZES)
async def test_a_worker_that_starts_nothing_says_why_and_is_let_go_on(
    show: Show, alive: Any, waiting: Path, size: tuple[int, int]
) -> None:
    with open_registry(waiting) as database, database.immediate():
        database.execute("UPDATE workers SET guard = ?", (GUARD,))
    async with show(size=size, first="queue") as shown:
        await shown.should_be("queue-guard")
        assert " in 4m12s" not in shown.text, "nothing is expected of a worker that starts nothing"
        await shown.press("tab", "W")
        with open_registry(waiting) as database:
            assert database.execute("SELECT request FROM workers").fetchall() == [("go on",)]
        assert "Worker 1 starts runs again." in shown.said
        assert "starts nothing" not in shown.text and "starts again" in shown.text


async def test_a_worker_that_drains_says_too_that_it_starts_nothing(show: Show, alive: Any, waiting: Path) -> None:
    """One that was started to drain says so in the registry for all its life."""
    with open_registry(waiting) as database, database.immediate():
        database.execute("UPDATE workers SET guard = ?, request = 'drain'", (GUARD,))
    async with show(first="queue") as shown:
        assert "Worker 1 is halted until W resets it" in words(shown)
        assert "1 worker (starts nothing)" in words(shown)


async def test_a_worker_without_a_guard_has_nothing_to_go_on_with(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("W")
        assert "Worker 1 is not halted" in shown.said


async def test_what_waits_is_said_in_the_list_of_runs_and_on_its_own_screen(
    show: Show, alive: Any, waiting: Path
) -> None:
    async with show() as shown:
        assert "queued: after run006" in words(shown) and "queued 50 %" in words(shown)
        assert shown.app.screen.table.go_to("run013")
        await shown.press("enter")
        assert "queued: after run008 has finished" in words(shown)


async def test_the_conditions_are_drawn_in_ascii_alone(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue", ascii_only=True) as shown:
        assert shown.text.isascii()


def test_the_queue_in_the_service_and_on_the_screen_agree(waiting: Path) -> None:
    with open_registry(waiting) as database:
        reordering.prioritise(database, all_runs(database, "runs.name = 'tomorrow'")[0], -1)
    assert order(waiting)[0] == "urgent" and order(waiting)[-1] == "tomorrow"


async def test_removing_what_others_wait_for_says_what_becomes_of_them(show: Show, alive: Any, waiting: Path) -> None:
    async with show(first="queue") as shown:
        await go_to(shown, "later")
        await shown.press("D")
        assert "What waits" not in shown.text
        await shown.press("n")
        await go_to(shown, "held")
        await shown.press("D")
        said = " ".join(shown.text.replace("│", " ").split())
        assert "These runs wait for its success and will not start: run013." in said
