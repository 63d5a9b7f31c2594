"""Pausing, going on, beginning anew, and bringing back what was removed."""

from pathlib import Path
from typing import Any

import pytest
from list_of_runs import go_to, run_named
from shown import Show

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.lifecycle.control import cancel


@pytest.fixture
def stopped(registry: Path) -> Path:
    """The run that ran is paused after 4 of its 6 steps, of which a checkpoint keeps 3."""
    with open_registry(registry) as database, database.immediate():
        ingest(database, all_runs(database, "runs.name = 'training'")[0])
        database.execute("UPDATE runs SET state = 'paused' WHERE name = 'training'")
        database.execute(
            "UPDATE summaries SET checkpoint_step = 3, steps_total = 6"
            " WHERE run = (SELECT key FROM runs WHERE name = 'training')"
        )
        folder = folder_of(database, all_runs(database, "runs.name = 'training'")[0])
        (folder.checkpoints("").folder / "00000003").mkdir(parents=True)
    return registry


async def test_pausing_asks_and_is_taken_back_by_the_same_key(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("p")
        await shown.should_be("pause")
        await shown.press("n")
        assert run_named(registry, "training").execution.request is None
        await shown.press("p", "y")
        assert run_named(registry, "training").execution.request == "pause"
        await shown.press("p")
        assert run_named(registry, "training").execution.request is None
        assert "1 run resumed." in shown.said


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_paused_run_stands_below_what_runs_and_goes_on_first(
    show: Show, alive: Any, stopped: Path, size: tuple[int, int]
) -> None:
    async with show(size=size, first="queue") as shown:
        await shown.should_be("queue-paused")
        await shown.press("p")
        assert run_named(stopped, "training").state is State.QUEUED
        assert [row.run.name for row in shown.app.screen.table.rows] == ["training", "later", "held"]
        assert "queued; resumes from step 3" in shown.text


async def test_only_running_and_paused_runs_answer_to_the_key(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("j", "p")
        assert "Only running runs can be paused" in shown.said
    async with show(first="queue", read_only=True) as shown:
        await shown.press("p")
        assert "read-only" in shown.said


async def test_a_paused_run_is_queued_behind_all_or_cancelled(show: Show, alive: Any, stopped: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("r")
        assert [row.run.name for row in shown.app.screen.table.rows] == ["later", "held", "training"]
        await go_to(shown, "training")
        await shown.press("x", "y")
        assert run_named(stopped, "training").state is State.CANCELLED


async def test_beginning_anew_asks_and_deletes_the_checkpoints(show: Show, alive: Any, stopped: Path) -> None:
    with open_registry(stopped) as database:
        run = all_runs(database, "runs.name = 'training'")[0]
        cancel(database, run)
        folder = folder_of(database, run).checkpoints("").folder
    async with show() as shown:
        await go_to(shown, "training")
        assert "cancelled at step 3; r resumes it, F starts over" in shown.text
        await shown.press("F", "n")
        assert folder.exists() and run_named(stopped, "training").state is State.CANCELLED
        await shown.press("F", "y")
        after = run_named(stopped, "training")
        assert (after.state, after.progress.checkpoint_step, folder.exists()) == (State.QUEUED, None, False)


async def test_what_was_removed_is_brought_back_by_one_key(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("R")
        assert "Nothing was removed in this session" in shown.said
        await go_to(shown, "base")
        await shown.press("space", "D")
        assert "bertmt restore" in shown.text
        await shown.press("y")
        listed = [row.run.name for row in shown.app.screen.table.rows]
        assert len(listed) == 7 and "base" not in listed
        await shown.press("R")
        assert "1 run restored." in shown.said
        assert run_named(registry, "base").state is State.FINISHED
        await shown.press("R")
        assert shown.said.count("Nothing was removed in this session") == 2


async def test_a_run_that_is_removed_while_it_is_looked_at_is_brought_back_from_the_list(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("enter", "D", "y")
        assert shown.app.screen.SUBJECT == "runs"
        await shown.press("R")
        assert "better" in [row.run.name for row in shown.app.screen.table.rows]
