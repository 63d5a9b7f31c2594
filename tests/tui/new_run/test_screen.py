"""The form for new runs: what is shown, typed, previewed, refused and queued."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show

from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.plan.embedded import EMBEDDED
from bertmt.services.plan.submit import submit

SIZES = [(80, 24), (120, 40)]
# The cursor begins on what runs; below it are later, held, the failed one, twins, twins, better.
TO_HELD, TO_FAILED, TO_BETTER = ["j"] * 2, ["j"] * 3, ["j"] * 6
TO_RANK = ["j"] * 18  # from the form's first line


@pytest.fixture(autouse=True)
def no_encoder_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither weights nor a `bertmt.toml` of whoever runs the tests."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "BERTMT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)


def stored(path: Path) -> list[Run]:
    with open_registry(path) as database:
        return all_runs(database)


@pytest.fixture
def while_storing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractAsyncContextManager[None]]:
    """`async with while_storing(shown):` Ctrl+S was pressed; the runs are stored when the block ends."""
    goes_on = threading.Event()

    @asynccontextmanager
    async def held(shown: Any) -> AsyncIterator[None]:
        loop, has_begun = asyncio.get_running_loop(), asyncio.Event()

        def submit_later(database: Database, made: Any) -> list[Run]:
            loop.call_soon_threadsafe(has_begun.set)
            assert goes_on.wait(60)
            return submit(database, made)

        monkeypatch.setattr("tui.screens.new_run.screen.submit", submit_later)
        try:
            await shown.pilot.press("ctrl+s")
            await asyncio.wait_for(has_begun.wait(), 60)
            yield
        finally:
            goes_on.set()
        await shown.settle()

    return held


@pytest.mark.parametrize("size", SIZES)
async def test_a_fresh_user_sees_how_to_begin(show: Show, tmp_path: Path, size: tuple[int, int]) -> None:
    async with show(path=tmp_path / "new" / "runs.db", size=size) as shown:
        await shown.press("n")
        await shown.should_be("new-run-nothing-yet")


async def test_from_no_registry_to_a_worked_toy_run_are_four_keys(
    show: Show, tmp_path: Path, started: list[tuple[bool, int, str]]
) -> None:
    path = tmp_path / "runs.db"
    async with show(path=path) as shown:
        await shown.press("n", "ctrl+y", "ctrl+s")
        [run] = stored(path)
        assert (run.state, run.submission.preset, run.submission.data, run.recipe["encoder"]) == (
            "queued",
            "baseline",
            "toy",
            "tiny",
        )
        assert "No worker is running" in shown.text
        await shown.press("y")
        assert started == [(False, 1, "auto")]
        assert f"{run.id} (baseline, seed 0) queued." in shown.said
        assert shown.app.screen.current_run().id == run.id


@pytest.mark.parametrize("size", SIZES)
async def test_a_copy_of_a_run_begins_with_its_recipe(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press(*TO_BETTER, "n")
        await shown.should_be("new-run-copy")


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_what_is_changed_is_marked_and_previewed(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press(*TO_BETTER, "n", "j", "enter", *"0-2", "enter", *["j"] * 5, "space", "tab")
        await shown.should_be("new-run-changed")


async def test_the_form_says_of_a_copy_of_what_runs_the_time_that_that_run_takes(show: Show, alive: Any) -> None:
    async with show(size=(200, 60)) as shown:
        shown.app.screen.table.go_to("run006")
        await shown.press("n")
        assert "About 4 m 12 s, judged by run006." in shown.text, "as its child says"


async def test_a_narrow_form_shows_the_values_rather_than_what_they_mean(show: Show, alive: Any) -> None:
    async with show(size=(40, 12)) as shown:
        await shown.press("2", "n")
        title = next(line for line in shown.text.splitlines() if "setting" in line)
        assert "value" in title and "meaning" not in title


async def test_a_copy_of_a_run_with_a_hostile_name_shows_it_safely_and_needs_another(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await shown.press(*TO_FAILED, "n")
        await shown.should_be("new-run-hostile")
        await shown.press("ctrl+s")
        assert "A run's name must be" in shown.said
        await shown.press("j", "j", "j", "enter", *"tame", "ctrl+s")
    assert stored(registry)[-1].name == "tame"


async def test_a_digit_begins_a_number_and_what_cannot_be_says_so_while_it_is_typed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n", *TO_RANK, *"2x")
        await shown.should_be("new-run-typing")
        await shown.press("enter")
        assert shown.app.screen.query_one("#form").is_typing
        await shown.press("escape")
        assert shown.app.screen.form.typed == {}
        await shown.press("2", "0", "down")
        assert shown.app.screen.form.typed == {"lora.rank": "20"}
        await shown.press("k", "backspace")
        assert shown.app.screen.form.typed == {}


async def test_keys_that_come_faster_than_the_focus_moves_are_not_lost(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n")
        await shown.pilot.press("j", "enter", *"4-6", "enter", *TO_RANK[1:], *"32", "enter")
        await shown.settle()
        assert shown.app.screen.form.typed == {"seeds": "4-6", "lora.rank": "32"}


async def test_left_and_right_go_through_choices_and_the_tasks_are_chosen_in_a_list(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press(*TO_HELD, "n", *["j"] * 5, "enter", "space", "enter")
        assert shown.app.screen.form.typed == {"tasks": "para,sts"}
        form = shown.app.screen.query_one("#form")
        form.table.go_to("schedule")
        await shown.press("right")
        assert shown.app.screen.form.typed["schedule"] == "alternate"
        await shown.press("left")
        assert "schedule" not in shown.app.screen.form.typed


async def test_another_preset_can_be_chosen_and_keeps_what_was_typed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press(*TO_HELD, "n", *["j"] * 6, "space", "ctrl+o")
        await shown.should_be("new-run-presets")
        await shown.press("j", "enter")
        form = shown.app.screen.form
        embedded = {name: str(value) for name, value in EMBEDDED.items()}
        assert (form.preset, form.run, form.typed) == ("baseline", None, {"ensembling": "true", **embedded})


async def test_ctrl_s_takes_what_is_being_typed_and_queues_a_run_for_each_seed(
    show: Show, alive: Any, registry: Path, started: list[tuple[bool, int, str]]
) -> None:
    async with show() as shown:
        await shown.press("n", "j", "enter", *"3,5", "ctrl+s", "n")
        assert [run.seed for run in stored(registry)[8:]] == [3, 5]
        assert "and 1 more queued" in shown.said
        assert shown.app.screen.current_run().seed == 3
        assert started == []


async def test_ctrl_s_again_while_runs_are_being_stored_queues_them_once(
    show: Show,
    alive: Any,
    registry: Path,
    started: list[tuple[bool, int, str]],
    while_storing: Callable[..., AbstractAsyncContextManager[None]],
) -> None:
    async with show() as shown:
        await shown.press("n", "ctrl+y")
        async with while_storing(shown):
            await shown.pilot.press("ctrl+s", "ctrl+s")
        await shown.press("n")
        assert len(stored(registry)) == 9
        assert shown.said.count("queued.") == 1 and started == []


async def test_a_form_that_is_left_while_its_run_is_stored_says_that_it_was_queued(
    show: Show,
    alive: Any,
    while_storing: Callable[..., AbstractAsyncContextManager[None]],
) -> None:
    async with show() as shown:
        await shown.press(*TO_HELD, "n", "ctrl+y")
        async with while_storing(shown):
            await shown.pilot.press("escape")
            assert shown.app.screen.SUBJECT == "runs"
        assert "(held, seed 0) queued." in shown.said and "No worker is running" in shown.text
        await shown.press("n")
        assert shown.app.screen.SUBJECT == "runs"


async def test_the_help_that_is_read_while_runs_are_stored_stays_and_the_form_goes(
    show: Show,
    alive: Any,
    registry: Path,
    while_storing: Callable[..., AbstractAsyncContextManager[None]],
) -> None:
    async with show() as shown:
        await shown.press("n", "ctrl+y")
        async with while_storing(shown):
            await shown.pilot.press("question_mark")
        assert "queued." in shown.said and type(shown.app.screen).__name__ == "Help"
        await shown.press("escape")
        assert "No worker is running" in shown.text
        await shown.press("n")
        assert shown.app.screen.SUBJECT == "runs" and shown.app.screen.current_run().id == stored(registry)[-1].id


async def test_enter_on_the_last_line_queues(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("n", "G", "enter")
        assert len(stored(registry)) == 9


async def test_what_cannot_be_is_told_with_every_problem_and_not_queued(show: Show, alive: Any, registry: Path) -> None:
    async with show(size=(120, 40)) as shown:
        await shown.press(*TO_HELD, "n", *["j"] * 10, "space", *["j"] * 3, "space")
        form = shown.app.screen.query_one("#form")
        form.table.go_to("batch_size")
        await shown.press("1", "enter")
        await shown.should_be("new-run-problems")
        await shown.press("ctrl+s")
        assert "`pearson` needs a `batch_size` of at least 3" in shown.said
    assert len(stored(registry)) == 8


async def test_a_section_folds_and_unfolds_under_enter(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n", *["j"] * 4, "enter")
        assert "ensembling" not in shown.text
        await shown.press("enter")
        assert "ensembling" in shown.text


async def test_the_preview_takes_the_place_of_the_form_and_escape_brings_it_back(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n", "tab")
        assert "The resolved recipe" in shown.text and "▾ method" not in shown.text
        await shown.press("escape")
        assert "▾ method" in shown.text
        await shown.press("escape")
        assert shown.app.screen.SUBJECT == "runs"


async def test_a_run_that_waits_is_changed_in_the_same_form(show: Show, alive: Any, registry: Path) -> None:
    async with show(first="queue") as shown:
        await shown.press("j", "e")
        await shown.should_be("edit-run")
        shown.app.screen.query_one("#form").table.go_to("epochs")
        await shown.press("7", "enter", "ctrl+s")
        assert "run007 (later, seed 0) changed." in shown.said
    later = stored(registry)[6]
    assert later.recipe["epochs"] == 7 and len(stored(registry)) == 8


async def test_what_is_typed_survives_a_change_of_the_registry(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("n", *TO_RANK, *"20")
        builder = RegistryBuilder(registry)
        builder.add("another")
        builder.database.close()
        await shown.look()
        assert shown.app.screen.query_one("#typed").value == "20"
        await shown.press("enter")
        assert shown.app.screen.form.typed == {"lora.rank": "20"}


async def test_a_click_on_a_line_goes_there_and_two_change_it(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n")
        await shown.pilot.click("#fields", offset=(5, 8), times=2)
        await shown.settle()
        assert shown.app.screen.form.typed == {"super_concat": "true"}


async def test_a_broken_file_of_defaults_is_told(show: Show, alive: Any, tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text("epochs = [", encoding="utf-8")
    async with show(path=tmp_path / "none.db") as shown:
        await shown.press("n")
        assert "is no TOML file" in shown.said
        assert "ensembling" in shown.text


async def test_nothing_is_queued_where_the_registry_is_read_only(show: Show, alive: Any) -> None:
    async with show(read_only=True) as shown:
        await shown.press("n")
        assert shown.app.screen.SUBJECT == "runs" and "read-only" in shown.said


async def test_the_form_is_drawn_in_ascii_alone(show: Show, alive: Any) -> None:
    async with show(ascii_only=True) as shown:
        await shown.press(*TO_BETTER, "n")
        assert shown.text.isascii()
