"""The recipe of a run: every setting in its group, what is unlike the preset, what has nothing to do."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from run_screen import open_run
from shown import Show

from bertmt.recipe.recipe import SETTINGS
from bertmt.registry import runs
from bertmt.registry.records import Run
from bertmt.services.browse import baseline


@pytest.fixture
def in_place(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run is as long as it is in each test."""
    monkeypatch.setattr("tui.screens.run.panes.recipe.shown_path", lambda path: f"runs/{path.name}")
    return registry


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_recipe_of_a_finished_run_has_what_came_of_it_beside_it(
    show: Show, alive: Any, in_place: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "5")
        await shown.should_be("run-recipe")


async def test_every_setting_can_be_read_at_eighty_columns(show: Show, alive: Any, in_place: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "5")
        seen = set()
        for _ in range(10):
            seen |= {word for line in shown.text.splitlines() for word in line.split()[:2]}
            await shown.press("pagedown")
        assert set(SETTINGS) <= seen
        await shown.should_be("run-recipe-end")


async def test_what_is_unlike_the_preset_is_marked_and_what_is_idle_says_why(
    show: Show, alive: Any, in_place: Path
) -> None:
    async with show(size=(80, 60)) as shown:
        await open_run(shown, "run002", "5")
        assert "* lora.rank 16 final-shared: 200" in " ".join(shown.text.split())
        await shown.press("escape")
        await open_run(shown, "run001", "5")
        assert "mnr_scale 1 not in use: mnr is off" in " ".join(shown.text.split())


async def test_the_papers_scores_stand_beside_ours_with_the_set_that_they_are_of(
    show: Show, alive: Any, in_place: Path
) -> None:
    async with show(size=(120, 120)) as shown:
        await open_run(shown, "run001", "5")
        [row] = [line for line in shown.text.splitlines() if " paper  " in line]
        assert row.strip(" │").split()[-4:] == ["0.782", "0.352", "0.676", "–"]
        assert "Figure 2-4, dev set, at bert-base" in shown.text


@pytest.mark.parametrize("run_id", ["run005", "run006", "run007", "run008"])
async def test_a_run_in_any_state_has_a_recipe(show: Show, alive: Any, in_place: Path, run_id: str) -> None:
    async with show() as shown:
        await open_run(shown, run_id, "5")
        assert "Method: the toggles" in shown.text
        await shown.press("G")
        assert "has changed since this run was queued" in shown.text


async def test_a_recipe_of_another_version_says_where_it_can_be_read(show: Show, alive: Any, in_place: Path) -> None:
    builder = RegistryBuilder(in_place)
    builder.database.execute("UPDATE runs SET recipe = '{\"seed\": 0, \"warp\": 9}' WHERE id = 'run007'")
    builder.database.close()
    async with show() as shown:
        await open_run(shown, "run007", "5")
        assert "`bertmt show run007 --json` has it as it is." in " ".join(shown.text.split())


async def test_the_baseline_is_looked_for_among_runs_that_were_read_already(
    show: Show, alive: Any, in_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def reading(*arguments: Any) -> list[Run]:
        read.append(arguments)
        return runs.all_runs(*arguments)

    async with show(size=(120, 90)) as shown:
        monkeypatch.setattr(baseline, "all_runs", reading)
        await open_run(shown, "run002", "5")
        assert "baseline  +0.475 from run001 (base)" in shown.text
        assert read == []
