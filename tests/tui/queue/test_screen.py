"""The queue: order, holding, moving, cancelling, and the workers below."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.run_folder.events import now
from bertmt.services.lifecycle.control import edit
from bertmt.services.lifecycle.hold import queue_is_held
from bertmt.services.lifecycle.reordering import queue_order
from bertmt.services.lifecycle.workers import worker_log

SIZES = [(80, 24), (120, 40)]
HOSTILE_HOST = "far\x1b[2J\u202e[b]away"


@pytest.fixture
def busy(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two workers elsewhere, which nobody here can see end; the first works the run that runs; more runs wait."""
    monkeypatch.setattr("tui.screens.queue.columns.AGO_SECONDS", 600)  # however slow the machine: heard of just now
    with open_registry(registry) as database, database.immediate():
        for key, (host, slots) in enumerate((("gpu-host", ["cuda:0", "cuda:1"]), (HOSTILE_HOST, ["cpu"])), start=1):
            database.execute(
                "INSERT INTO workers (key, host, pid, process_start, slots, started_at, heartbeat_at)"
                " VALUES (?, ?, ?, '', ?, ?, ?)",
                (key, host, 4240 + key, json.dumps(slots), now(), now()),
            )
        database.execute("UPDATE workers SET request = 'drain' WHERE key = 2")
        database.execute("UPDATE runs SET worker = 1, device = 'cuda:0' WHERE state = 'running'")
    return registry


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run takes 62 s, as far as the past tells."""
    monkeypatch.setattr(
        "tui.screens.queue.screen.expected_durations",
        lambda database, runs, past: dict.fromkeys([r.key for r in runs], 62.0),
    )


@pytest.fixture
def order(registry: Path) -> Callable[..., Any]:
    """Names of the runs that wait, in their order."""

    def names() -> list[Any]:
        with open_registry(registry) as database:
            return [run.name for run in queue_order(database)]

    return names


def states(path: Path) -> dict[Any, Any]:
    with open_registry(path) as database:
        return {run.name: str(run.state) for run in all_runs(database)}


def requests(path: Path) -> dict[Any, Any]:
    with open_registry(path) as database:
        return dict(database.execute("SELECT key, request FROM workers").fetchall())


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_queue_says_what_to_press_and_type(show: Show, tmp_path: Path, size: tuple[int, int]) -> None:
    with open_registry(tmp_path / "runs.db", create=True):
        pass
    async with show(path=tmp_path / "runs.db", size=size, first="queue") as shown:
        await shown.should_be("queue-empty")


@pytest.mark.parametrize("size", SIZES)
async def test_what_runs_stands_above_what_waits_and_no_worker_is_missed(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size, first="queue") as shown:
        await shown.should_be("queue")


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_workers_and_expected_times_are_shown(
    show: Show, alive: Any, busy: Path, timed: Any, size: tuple[int, int]
) -> None:
    async with show(size=size, first="queue") as shown:
        await shown.should_be("queue-busy")


async def test_a_run_that_waits_takes_as_long_as_its_sibling_that_runs(
    show: Show, alive: Any, busy: Path, timed: Any
) -> None:
    """As the running one's own time left says; and the running one takes as long in all."""
    with open_registry(busy) as database, database.immediate():
        database.execute("UPDATE runs SET recipe = (SELECT recipe FROM runs WHERE name = 'training')"
                         " WHERE name = 'later'")  # fmt: skip
    async with show(size=(120, 40), first="queue") as shown:
        rows = {row.run.name: row.expected.seconds for row in shown.app.screen.table.rows}
        assert rows["training"] == rows["later"] == pytest.approx(252, abs=30)
        assert rows["held"] == 62


