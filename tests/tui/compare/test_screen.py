"""Two or more runs side by side: arms, scores, recipes, curves, matrices."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_builder import HOSTILE, RegistryBuilder
from shown import Show

from bertmt.drawing.looks import look_of, place_of_run
from bertmt.drawing.styled import plain
from bertmt.registry import runs as stored_runs
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.browse.rows import Row
from tui.screens.compare import screen as compare_screen
from tui.screens.compare.arms import Sides, sides_of
from tui.screens.compare.screen import CompareScreen

SIZES = [(80, 24), (120, 40)]
LARGEST = (200, 60)
TITLES = ("Arms", "Differences", "Curves", "Confusion", "Recipes: what differs", "Scores")
# The baseline stands first in the list, the oldest of the others last: base, training, later, held, …, better.
MARK_BASE_AND_BETTER = ("g", "space", "G", "space")


@pytest.mark.parametrize("size", SIZES)
async def test_marked_runs_are_compared_with_what_the_command_line_says_too(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.press(*MARK_BASE_AND_BETTER, "c")
        await shown.should_be("compare-scores")


@pytest.mark.parametrize("size", SIZES)
async def test_seeds_of_a_recipe_are_one_arm(show: Show, opened: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await opened(shown, 1, 2, 3, 4)
        await shown.should_be("compare-seeds")
        assert "twins, mean of 2 seeds − ● base (run001)" in shown.text
        await shown.press("a")
        assert "twins (run003)" in shown.text
        assert "mean of 2 seeds" not in shown.text


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Seeds 1 to 3 of one recipe, and 1, 2 and 4 of another."""
    numbers = itertools.count(1)
    monkeypatch.setattr(stored_runs, "new_id", lambda: f"run{next(numbers):03d}")
    builder = RegistryBuilder(tmp_path / "runs.db")
    for seed, right in ((1, 0.45), (2, 0.55), (4, 0.10)):
        builder.finished("new", "final-shared", right=right, seed=seed, **{"lora.rank": 16})
    for seed, right in ((1, 0.30), (2, 0.50), (3, 0.90)):
        builder.finished("old", right=right, seed=seed)
    yield builder.database
    builder.database.close()


@pytest.mark.parametrize("size", SIZES)
async def test_means_are_of_the_seeds_that_are_compared(
    show: Show, alive: Any, seeds: Database, size: tuple[int, int]
) -> None:
    async with show(seeds.path, size=size) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        await shown.should_be("compare-shared-seeds")
        of_arms = [line.split() for line in shown.text.splitlines() if "mean of 2 o" in line][:2]
        assert ["0.400" in words for words in of_arms] == [True, False], "of 18 and 30 of 60"
        assert ["0.500" in words for words in of_arms] == [False, True], "of 27 and 33 of 60"
        assert "0.400 → 0.500; by seed 1: +0.150, 2: +0.050; left out: 3, 4" in shown.text


