"""The paper's figures beside our runs of them."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_builder import HOSTILE, RegistryBuilder
from shown import Show, Shown

from bertmt.recipe.loading import presets
from bertmt.registry import runs
from tui.screens.new_run.screen import NewRunScreen
from tui.screens.paper.screen import PaperScreen
from tui.screens.run.screen import RunScreen

SIZES = [(80, 24), (120, 40)]
ROWS = list(presets())


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A registry without runs."""
    path = tmp_path / "empty" / "runs.db"
    path.parent.mkdir()
    RegistryBuilder(path).database.close()
    return path


@pytest.fixture
def scales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The baseline at two scales, two seeds at the newer one, and a hostile name."""
    numbers = itertools.count(1)
    monkeypatch.setattr(runs, "new_id", lambda: f"run{next(numbers):03d}")
    path = tmp_path / "scales" / "runs.db"
    path.parent.mkdir()
    builder = RegistryBuilder(path)
    builder.finished("old", right=0.9, batch_size=4)
    builder.finished(HOSTILE, right=0.3, seed=1)
    builder.finished("new", right=0.4, seed=2)
    builder.database.close()
    return path


async def go_to(shown: Shown, preset: str) -> None:
    await shown.press("g", *("j",) * ROWS.index(preset))


@pytest.mark.parametrize("size", SIZES)
async def test_every_figure_has_its_row_with_ours_beside_the_papers(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size, first="paper") as shown:
        await shown.should_be("paper")


@pytest.mark.parametrize("size", SIZES)
async def test_a_figure_without_runs_has_its_claims_and_says_what_enter_does(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size, first="paper") as shown:
        await go_to(shown, "pearson-cosine-mnr")
        await shown.should_be("paper-missing")
        await shown.press("enter")
        assert isinstance(shown.app.screen, NewRunScreen)
        assert shown.app.screen.form.preset == "pearson-cosine-mnr"
        await shown.press("escape")
        assert isinstance(shown.app.screen, PaperScreen)
        assert present(shown.app.screen.table.current).key == "pearson-cosine-mnr", "the cursor stays"


async def test_enter_opens_the_best_run_and_n_the_form(show: Show, alive: Any) -> None:
    async with show(first="paper") as shown:
        await go_to(shown, "pearson")
        await shown.press("enter")
        assert isinstance(shown.app.screen, RunScreen)
        assert shown.app.screen.run.id == "run004", "seed 2 has the higher ρ"
        await shown.press("escape", "n")
        screen: Any = shown.app.screen
        assert screen.form.preset == "pearson"


@pytest.mark.parametrize("size", SIZES)
async def test_scales_are_kept_apart_and_chosen_by_a_key(show: Show, scales: Path, size: tuple[int, int]) -> None:
    async with show(scales, size=size, first="paper") as shown:
        await shown.should_be("paper-scales")
        assert "1/2 tin" in shown.text and "Scale 1 of 2" in shown.text and "batch 8" in shown.text
        await shown.press("right_square_bracket")
        assert "2/2 tin" in shown.text and "0.900" in shown.text and "batch 4" in shown.text
        await shown.look()
        assert "2/2 tin" in shown.text, "a choice outlives a reload"
        await shown.press("right_square_bracket")
        assert "1/2 tin" in shown.text
        await shown.press("j", "right_square_bracket")
        assert "no other scale" in shown.said


async def test_the_test_set_of_the_paper_is_not_taken_for_dev(show: Show, alive: Any) -> None:
    async with show(first="paper") as shown:
        await go_to(shown, "final")
        assert "Figure 1, test set" in shown.text
        assert any(line.split()[:2] == ["1*", "final"] for line in shown.text.splitlines())


async def test_m_goes_to_the_next_figure_without_a_run_of_ours(show: Show, alive: Any) -> None:
    async with show(first="paper") as shown:
        await shown.press("right_curly_bracket")
        assert shown.app.screen.table.current.key == "multi-layer"
        await shown.press("G", "right_curly_bracket")
        assert not shown.app.screen.table.current.row.measured


@pytest.mark.parametrize("size", SIZES)
async def test_without_runs_the_papers_own_figures_stand_there(show: Show, empty: Path, size: tuple[int, int]) -> None:
    async with show(empty, size=size, first="paper") as shown:
        await shown.should_be("paper-empty")


async def test_the_other_first_screens_are_a_key_away(show: Show, alive: Any) -> None:
    async with show(first="paper") as shown:
        await shown.press("2")
        assert shown.app.current_mode == "queue"
        await shown.press("3", "1")
        assert shown.app.current_mode == "runs"


async def test_a_read_only_registry_queues_nothing(show: Show, alive: Any) -> None:
    async with show(first="paper", read_only=True) as shown:
        await shown.press("n")
        assert isinstance(shown.app.screen, PaperScreen) and "read-only" in shown.said


async def test_ascii_alone_draws_the_paper_too(show: Show, alive: Any) -> None:
    async with show(size=(120, 40), first="paper", ascii_only=True) as shown:
        assert shown.text.isascii()


async def test_of_many_runs_that_wait_three_are_named(show: Show, alive: Any, registry: Path) -> None:
    builder = RegistryBuilder(registry)
    builder.database.execute("DELETE FROM runs WHERE state IN ('queued', 'held')")
    ids = [builder.add("many", seed=seed).id for seed in range(5)]
    builder.database.close()
    async with show(size=(200, 60), first="paper") as shown:
        await go_to(shown, "baseline")
        listed = ", ".join(f"{each} (seed {seed})" for seed, each in enumerate(ids[:3]))
        assert f"5 waiting: {listed} " in shown.text and " and 2 more " in shown.text
