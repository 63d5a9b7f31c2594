"""Marking runs: all, all but these, from one to another, by a query; and what verbs say of those that are marked."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State


def runs(registry: Path) -> dict[str, Run]:
    with open_registry(registry) as database:
        return {run.id: run for run in all_runs(database)}


def ids(shown: Shown) -> list[str]:
    """Of the runs that are listed, downwards."""
    return [row.run.id for row in shown.app.screen.table.rows]


async def test_a_click_with_shift_marks_from_the_cursor_to_it_and_another_draws_the_range_anew(
    show: Show, alive: Any
) -> None:
    async with show() as shown:
        listed = ids(shown)
        await shown.pilot.click("#runs", offset=(10, 2))
        await shown.pilot.click("#runs", offset=(10, 5), shift=True)
        await shown.settle()
        assert shown.app.marked == set(listed[1:5])
        await shown.pilot.click("#runs", offset=(10, 3), shift=True)
        await shown.settle()
        assert shown.app.marked == set(listed[1:3]), "as with the arrows"


async def test_all_that_is_listed_is_marked_and_what_the_filter_hides_is_not(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"state:finished", "enter", "A")
        finished = set(ids(shown))
        assert shown.app.marked == finished and f"◆ {len(finished)} " in shown.text.splitlines()[0]
        await shown.press("escape")
        assert shown.app.marked == finished < set(ids(shown))


async def test_inverting_marks_the_others_and_twice_is_as_before(show: Show, alive: Any) -> None:
    async with show() as shown:
        everything = set(ids(shown))
        await shown.press("g", "space", "j", "space", "I")
        first, _, third, *_ = ids(shown)
        assert shown.app.marked == everything - {first, third}
        await shown.press("I")
        assert shown.app.marked == {first, third}


async def test_inverting_a_filtered_list_leaves_the_marks_that_it_hides(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("M", *"name:later", "enter", "slash", *"state:finished", "enter", "I")
        later = next(run.id for run in runs(shown.app.registry).values() if run.name == "later")
        assert shown.app.marked == {later, *ids(shown)}


async def test_shift_and_an_arrow_mark_a_range_which_shrinks_on_the_way_back(show: Show, alive: Any) -> None:
    async with show() as shown:
        listed = ids(shown)
        await shown.press("g", "space")
        await shown.press("j", "shift+down", "shift+down", "shift+down")
        assert shown.app.marked == {listed[0], *listed[2:6]}
        await shown.press("shift+up", "shift+up")
        assert shown.app.marked == {listed[0], *listed[2:4]}, "and what was marked before stays"
        await shown.press("j", "j", "j", "shift+up")
        assert shown.app.marked == {listed[0], *listed[2:4], *listed[5:7]}, "another range begins"


@pytest.mark.parametrize("way", ["j", "k"])
async def test_a_range_goes_from_the_last_mark_to_the_cursor(show: Show, alive: Any, way: str) -> None:
    async with show() as shown:
        listed = ids(shown)
        await shown.press("g", "j", "j", "j", "space", "k", way, way, "V")
        here = shown.app.screen.table.cursor
        assert shown.app.marked == set(listed[min(3, here) : max(3, here) + 1])
        assert len(shown.app.marked) == 3


async def test_a_range_without_a_beginning_says_what_to_press(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("V")
        assert not shown.app.marked and "mark a row with the space bar first" in shown.said


async def test_a_query_marks_what_matches_beside_what_is_marked(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("space", "M", *"name:twins", "enter")
        assert "2 runs match and are marked." in shown.said
        assert len(shown.app.marked) == 3 and "◆ 3 " in shown.text.splitlines()[0]
        await shown.press("M", *"nmae:x")
        assert "is not a field of a run" in shown.text


async def test_the_queue_counts_its_marks_too(show: Show, alive: Any) -> None:
    async with show(first="queue") as shown:
        await shown.press("A")
        assert f"◆ {len(ids(shown))} " in shown.text.splitlines()[0]
        await shown.press("U")
        assert "◆" not in shown.text.splitlines()[0]
        await shown.press("U")
        assert "Nothing is marked." in shown.said


async def test_a_group_is_marked_with_all_its_seeds(show: Show, alive: Any) -> None:
    async with show() as shown:
        everything = set(ids(shown))
        await shown.press("a", "A")
        assert shown.app.marked == everything


async def test_a_question_has_the_number_and_says_what_is_left_alone(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("A", "slash", *"state:queued,held,failed", "enter", "x")
        text = " ".join(shown.text.split())
        assert "Cancel 2 runs?" in text
        assert "1 other ended and is left alone." in text
        hidden = len(shown.app.marked) - 3
        assert f"{hidden} marked runs are not listed here, and left alone." in text
        await shown.press("y")
    states = [run.state for run in runs(registry).values()]
    assert states.count(State.CANCELLED) == 2 and states.count(State.RUNNING) == 1


async def test_one_run_is_queued_again_at_once_and_several_after_a_question(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await shown.press("M", *"name:later,held", "enter", "x", "y")
        assert "2 runs cancelled." in shown.said
        await shown.press("r")
        assert "Requeue 2 runs?" in shown.text
        await shown.press("n")
        assert sum(run.state is State.CANCELLED for run in runs(registry).values()) == 2
        await shown.press("r", "y")
        assert not any(run.state is State.CANCELLED for run in runs(registry).values())


async def test_who_removes_the_chosen_baseline_is_told_what_follows(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("D")
        assert "chosen baseline" not in shown.text
        await shown.press("escape")
        shown.app.screen.table.go_to("run002")
        await shown.press("b", "D")
        assert "run002 is the chosen baseline: without it nothing is compared" in " ".join(
            shown.text.replace("│", " ").split()
        )
