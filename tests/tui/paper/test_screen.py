"""The paper's figures beside our runs of them."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_builder import HOSTILE, RegistryBuilder
from shown import Show, Shown

from bertmt.recipe.loading import presets
from bertmt.recipe.reported import claims
from bertmt.registry import runs
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from tui.screens.compare.screen import CompareScreen
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
        assert shown.app.screen.table.current.key == "baseline-each"
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
        assert f"5 waiting: {listed} and 2" in shown.text and ids[3] not in shown.text


# Intervals, pictures, claims, and what is missing


@pytest.fixture
def claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six seeds of both arms of the claim on Pearson loss, two of `final` and of two ranks, one of another pair."""
    numbers = itertools.count(1)
    monkeypatch.setattr(runs, "new_id", lambda: f"run{next(numbers):03d}")
    path = tmp_path / "claimed" / "runs.db"
    path.parent.mkdir()
    builder = RegistryBuilder(path)
    for seed in range(6):
        builder.finished("sts-only", "sts-only", right=0.3 + seed / 60, seed=seed)
        builder.finished("pearson", "pearson", right=0.6 - seed / 60, seed=seed)
    for seed in range(2):
        for name in ("final", "lora-r20", "lora-r200"):
            builder.finished(name, name, right=0.5 + seed / 10, seed=seed)
    builder.finished("cosine", "cosine", right=0.4)
    builder.database.close()
    return path


async def go_to_claim(shown: Shown, name: str) -> None:
    ids = [claim.id for claim in claims()]
    await shown.press("ctrl+k", "g", *("j",) * ids.index(name))


@pytest.mark.parametrize("size", SIZES)
async def test_every_claim_has_its_row_with_a_verdict(show: Show, claimed: Path, size: tuple[int, int]) -> None:
    async with show(claimed, size=size, first="paper") as shown:
        await go_to_claim(shown, "pearson")
        await shown.should_be("paper-claims")
        [row] = [each for each in shown.text.splitlines() if " pearson " in each and "confirmed" in each]
        assert "6 confirmed" in row
        assert "these models only" in shown.text and "1 of 5" in shown.text
        await shown.press("ctrl+k")
        assert "fig. preset" in shown.text, "and back to the figures"


async def test_enter_on_a_claim_compares_the_arms_or_says_what_is_missing(show: Show, claimed: Path) -> None:
    async with show(claimed, first="paper") as shown:
        await go_to_claim(shown, "pearson")
        await shown.press("enter")
        assert isinstance(shown.app.screen, CompareScreen)
        await shown.press("escape", "j", "enter")
        assert isinstance(shown.app.screen, PaperScreen) and "No two runs of ours are a pair" in shown.said


async def test_a_model_has_its_interval_and_the_pictures_that_it_stands_in(show: Show, claimed: Path) -> None:
    async with show(claimed, size=(120, 160), first="paper") as shown:
        await go_to(shown, "final")
        for text in ("Figure 8  Confusion matrix", "recall  precision", "Figure 9  TP", "true positive", "Figure 10",
                     "line of best fit", "ours [one run, 95 %]", "80,859"):  # fmt: skip
            assert text in shown.text, text
        assert "Figure 6" not in shown.text
        await go_to(shown, "lora-r200")
        assert "Figure 6  LoRA rank" in shown.text and "rank 200" in shown.text and "Figure 8" not in shown.text


async def test_in_words_pictures_are_sentences(show: Show, claimed: Path) -> None:
    async with show(claimed, size=(100, 160), first="paper", in_words=True) as shown:
        await go_to(shown, "final")
        assert "Line of best fit: predicted" in shown.text and "True 0 negative" not in shown.text
        assert "True negative, 12:" in shown.text


async def test_what_is_missing_of_a_row_is_queued_once_a_person_agrees(
    show: Show, claimed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(claimed.parent)
    async with show(claimed, first="paper") as shown:
        await go_to(shown, "lora-r20")
        await shown.press("ctrl+s")
        assert "Queue what is missing of" in shown.text and "everything" in shown.text
        await shown.press("enter")
        # All five ranks with five seeds; the runs that are there are of other data than the embedded ones.
        assert "Queue 25 runs of the paper?" in shown.text and "encoder=tiny, epochs=2" in shown.text
        await shown.press("n")
        assert not queued_in(claimed)
        await shown.press("ctrl+s", "enter", "y")
        added = queued_in(claimed)
        assert (len(added), {run.recipe["epochs"] for run in added}) == (25, {2})
        assert {run.submission.preset for run in added} == {f"lora-r{rank}" for rank in (20, 100, 150, 200, 300)}
        await shown.press("ctrl+s", "enter")
        assert "25 wait or run, 0 are missing" in shown.said and len(queued_in(claimed)) == 25


async def test_of_a_claim_both_arms_are_queued(show: Show, claimed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(claimed.parent)
    async with show(claimed, first="paper") as shown:
        await go_to_claim(shown, "extra-data")
        await shown.press("ctrl+s", "enter")
        assert "Queue 10 runs of the paper?" in shown.text
        await shown.press("y")
        assert {run.name for run in queued_in(claimed)} == {"big-data", "big-data-extra_datafalse"}


def queued_in(path: Path) -> list[Any]:
    with open_registry(path) as database:
        return [run for run in all_runs(database) if run.state == "queued"]


async def test_a_read_only_registry_queues_nothing_of_what_is_missing(show: Show, claimed: Path) -> None:
    async with show(claimed, first="paper", read_only=True) as shown:
        await shown.press("ctrl+s")
        assert isinstance(shown.app.screen, PaperScreen) and "read-only" in shown.said