async def test_arms_on_different_dev_data_are_not_compared(show: Show, alive: Any, seeds: Database) -> None:
    seeds.execute("UPDATE predictions SET fingerprint = 'other' WHERE run <= 3")
    async with show(seeds.path) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        assert "old and new were evaluated on different dev examples" in " ".join(shown.text.split())
        assert "less" not in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_recipes_stand_beside_each_other_where_they_differ(
    show: Show, opened: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await opened(shown, 1, 2, 3, 4, 6)
        await shown.press("2")
        await shown.should_be("compare-recipes")


async def test_an_arm_that_does_not_fit_comes_in_with_the_cursor(show: Show, opened: Any) -> None:
    async with show(size=(80, 24)) as shown:
        await opened(shown, 1, 2, 5, 6)
        await shown.press("2")
        assert "1 more" in shown.text and "ensembling        false  " in shown.text
        await shown.press("G")
        assert "true" in next(line for line in shown.text.splitlines() if line.startswith("   ensembling"))


@pytest.mark.parametrize("size", SIZES)
async def test_curves_have_the_marks_of_the_list_also_where_a_run_lacks_the_series(
    show: Show, opened: Any, runs: dict[str, Run], size: tuple[int, int]
) -> None:
    first, second = (look_of(place_of_run(runs[each].key), False).mark for each in ("run003", "run004"))
    async with show(size=size) as shown:
        await opened(shown, 1, 2, 3, 4, 6)
        await shown.press("3")
        await shown.should_be("compare-curves")
        assert f"{first} twins" in shown.text, "also where the legend has no room for more"
        if size == (80, 24):
            await shown.press("right_square_bracket", "right_square_bracket")
            assert f"{first} twins ×2" in shown.text and "mean, and lowest to highest seed" in shown.text
            await shown.press("a")
            assert f"{first} twins run003" in shown.text and f"{second} twins run004" in shown.text
            assert "lowest to highest" not in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_confusion_matrices_stand_side_by_side(show: Show, opened: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await opened(shown, 1, 2, 3)
        await shown.press("4")
        await shown.should_be("compare-confusion")
        await shown.press("d")
        await shown.should_be("compare-confusion-change")
        await shown.press("d", "right_square_bracket", "percent_sign")
        assert "PARA: share of each true class" in shown.text and "30 %" in shown.text


async def test_another_arm_can_be_the_first(show: Show, opened: Any) -> None:
    async with show() as shown:
        await opened(shown, 1, 2)
        assert "better (run002) − base (run001)" in shown.text and "+0.600" in shown.text
        await shown.press("j", "T")
        assert "base (run001) − better (run002)" in shown.text and "−0.600" in shown.text
        assert "● base (run001)" in shown.text, "a run keeps its mark"


@pytest.mark.parametrize("size", SIZES)
async def test_runs_without_scores_are_left_out_and_named(show: Show, opened: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await opened(shown, 1, 2, 5, 6, 7)
        await shown.should_be("compare-left-out")
        await shown.press("G", "T")
        assert "Only an arm with scores" in shown.said


async def test_of_many_runs_without_scores_three_are_named(show: Show, registry: Path, alive: Any) -> None:
    builder = RegistryBuilder(registry)
    many = [builder.add("many", seed=seed) for seed in range(5)]
    ended = [run for run in all_runs(builder.database) if run.name in ("base", "better")]
    builder.database.close()
    async with show() as shown:
        shown.app.push_screen(CompareScreen([*ended, *many]))
        await shown.settle()
        said = " ".join(" ".join(map(plain, shown.app.screen.query_one("#scores").lines)).split())
        listed = ", ".join(f"{run.id} (many, queued)" for run in many[:3])
        assert f"{listed} and 2 more." in said


async def test_without_two_arms_that_have_scores_a_sentence_says_so(show: Show, opened: Any) -> None:
    async with show() as shown:
        await opened(shown, 1, 5, 7)
        await shown.should_be("compare-no-scores")


async def test_the_screen_is_there_while_what_takes_seconds_is_computed(
    show: Show, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show() as shown:
        go_on = asyncio.Event()
        ask = shown.app.ask

        async def held(act: Any, slow: bool = False, create: bool = False) -> Any:
            if slow:
                await go_on.wait()
            return await ask(act, slow, create)

        monkeypatch.setattr(shown.app, "ask", held)
        database = open_registry(shown.app.registry)
        both = [run for run in all_runs(database) if run.id in ("run001", "run002")]
        database.close()
        shown.app.push_screen(CompareScreen(both))
        for _ in range(5):
            await shown.pilot.pause()
        assert "Comparing 2 arms …" in shown.text
        await shown.pilot.press("2")
        await shown.pilot.pause()
        assert "lora.rank" in shown.text
        go_on.set()
        await shown.settle()
        await shown.press("1")
        assert "better (run002) − base (run001)" in shown.text


async def test_a_comparison_is_made_anew_only_when_scores_changed(
    show: Show, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    compare = compare_screen.compared  # type: ignore[attr-defined]  # its own name for it
    monkeypatch.setattr(compare_screen, "compared", lambda *given: made.append(1) or compare(*given))
    async with show() as shown:
        await opened(shown, 1, 2)
        shown.app.screen.reload()
        await shown.settle()
        assert len(made) == 1
        await shown.press("j", "T")
        assert len(made) == 2


async def test_enter_opens_a_run_and_asks_which_of_several_seeds(show: Show, opened: Any) -> None:
    async with show() as shown:
        await opened(shown, 1, 3, 4)
        await shown.press("j", "enter")
        assert "Open which run?" in shown.text and "run004 seed 2" in shown.text
        await shown.press("escape")
        assert isinstance(shown.app.screen, CompareScreen)


async def test_hostile_names_are_shown_and_do_nothing(show: Show, opened: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await opened(shown, 2, 5)
        for tab in "1234":
            await shown.press(tab)
            assert "[red]x[/red]" in shown.text
            assert not set(HOSTILE) & set("\x1b\x07\u202e") & set(shown.text)


async def test_ascii_marks_are_those_of_the_curves(show: Show, opened: Any, runs: dict[str, Run]) -> None:
    async with show(size=(120, 40), ascii_only=True) as shown:
        await opened(shown, 1, 2)
        await shown.press("3")
        mark = look_of(place_of_run(runs["run002"].key), True).mark
        assert f"{mark} better run002" in shown.text and f"{mark} better (run002)" in shown.text
        assert shown.text.isascii()


def test_a_run_that_was_removed_keeps_the_looks_of_the_others(runs: dict[str, Run]) -> None:
    known = [runs["run001"], runs["run002"]]
    before = Sides(tuple(known))
    together = sides_of([Row(run, None) for run in known], before, False, None)
    after = sides_of([Row(known[1], None)], before, False, None)
    assert [run.id for run in after.runs] == ["run001", "run002"]
    assert after.places[known[1].key] == together.places[known[1].key]


@pytest.mark.parametrize("size", [(120, 40), LARGEST])
async def test_where_there_is_room_all_stands_on_one_page(show: Show, opened: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await opened(shown, 1, 2)
        await shown.should_be("compare-page")
        assert all(f" {title} " in shown.text for title in TITLES)
        for found in ("▲ better", "├", "dev score sst", "true \\ predict", "super_concat"):
            assert found in shown.text, found
        assert shown.app.screen.arms.has_focus, "the list of arms comes first"


async def test_in_a_small_terminal_the_same_panes_are_tabs(show: Show, opened: Any) -> None:
    async with show(size=(80, 24)) as shown:
        await opened(shown, 1, 2)
        for tab, there in enumerate(({"Differences", "Scores"}, {"Recipes: what differs"}, {"Curves"}, {"Confusion"})):
            await shown.press(str(tab + 1))
            assert {title for title in TITLES[1:] if f"─ {title} " in shown.text} == there


async def test_digits_go_from_pane_to_pane_and_show_one_alone(show: Show, opened: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await opened(shown, 1, 2)
        screen = shown.app.screen
        for digit, pane in (("4", "confusion"), ("2", "recipes"), ("3", "curves"), ("1", "forest")):
            await shown.press(digit)
            assert screen.query_one(f"#{pane}").has_focus
            assert screen.tab == int(digit) - 1 and "Recipes: what differs" in shown.text
        await shown.press("4", "4")
        assert "Confusion" in shown.text and "Recipes: what differs" not in shown.text
        await shown.press("2")
        assert "Recipes: what differs" in shown.text and " Curves " not in shown.text.partition("\n")[2]
        await shown.press("escape")
        assert all(f" {title} " in shown.text for title in TITLES), "all again"
        await shown.press("escape")
        assert not isinstance(shown.app.screen, CompareScreen)


async def test_a_terminal_that_grows_shows_more(show: Show, opened: Any) -> None:
    async with show(size=(80, 24)) as shown:
        await opened(shown, 1, 2)
        await shown.pilot.resize_terminal(120, 40)
        await shown.settle()
        assert "dev score" in shown.text and "true \\ predict" in shown.text, "read, not only framed"
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        assert "dev score sst" not in shown.text and "Differences" in shown.text


async def test_of_two_arms_the_change_stands_beside_the_matrices_over_seeds_that_both_have(
    show: Show, alive: Any, seeds: Database
) -> None:
    """Seeds 1, 2 and 4 get 27, 33 and 6 of 60 right, seeds 1, 2 and 3 of the other 18, 30 and 54."""
    async with show(seeds.path, size=LARGEST) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        await shown.press("4", "4")
        rows = shown.text.splitlines()
        head = next(each for each in rows if "change" in each)
        assert "old, sum of 3 seeds" in head and "new, sum of 3 seeds" in head
        assert "change, over 2 shared seeds" in head
        classes = [re.findall(r"[+−]?\d+", row)[-5:] for row in rows if re.search(r" [0-4] (somewhat|ne|po)", row)]
        right = [int(row[place].replace("−", "-")) for place, row in enumerate(classes)]
        assert sum(right) == (27 + 33) - (18 + 30)


async def test_the_forest_shows_what_is_undecided_and_the_noise_of_seeds(
    show: Show, alive: Any, seeds: Database
) -> None:
    async with show(seeds.path, size=(120, 40)) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        forest = shown.text[shown.text.index(" Differences ") : shown.text.rindex(" Curves ")]
        assert "░" in forest and "from 6 seeds of 2 recipes" in " ".join(forest.replace("│", " ").split())
        row = next(each for each in forest.splitlines() if "SST" in each)
        assert "≈ undecided" in row and "needs 5 seeds" in row


async def test_the_seeds_that_would_decide_are_queued_after_a_question(show: Show, alive: Any, seeds: Database) -> None:
    before = len(all_runs(seeds))
    async with show(seeds.path, size=(120, 40)) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        await shown.press("ctrl+s")
        assert "5 seeds of each are needed to decide at all" in " ".join(shown.text.split())
        assert "Queue 4 runs with more seeds?" in shown.text
        assert "look once" in shown.text
        await shown.press("n")
        assert len(all_runs(seeds)) == before
        await shown.press("ctrl+s", "y")
        added = sorted((run.name, run.seed) for run in all_runs(seeds)[before:])
        # Both have seeds 1 and 2; of 3 and 4 one each lacks, and a fifth seed is new.
        assert added == [("new", 0), ("new", 3), ("old", 0), ("old", 4)]
        await shown.press("ctrl+s")
        assert len(all_runs(seeds)) == before + 4 and "queued already" in shown.said


async def test_about_the_curve_of_a_single_reference_lies_what_two_seeds_differ_by(show: Show, opened: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await opened(shown, 1, 2)
        await shown.press("3", "3")
        assert "about ●: what two seeds differ by" in shown.text


async def test_in_confusion_tab_goes_to_the_next_task_as_in_a_run(show: Show, opened: Any) -> None:
    async with show() as shown:
        await opened(shown, 1, 2)
        await shown.press("4")
        assert "Tab task" in shown.text.splitlines()[-1]
        await shown.press("right_square_bracket")
        by_bracket = shown.text
        await shown.press("right_square_bracket", "tab")
        assert shown.text == by_bracket
        await shown.press("1", "tab")
        assert shown.app.focused.id != "arms" and "Tab task" not in shown.text.splitlines()[-1]


async def test_where_all_is_on_one_page_tab_goes_from_pane_to_pane(show: Show, opened: Any) -> None:
    async with show(size=(200, 60)) as shown:
        await opened(shown, 1, 2)
        await shown.press("4")
        before = shown.app.focused.id
        await shown.press("tab")
        assert shown.app.focused.id != before


async def test_of_an_arm_of_seeds_the_flips_say_which_one_they_are_of(show: Show, alive: Any, seeds: Database) -> None:
    async with show(seeds.path, size=LARGEST) as shown:
        shown.app.push_screen(CompareScreen(all_runs(seeds)))
        await shown.settle()
        await shown.press("ctrl+x")
        summary = " ".join(shown.text.split())
        assert re.search(r"old \(run\d+, seed 1 of 3 seeds\) → new \(run\d+, seed 1 of 3 seeds\)", summary), summary
        assert "It is about these two trained models" in summary
