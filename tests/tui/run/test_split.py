"""Two runs side by side: the same tab of both, and keys for one of them."""

from pathlib import Path
from typing import Any

import pytest
from shown import LARGE, SMALL, Show, Shown

from bertmt.drawing.charts.axes import Frame
from bertmt.drawing.styled import plain
from bertmt.registry.file.opening import open_registry

WIDE = (200, 60)


async def open_split(shown: Shown, *keys: str) -> None:
    """base and better."""
    shown.app.marked |= {"run001", "run002"}
    shown.app.screen.table.redraw()
    await shown.press("vertical_line", *keys)
    assert type(shown.app.screen).__name__ == "SplitScreen"


def problem_of(shown: Shown, run_id: str) -> str:
    """What stands in the place of a run's tab."""
    half = next(each for each in shown.app.screen.halves if each.run.id == run_id)
    said = half.query_one("#problem")
    return " ".join(plain(line) for line in said.lines) if said.display else ""


def places(shown: Shown) -> list[Any]:
    """Where the runs stand on screen, run002 first, as the list has it."""
    return [half.region for half in shown.app.screen.halves]


@pytest.mark.parametrize("size", [SMALL, LARGE, WIDE])
@pytest.mark.parametrize("tab", ["1", "2", "4", "6"])
async def test_both_runs_are_seen_with_the_same_tab(
    show: Show, evaluated: Any, alive: Any, size: tuple[int, int], tab: str
) -> None:
    async with show(path=evaluated, size=size) as shown:
        await open_split(shown, tab)
        first, second = places(shown)
        is_beside = size != SMALL
        assert (first.y == second.y and first.right == second.x) is is_beside
        assert (first.x == second.x and first.bottom == second.y) is not is_beside
        assert {type(half.pane).__name__ for half in shown.app.screen.halves} == {type(shown.app.screen.pane).__name__}
        assert "run001" in shown.text and "run002" in shown.text
        if tab in ("1", "4"):
            await shown.should_be(f"split-{tab}")


@pytest.mark.parametrize("runs", [("run002", "run006"), ("run001", "run009")])
async def test_both_have_a_chart_on_a_small_terminal_and_their_axes_are_the_same(
    show: Show, evaluated: Any, alive: Any, runs: tuple[str, str]
) -> None:
    async with show(path=evaluated) as shown:
        shown.app.marked |= set(runs)
        await shown.press("vertical_line")
        assert "A chart needs" not in shown.text and "from its lowest" not in shown.text
        halves = shown.app.screen.halves
        assert all(half.query_one("#about").size.height <= 2 for half in halves), "one is running"
        first, second = ({panel.title: panel for panel in half.pane.chart._panels} for half in halves)
        shared = set(first) & set(second)
        assert any("loss" in title for title in shared)
        for title in shared:
            frames = [Frame.around(panel.framed(), panel.log_y) for panel in (first[title], second[title])]
            assert frames[0] == frames[1] is not None, title


async def test_keys_go_to_one_run_and_another_key_or_a_click_gives_them_to_the_other(
    show: Show, evaluated: Any, alive: Any
) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await open_split(shown, "4")
        first, second = (half.pane.query_one("ExampleRows") for half in shown.app.screen.halves)
        assert (first.cursor, second.cursor) == (0, 0) and first.has_focus
        await shown.press("j", "j")
        assert (first.cursor, second.cursor) == (2, 0)
        own = shown.app.screen.current_run().id
        await shown.press("ctrl+w", "j")
        assert (first.cursor, second.cursor) == (2, 1)
        assert {own, shown.app.screen.current_run().id} == {"run001", "run002"}
        await shown.pilot.click(offset=(5, first.region.y + 5))
        await shown.press("j")
        assert second.cursor == 1 and shown.app.screen.current_run().id == own


async def test_a_tab_without_anything_to_show_keeps_neither_keys_nor_the_other_run(
    show: Show, evaluated: Any, alive: Any
) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        shown.app.marked |= {"run002", "run007"}
        await shown.press("vertical_line", "6")
        assert "has not started yet, so it has no log" in problem_of(shown, "run007")
        await shown.press("ctrl+w", "ctrl+w", "4")
        assert "sentence" in shown.text, "the run that was evaluated"


