"""Which toggle helps: the forest, what lacks, and the key that queues it."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_builder import HOSTILE, RegistryBuilder
from shown import Show

from bertmt.registry import runs as stored_runs
from bertmt.registry.runs import all_runs
from tui.plain.words import speak

SIZES = [(80, 24), (200, 60)]


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryBuilder]:
    """Three pairs with LoRA and without, one that lacks the run with LoRA, and a single pair of another toggle."""
    numbers = itertools.count(1)
    monkeypatch.setattr(stored_runs, "new_id", lambda: f"run{next(numbers):03d}")
    builder = RegistryBuilder(tmp_path / "runs.db")
    for seed in (3, 4, 5, 6):
        builder.finished("plain", "baseline", right=0.3 + seed / 100, seed=seed)
        if seed < 6:
            builder.finished("evil" + HOSTILE, "baseline", right=0.6 - seed / 50, seed=seed, **{"lora.rank": 4})
    builder.finished("without", "baseline", right=0.2, seed=3, surgery=False)
    yield builder
    builder.database.close()


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_leads_from_the_runs_to_the_effects(
    show: Show, pairs: RegistryBuilder, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with show(tmp_path / "runs.db", size=size) as shown:
        await shown.press("ctrl+g")
        await shown.should_be("effects")


async def test_what_lacks_is_queued_after_a_question(show: Show, pairs: RegistryBuilder, tmp_path: Path) -> None:
    before = len(all_runs(pairs.database))
    async with show(tmp_path / "runs.db") as shown:
        await shown.press("ctrl+g", "ctrl+s")
        assert "that would complete pairs?" in shown.text
        await shown.press("n")
        assert len(all_runs(pairs.database)) == before
        await shown.press("ctrl+s", "y")
        added = [
            (run.seed, run.recipe["lora.rank"], run.recipe["surgery"]) for run in all_runs(pairs.database)[before:]
        ]
        assert sorted(added) == [(4, 0, False), (5, 0, False), (6, 0, False), (6, 4, True)]
        await shown.press("ctrl+s")
        assert len(all_runs(pairs.database)) == before + 4, "what waits is not queued again"


async def test_without_a_pair_a_sentence_says_how_to_make_one(show: Show) -> None:
    async with show(size=(120, 40)) as shown:
        await shown.press("ctrl+g")
        assert "bertmt queue --from RUN --set" in shown.text or "pair" in shown.text


async def test_where_signs_are_words_each_effect_is_a_sentence(
    show: Show, pairs: RegistryBuilder, tmp_path: Path
) -> None:
    async with show(tmp_path / "runs.db", in_words=True, size=(120, 40)) as shown:
        await shown.press("ctrl+g")
        assert re.search(r"^ *overall: [+-]?0\.\d+, interval [+-]?0\.\d+ to [+-]?0\.\d+, p ", shown.text, re.M)
        assert shown.text.isascii()
    speak(False)


async def test_what_takes_long_keeps_no_other_screen_waiting(
    show: Show, pairs: RegistryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(tmp_path / "runs.db") as shown:
        await shown.press("ctrl+g")
        waited, ask = [], shown.app.live.ask

        async def noted(act: Any, *how: Any) -> Any:
            waited.append(act.__qualname__)
            return await ask(act, *how)

        monkeypatch.setattr(shown.app.live, "ask", noted)
        await shown.press("ctrl+s", "y")
        assert "Queued 4 runs." in shown.said and not any("action_queue" in each for each in waited)