async def test_times_are_judged_by_what_runs_now_too(
    show: Show, alive: Any, busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_by: set[Any] = set()

    def durations(database: Database, runs: Any, past: Any) -> dict[Any, Any]:
        judged_by.update(run.state for run in past)
        return dict.fromkeys([run.key for run in runs])

    monkeypatch.setattr("tui.screens.queue.screen.expected_durations", durations)
    async with show(first="queue"):
        assert judged_by == {"finished", "running"}


async def test_a_waiting_run_that_was_edited_is_timed_anew(
    show: Show, alive: Any, busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if an epoch took an hour."""
    monkeypatch.setattr(
        "tui.screens.queue.screen.expected_durations",
        lambda database, runs, past: {run.key: run.recipe["epochs"] * 3600.0 for run in runs},
    )
    async with show(size=(120, 40), first="queue") as shown:
        takes = [shown.app.screen.table.rows[1].expected.seconds]
        with open_registry(busy) as database:
            [later] = all_runs(database, "runs.name = 'later'")
            edit(database, later, {"epochs": 7})
        await shown.look()
        takes.append(shown.app.screen.table.rows[1].expected.seconds)
        assert takes == [later.recipe["epochs"] * 3600.0, 7 * 3600.0]
        assert "7h" in next(each for each in shown.text.splitlines() if " later " in each)


async def test_a_run_whose_process_is_gone_is_shown_and_queued_again_by_its_key(show: Show, registry: Path) -> None:
    with open_registry(registry) as database, database.immediate():
        database.execute("UPDATE runs SET state = 'lost' WHERE name = 'training'")
    async with show(first="queue") as shown:
        await shown.should_be("queue-lost")
        await shown.press("r")
        assert states(registry)["training"] == "queued"


async def test_a_run_moves_down_and_up_and_the_cursor_stays_on_it(show: Show, alive: Any, order: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("j", "J")
        assert order() == ["held", "later"]
        assert shown.app.screen.current_run().name == "later"
        await shown.press("K")
        assert order() == ["later", "held"]


async def test_runs_go_first_and_last_in_the_queue(show: Show, alive: Any, order: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("G", "T")
        assert order() == ["held", "later"]
        await shown.press("B")
        assert order() == ["later", "held"]


async def test_marked_runs_are_held_and_released_together(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("j", "z")
        assert states(registry)["later"] == "held"
        await shown.press("space", "space", "z")
        assert (states(registry)["later"], states(registry)["held"]) == ("queued", "queued")


@pytest.mark.parametrize("size", SIZES)
async def test_a_held_queue_is_seen_at_once_and_released_by_the_same_key(
    show: Show, alive: Any, registry: Path, size: tuple[int, int]
) -> None:
    async with show(size=size, first="queue") as shown:
        await shown.press("Z")
        shown.app.clear_notifications()
        await shown.settle()
        await shown.should_be("queue-held")
        await shown.press("Z")
        with open_registry(registry) as database:
            assert not queue_is_held(database)


async def test_cancelling_asks_first_and_no_is_no(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("x", "n")
        await shown.press("j", "x", "y")
    with open_registry(registry) as database:
        running = all_runs(database, "runs.state = 'running'")
    assert [run.execution.request for run in running] == [None]
    assert states(registry)["later"] == "cancelled"


async def test_a_worker_is_started_as_the_dialog_says(
    show: Show, alive: Any, started: list[tuple[bool, int, str]]
) -> None:
    async with show(first="queue") as shown:
        await shown.press("w")
        await shown.should_be("start-worker")
        await shown.press("k", "space", "k", "2", "enter", "G", "enter")
        assert started == [(True, 2, "auto")]
        assert "process 4242" in shown.said


async def test_the_dialog_of_a_worker_refuses_no_slots_and_is_left_by_escape(
    show: Show, alive: Any, started: list[tuple[bool, int, str]]
) -> None:
    async with show(first="queue") as shown:
        await shown.press("w", "k", "k", "0", "enter")
        assert "at least 1" in shown.text
        await shown.press("escape", "escape")
        assert shown.app.screen.SUBJECT == "the queue" and started == []


async def test_a_worker_is_stopped_after_a_question_and_drained_without_one(show: Show, alive: Any, busy: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("Q")
        assert requests(busy) == {1: "drain", 2: "drain"}
        await shown.press("tab", "j", "S")
        assert "Stop worker 2?" in shown.text
        await shown.press("y")
        assert requests(busy) == {1: "drain", 2: "stop"}


async def test_without_a_worker_its_keys_say_how_to_start_one(show: Show, alive: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("S")
        assert "No worker is running; w starts one." in shown.said


@pytest.mark.parametrize("size", SIZES)
async def test_the_log_of_the_workers_is_followed_to_its_end(
    show: Show, alive: Any, registry: Path, size: tuple[int, int]
) -> None:
    log = worker_log(registry)
    log.write_text("".join(f"round {number}\n" for number in range(60)) + "ValueError: \x1b]0;pwned\x07[red]\n")
    async with show(size=size, first="queue") as shown:
        await shown.press("L")
        assert "round 59" in shown.text and "pwned" in shown.text
        with log.open("a") as file:
            file.write("the newest line\n")
        shown.app.screen.reload()
        await shown.settle()
        assert "the newest line" in shown.text
        await shown.press("g")
        assert "round 0" in shown.text
        with log.open("a") as file:
            file.write("a later line\n")
        shown.app.screen.reload()
        await shown.settle()
        assert "round 0" in shown.text and "a later line" not in shown.text


async def test_a_log_that_is_not_there_says_who_writes_it(show: Show, alive: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("L")
        assert "Nothing is written there yet." in shown.text


async def test_only_what_waits_is_moved_held_or_changed(show: Show, alive: Any, order: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("J", "z", "e")
        assert order() == ["later", "held"]
        assert "Only a waiting run can be changed" in shown.said


async def test_a_queue_that_is_read_only_is_not_changed(show: Show, alive: Any, order: Any) -> None:
    async with show(first="queue", read_only=True) as shown:
        await shown.press("j", "J", "z", "Z", "x", "w")
        assert order() == ["later", "held"] and "read-only" in shown.said


async def test_the_numbers_of_the_screens_lead_to_them(show: Show, alive: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("1")
        assert shown.app.screen.SUBJECT == "runs"
        await shown.press("2")
        assert shown.app.screen.SUBJECT == "the queue"


async def test_the_queue_is_drawn_in_ascii_alone(show: Show, alive: Any, busy: Path, timed: Any) -> None:
    async with show(first="queue", ascii_only=True) as shown:
        assert shown.text.isascii()


async def test_at_the_workers_the_footer_has_their_keys_and_the_way_back(show: Show, alive: Any, busy: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("tab", "x")
        footer = shown.text.splitlines()[-1]
        assert "S stop Q drain W reset L log tab runs" in footer and "cancel" not in footer
        assert not shown.said and shown.app.screen.worker_table.has_focus
        await shown.press("tab")
        assert "x cancel" in shown.text.splitlines()[-1] and shown.app.screen.table.has_focus