async def test_what_is_done_is_done_to_the_run_with_the_keys_and_c_compares_both(
    show: Show, evaluated: Any, alive: Any, registry: Path
) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await open_split(shown, "ctrl+w", "i", *"seen", "enter")
        with open_registry(registry) as database:
            notes = dict(database.execute("SELECT id, note FROM runs WHERE id IN ('run001', 'run002')"))
        assert notes[shown.app.screen.current_run().id] == "seen" and sorted(notes.values()) == ["", "seen"]
        await shown.press("c")
        assert set(shown.app.screen._ids) == {"run001", "run002"}


async def test_a_run_that_is_removed_leaves_the_other(show: Show, evaluated: Any, alive: Any, registry: Path) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await open_split(shown, "D", "y")
        said = [problem_of(shown, half.run.id) for half in shown.app.screen.halves]
        assert "was removed from the registry" in said[0] and not said[1]
        assert type(shown.app.screen).__name__ == "SplitScreen"
        await shown.press("ctrl+w", "7", "escape")
        assert type(shown.app.screen).__name__ == "RunsScreen"


@pytest.mark.parametrize(("marked", "said"), [((), "1 run is"), (("run001", "run002", "run003"), "3 runs are")])
async def test_other_than_two_runs_are_refused_in_a_sentence(
    show: Show, alive: Any, marked: tuple[str, ...], said: str
) -> None:
    async with show() as shown:
        shown.app.marked |= set(marked)
        await shown.press("vertical_line")
        assert f"Two marked runs can stand side by side; {said} chosen now." in shown.said


async def test_the_terminal_may_change_its_size_meanwhile(show: Show, evaluated: Any, alive: Any) -> None:
    async with show(path=evaluated, size=WIDE) as shown:
        await open_split(shown, "4", "j")
        await shown.pilot.resize_terminal(*SMALL)
        await shown.settle()
        first, second = places(shown)
        assert first.bottom == second.y and shown.app.screen.pane.query_one("ExampleRows").cursor == 1


@pytest.mark.parametrize("tab", ["2", "4"])
async def test_a_tab_that_is_opened_leaves_the_keys_where_they_are(
    show: Show, evaluated: Any, alive: Any, tab: str
) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await open_split(shown)
        own = shown.app.screen.current_run().id
        await shown.press(tab)
        assert shown.app.screen.current_run().id == own
        assert shown.app.screen.half in shown.app.focused.ancestors


async def test_a_cell_that_becomes_empty_beside_the_run_with_the_keys_takes_them_not(
    show: Show, evaluated: Any, alive: Any
) -> None:
    async with show(path=evaluated, size=WIDE) as shown:
        await open_split(shown, "2")
        [better] = [each for each in shown.app.screen.halves if each.run.id == "run002"]
        if not better.has_keys:
            await shown.press("ctrl+w")
        await shown.press("left", "right", "right", "right", "right", "enter", "ctrl+w")
        assert better.pane._is_reading and not better.has_keys
        shown.app.screen.scrub.epoch = 0  # in which nothing is right
        shown.app.screen.reload()
        await shown.settle()
        assert not better.pane._is_reading and not better.has_keys


async def test_a_removed_run_is_told_of_once(show: Show, evaluated: Any, alive: Any) -> None:
    async with show(path=evaluated, size=LARGE) as shown:
        await open_split(shown, "D", "y")
        for _ in range(3):
            shown.app.screen.reload()
            await shown.settle()
        assert shown.said.count("was removed.") == 1


@pytest.mark.parametrize("tab", ["1", "2", "4"])
async def test_both_runs_go_to_an_evaluation_and_back(show: Show, evaluated: Any, alive: Any, tab: str) -> None:
    async with show(path=evaluated, size=WIDE) as shown:
        await open_split(shown, tab, "comma")
        assert shown.text.count("epoch 1, step 3; 0 goes back") == 2
        await shown.press("0")
        assert "0 goes back" not in shown.text
        if tab == "1":
            await shown.press("X")
            assert shown.text.count("Curves over epochs") == 2
