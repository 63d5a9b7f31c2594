"""A search in the dashboard: its recipes, their settings against scores, and the outcome."""

import asyncio
import itertools
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from shown import Show
from trained_trials import begun, train_next

from bertmt.registry import runs
from bertmt.registry.file.opening import open_registry
from bertmt.registry.searches.rows import search_named
from bertmt.services.analysis.searching import looking
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.report import report_of
from bertmt.services.analysis.searching.scoring import Scorer
from tui.plain.words import speak
from tui.screens import dashboard_screen
from tui.screens.run.screen import RunScreen
from tui.screens.runs.screen import RunsScreen
from tui.screens.searching import screen
from tui.screens.searching.screen import SearchScreen

SIZES = [(80, 24), (200, 60)]
OVER = ("head_dropout=0..0.9", "learning_rate=1e-5..1e-3", "pooling=mean,cls,max")


@pytest.fixture
def searched(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copied registry with a search that has ended, named rates, and behind it one that has just begun."""
    numbers = itertools.count(1)
    monkeypatch.setattr(runs, "new_id", lambda: f"try{next(numbers):03d}")
    monkeypatch.setattr(looking, "training_seconds", lambda database, run: 61.5 * (run.progress.epoch or 0))
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
        begun(database, over=OVER, name="rates")
        scorer = Scorer(database, search_named(database, "rates"))
        while advance(database, "rates", lambda _: None, scorer).search.ended_at is None:
            while train_next(database) is not None:
                pass
        begun(database, over=("r_drop=0,1,2",), name="drops", strategy="random", runs="3")
    return registry


@pytest.mark.parametrize("size", SIZES)
async def test_settings_stand_against_scores_and_the_winner_is_marked(
    show: Show, alive: Any, searched: Path, size: tuple[int, int]
) -> None:
    async with show(searched, size=size) as shown:
        await shown.press("ctrl+b", "left_square_bracket")
        await shown.should_be("search")
        assert "◆" in shown.text and "Best of 9 recipes (8 pruned)" in shown.text


async def test_what_is_read_is_named_while_that_takes_its_time(
    show: Show, alive: Any, searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read = threading.Event()

    def slowly(*about: Any) -> Any:
        assert is_read.wait(60)
        return report_of(*about)

    monkeypatch.setattr(screen, "report_of", slowly)
    monkeypatch.setattr(dashboard_screen, "MOST_SECONDS_UNDRAWN", 3600)
    async with show(searched) as shown:
        shown.app.poll_seconds = 3600  # as where somebody looks: what is not read yet is not drawn
        await shown.pilot.press("ctrl+b")
        async with asyncio.timeout(60):
            while "Reading the search …" not in shown.text:
                await shown.pilot.pause()
        assert "drops" in shown.text and shown.app.screen._may_draw
        is_read.set()
        shown.app.poll_seconds = 0
        await shown.settle()
        assert "Reading the search" not in shown.text and "score" in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_search_that_goes_on_says_so(show: Show, alive: Any, searched: Path, size: tuple[int, int]) -> None:
    async with show(searched, size=size) as shown:
        await shown.press("ctrl+b")
        await shown.should_be("search-begun")
        assert "No recipe has been trained to its end yet" in shown.text


async def test_the_key_leads_to_the_search_of_the_run_at_the_cursor_else_to_the_newest(
    show: Show, alive: Any, searched: Path
) -> None:
    async with show(searched) as shown:
        runs: RunsScreen = shown.app.screen
        runs.set_filter("rates-4")
        await shown.settle()
        await shown.press("ctrl+b")
        assert isinstance(shown.app.screen, SearchScreen) and " rates  halving" in shown.text
        await shown.press("escape")
        runs.set_filter("better")
        await shown.settle()
        await shown.press("ctrl+b")
        assert " drops  random" in shown.text


async def test_without_a_search_it_is_said_how_one_begins(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("ctrl+b")
        assert "No search yet: `bertmt search" in shown.said and not isinstance(shown.app.screen, SearchScreen)


async def test_left_and_right_go_from_setting_to_setting_and_brackets_from_search_to_search(
    show: Show, alive: Any, searched: Path
) -> None:
    async with show(searched) as shown:
        await shown.press("ctrl+b", "right_square_bracket")
        first = next(line for line in shown.text.splitlines() if " 1/3 " in line)
        assert "head_dropout" in first
        await shown.press("right")
        assert " 2/3 " in shown.text and "head_dropout:" not in shown.text
        await shown.press("l", "l")
        assert " 1/3 head_dropout" in shown.text
        await shown.press("left")
        assert " 3/3 " in shown.text
        await shown.press("left_square_bracket")
        assert " drops  random" in shown.text


async def test_enter_opens_the_run_and_p_resumes_a_pruned_one(show: Show, alive: Any, searched: Path) -> None:
    async with show(searched) as shown:
        await shown.press("ctrl+b", "left_square_bracket", "enter")
        assert isinstance(shown.app.screen, RunScreen)
        await shown.press("escape", "j", "p")
        assert " queued " in shown.text
        with open_registry(searched) as database:
            tried = looking.look(database, "rates").tried
            assert [each.run.state for each in tried if each.run and each.run.queueing.pause_after == 0] == [
                "finished" if each.is_whole else "queued"
                for each in tried
                if each.run and each.run.queueing.pause_after == 0
            ]


async def test_ascii_draws_nothing_but_ascii(show: Show, alive: Any, searched: Path) -> None:
    async with show(searched, size=(200, 60), ascii_only=True) as shown:
        await shown.press("ctrl+b", "left_square_bracket")
        assert shown.text.isascii() and "head_dropout" in shown.text


async def test_where_signs_are_words_each_setting_is_a_sentence(show: Show, alive: Any, searched: Path) -> None:
    async with show(searched, size=(200, 60), in_words=True) as shown:
        await shown.press("ctrl+b", "left_square_bracket")
        said = " ".join(shown.text.split())
        for setting in ("head_dropout", "learning_rate (logarithmic)", "pooling"):
            assert re.search(rf"{re.escape(setting)}: [^;]*; the best recipe has \S+\.", said)
        assert {each for each in shown.text if not each.isascii()} <= set("η²"), repr(set(shown.text))
    speak(False)


async def test_a_search_is_scored_while_other_screens_are_answered(
    show: Show, alive: Any, searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(searched) as shown:
        waited, ask = [], shown.app.live.ask

        async def noted(act: Any, *how: Any) -> Any:
            waited.append(act.__qualname__)
            return await ask(act, *how)

        monkeypatch.setattr(shown.app.live, "ask", noted)
        await shown.press("ctrl+b")
        assert isinstance(shown.app.screen, SearchScreen) and " drops  random" in shown.text
        assert "SearchScreen._read" not in waited
