"""What is done to several marked runs: to all of them, or to none, and then that is said."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State
from bertmt.services.lifecycle import control, removal


def run_named(registry: Path, name: str) -> Run:
    with open_registry(registry) as database:
        return all_runs(database, "runs.name = ?", (name,))[0]


async def mark(shown: Shown, *names: Any) -> None:
    """Mark these runs of the list."""
    for name in names:
        table = shown.app.screen.table
        table.go_to(next(row.run.id for row in table.rows if row.run.name == name))
        await shown.settle()
        await shown.press("space")


async def test_where_one_of_the_marked_runs_cannot_be_cancelled_none_is(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await mark(shown, "later", "training")
        await shown.press("x")
        assert "Cancel 2 runs?" in shown.text
        with open_registry(registry) as elsewhere:
            control.cancel(elsewhere, run_named(registry, "later"))
        await shown.press("y")
        assert "is cancelled already. No action was taken on any of the 2 runs." in shown.said
        assert run_named(registry, "training").execution.request is None


async def test_a_tag_is_taken_from_all_marked_runs_or_from_none(show: Show, alive: Any, registry: Path) -> None:
    with open_registry(registry) as database:
        control.tag(database, run_named(registry, "later"), "good")
    async with show() as shown:
        await mark(shown, "later", "training")
        await shown.press("number_sign", *"-good", "enter")
        assert "has no tag 'good'; it has none. No action was taken on any of the 2 runs." in shown.said
        assert run_named(registry, "later").annotations.tags == ("good",)
        await shown.press("number_sign", *"good", "enter")
        assert "2 runs tagged." in shown.said
        assert run_named(registry, "training").annotations.tags == ("good",)


async def test_what_is_no_longer_there_to_be_brought_back_leaves_the_others_removed(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await mark(shown, "better", "later")
        await shown.press("D", "y")
        assert "2 runs removed; R undoes it." in shown.said
        with open_registry(registry) as elsewhere:
            removal.restore_all(elsewhere, ["better"])
        await shown.press("R")
        assert "No action was taken on any of the 2 runs." in shown.said
        with pytest.raises(IndexError):
            run_named(registry, "later")


async def test_marked_runs_are_moved_in_the_queue_all_or_none(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await mark(shown, "later", "held")
        await shown.press("home")
        with open_registry(registry) as elsewhere:
            before = run_named(registry, "held").queueing.position
            control.cancel(elsewhere, run_named(registry, "later"))
        shown.app.screen.action_place(True)
        await shown.settle()
        assert "No action was taken on any of the 2 runs." in shown.said
        assert run_named(registry, "held").queueing.position == before
        assert run_named(registry, "later").state is State.CANCELLED
