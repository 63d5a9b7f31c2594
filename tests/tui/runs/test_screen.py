"""The list of runs: what is shown, filtered, sorted, grouped and marked."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from list_of_runs import go_to, names, run_named
from registry_builder import HOSTILE, RegistryBuilder
from shown import Show
from textual.events import MouseScrollDown

from bertmt.drawing import looks
from bertmt.registry import runs
from bertmt.registry.file.opening import open_registry
from bertmt.registry.states import State
from tui.settings import Settings, read_settings
from tui.widgets.home_line import SHOWN

MARKS = tuple(looks.MARKS)  # in front of a marked run, each with its own


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_list_shows_every_run_with_its_state_and_scores(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.should_be("runs")


async def test_a_running_run_shows_its_curves_at_a_glance(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "training")
        await shown.should_be("runs-glance-running")


async def test_a_failed_run_shows_its_last_words_at_a_glance(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, HOSTILE)
        await shown.should_be("runs-glance-failed")


async def test_a_run_whose_process_is_gone_is_queued_again_once(show: Show, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "training")
        assert run_named(registry, "training").state is State.QUEUED
        await shown.press("enter")
        assert "lost once, queued again" in shown.text


async def test_a_run_whose_process_is_gone_again_is_lost(show: Show, registry: Path) -> None:
    with open_registry(registry) as database, database.immediate():
        database.execute("UPDATE runs SET recoveries = 1 WHERE name = 'training'")
    async with show() as shown:
        await go_to(shown, "training")
        await shown.should_be("runs-lost")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_an_empty_registry_shows_what_to_type(show: Show, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "empty" / "runs.db"
    open_registry(path, create=True).close()
    async with show(path, size=size) as shown:
        await shown.should_be("runs-empty")


async def test_a_filter_is_applied_while_it_is_typed_and_taken_away_by_escape(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"sst>0.5")
        assert names(shown.text) == ["better"]
        await shown.press("escape")
        assert "sst>0.5" in shown.text, "the filter stays until it is taken away"
        await shown.press("escape")
        assert len(names(shown.text)) == 8


async def test_letters_are_text_while_a_filter_is_typed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"xqn")
        assert shown.app.screen.filter_text == "xqn"


async def test_a_filter_that_cannot_be_understood_says_where_and_keeps_the_last_one(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"sst>0.5 lorra")
        await shown.press(*">1")
        assert "`lorra` is not a field of a run; did you mean `lora" in " ".join(shown.text.split())
        await shown.should_be("runs-filter-problem")


async def test_a_filter_that_nothing_matches_leaves_an_empty_list_and_says_so(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"state:paused|", "backspace")
        assert names(shown.text) == []
        assert "No run matches" in shown.text


async def test_a_click_on_a_title_sorts_and_a_second_one_turns_the_order_round(show: Show, alive: Any) -> None:
    async with show() as shown:
        title = shown.text.splitlines()[1].index("STS")
        await shown.pilot.click("#runs", offset=(title, 0))
        await shown.settle()
        assert names(shown.text)[:3] == ["better", "twins", "twins"]
        await shown.pilot.click("#runs", offset=(title, 0))
        await shown.settle()
        assert names(shown.text)[0] == "base"


async def test_a_click_moves_the_cursor_a_second_one_opens_and_one_on_the_margin_marks(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.pilot.click("#runs", offset=(10, 8))
        await shown.settle()
        assert shown.app.screen.current_run().name == "better"
        await shown.pilot.click("#runs", offset=(0, 8))
        await shown.settle()
        assert shown.app.marked == {"run002"}
        await shown.pilot.click("#runs", offset=(10, 8), times=2)
        await shown.settle()
        assert type(shown.app.screen).__name__ == "RunScreen"


async def test_the_wheel_scrolls_a_long_list(show: Show, tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "many" / "runs.db")
    for number in range(60):
        builder.add(f"many-{number:04d}")
    builder.database.close()
    async with show(builder.database.path) as shown:
        assert names(shown.text)[0] == "many-0000", "the queue in its order"
        await shown.pilot._post_mouse_events([MouseScrollDown], shown.app.screen.table, offset=(10, 5))
        await shown.settle()
        assert names(shown.text)[0] > "many-0000"


async def test_the_order_is_chosen_from_a_list(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("o")
        await shown.should_be("runs-order")
        await shown.press("j", "j", "j", "enter")
        assert names(shown.text)[0] == "twins", "downwards by name"
        await shown.press("o", "enter")
        assert names(shown.text)[:2] == ["base", "training"], "as it was at first"


async def test_seeds_of_a_recipe_are_one_line_with_mean_and_spread(show: Show, alive: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await shown.press("a")
        twins = next(line for line in shown.text.splitlines() if "pearson ×2" in line)
        assert "0.687±.101" in twins, "of 0.616 and 0.759: (0.616 + 0.759) / 2, and 0.143 / √2"
        await shown.should_be("runs-grouped")
        shown.app.screen.table.go_to(next(row.key for row in shown.app.screen.table.rows if len(row.group.rows) == 2))
        await shown.press("enter")
        assert "run003" in shown.text and "run004" in shown.text


async def test_a_seed_that_was_trained_twice_is_one_seed(show: Show, alive: Any, registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET seed = 1 WHERE name = 'twins'")
    async with show(size=(120, 40)) as shown:
        await shown.press("a")
        shown.app.screen.table.go_to(next(row.key for row in shown.app.screen.table.rows if len(row.group.rows) == 2))
        await shown.settle()
        assert any("pearson ×1" in line and " 1 of 1 " in line for line in shown.text.splitlines())
        assert "seeds" in shown.text and "1, 1" not in shown.text


async def test_the_first_line_counts_the_runs_of_every_state(show: Show, alive: Any, registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'cancelled' WHERE name = 'twins'")
        counts = dict(database.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall())
    async with show(size=(160, 40)) as shown:
        first = shown.text.splitlines()[0]
        assert "2 cancelled" in first and all(f"{count} {state}" in first for state, count in counts.items())
    assert set(SHOWN) == set(State)


async def test_columns_are_chosen_and_kept(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    async with show(settings_file=file) as shown:
        await shown.press("C")
        await shown.should_be("runs-columns")
        await shown.press(*"jjjj", "space", "enter")
        assert "toggles" not in shown.text.splitlines()[1]
    kept = read_settings(file)
    assert kept.columns["toggles"] is False
    async with show(settings=kept) as shown:
        assert "toggles" not in shown.text.splitlines()[1]


async def test_marks_stay_with_their_runs_and_are_taken_away_by_one_key(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("space", "space")
        assert [line.split()[2] for line in shown.text.splitlines() if line.startswith(MARKS)] == ["base", "training"]
        await shown.press("slash", *"base", "enter", "escape")
        assert len([line for line in shown.text.splitlines() if line.startswith(MARKS)]) == 2
        await shown.press("U")
        assert [line for line in shown.text.splitlines() if line.startswith(MARKS)] == []


async def test_marking_a_group_marks_its_runs_for_every_screen_and_load(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("a")
        group = next(row for row in shown.app.screen.table.rows if len(row.group.rows) == 2)
        shown.app.screen.table.go_to(group.key)
        await shown.press("space")
        assert shown.app.marked == {"run003", "run004"}
        await shown.look()
        shown.app.screen.reload()
        await shown.settle()
        assert next(line for line in shown.text.splitlines() if "pearson" in line).startswith(MARKS)
        await shown.press("a")
        assert [line.split()[2] for line in shown.text.splitlines() if line.startswith(MARKS)] == ["twins", "twins"]


async def test_a_mark_is_known_at_once(show: Show, alive: Any) -> None:
    async with show() as shown:
        shown.app.screen.table.action_mark()
        assert shown.app.marked == {"run006"}, "no message has to arrive first: a load in between would lose the mark"


async def test_what_others_change_is_shown_and_the_cursor_stays_on_its_run(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        builder = RegistryBuilder(registry)
        builder.add("new one")
        builder.database.close()
        await shown.look()
        assert names(shown.text)[4] == "new", "behind those that wait already"
        assert shown.app.screen.current_run().name == "better"


async def test_a_thousand_runs_scroll_to_the_last_and_back(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count(1)
    monkeypatch.setattr(runs, "new_id", lambda: f"r{next(numbers):05d}")
    builder = RegistryBuilder(tmp_path / "many" / "runs.db")
    for number in range(1000):
        builder.add(f"many-{number:04d}")
    builder.database.close()
    async with show(builder.database.path) as shown:
        assert "many-0000" in shown.text
        await shown.press("G")
        assert "many-0999" in shown.text and "many-0000" not in shown.text
        await shown.press("g", "ctrl+d", "pagedown", "k")
        assert shown.app.screen.table.cursor == round(0.5 * 11) + 11 - 1, "11 rows are on screen"
        await shown.should_be("runs-thousand")


async def test_settings_that_nobody_chose_are_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "dashboard.toml") == Settings()


async def test_the_first_line_says_how_many_runs_are_marked_and_that_nothing_can_be_written(
    show: Show, alive: Any
) -> None:
    async with show() as shown:
        await shown.press("space", "space")
        assert "◆ 2 " in shown.text.splitlines()[0]
    async with show(read_only=True) as shown:
        assert "read-only" in shown.text.splitlines()[0]
