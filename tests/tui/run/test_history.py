"""The history of a run: its transitions, by whom and why."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from run_screen import open_run
from shown import Show

from bertmt.registry.runs import all_runs
from bertmt.services.lifecycle.control import requeue


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_newest_move_comes_first_and_is_read_in_full_below(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run005", "7")
        await shown.should_be("run-history")


async def test_the_move_under_the_cursor_is_explained(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "7", "G")
        assert "○ queued, by a person, from the command line or the dashboard" in shown.text
        await shown.press("k")
        assert "queued → running, by the worker that took it, attempt 1" in shown.text


async def test_an_import_is_no_loss(show: Show, alive: Any, registry: Path) -> None:
    RegistryBuilder(registry).database.execute(
        "UPDATE transitions SET actor = 'import', state_after = 'lost' WHERE state_before IS NULL"
    )
    async with show() as shown:
        await open_run(shown, "run002", "7", "G")
        assert "imported, by `bertmt import-run`" in shown.text and "lost" not in shown.text


async def test_a_long_reason_is_wrapped_below(show: Show, alive: Any, registry: Path) -> None:
    builder = RegistryBuilder(registry)
    reason = " ".join(f"word{number}" for number in range(40))
    builder.database.execute("UPDATE transitions SET reason = ? WHERE state_after = 'failed'", (reason,))
    builder.database.close()
    async with show() as shown:
        await open_run(shown, "run005", "7")
        below = shown.text.rpartition("────")[2]
        assert reason in " ".join(below.split())


async def test_enter_opens_the_log_of_the_attempt(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "7", "enter")
        assert "line 49" in shown.text and "attempt 1 of 1" in shown.text
        await shown.press("7", "G", "enter")  # being queued belongs to no attempt
        assert "submitted" in shown.text


async def test_a_new_move_appears_while_the_history_is_shown(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run005", "7")
        builder = RegistryBuilder(registry)
        requeue(builder.database, all_runs(builder.database, "runs.id = 'run005'")[0])
        builder.database.close()
        await shown.look()
        assert "failed → queued" in shown.text
