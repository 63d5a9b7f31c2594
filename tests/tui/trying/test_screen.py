"""Try: what is typed is asked once, answers stand side by side, and the child dies with the screen."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_screen import open_run
from shown import Show, Shown
from textual.widgets import Input
from trying import keep_models, use_stand_in

SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: Path) -> Path:
    """`base` and `better` kept models; a stand-in answers, and notes what it is asked in this file."""
    keep_models(registry, "base", "better")
    use_stand_in(monkeypatch, tmp_path / "asked")
    return tmp_path / "asked"


async def until(shown: Shown, what: Callable[[], Any]) -> None:
    """Until something that the child causes is so."""
    async with asyncio.timeout(120):
        while not what():
            await asyncio.sleep(0.02)
            await shown.settle()
    await shown.settle()


async def open_try(shown: Shown, run: str = "run002") -> Any:
    shown.app.screen.table.go_to(run)
    await shown.press("ctrl+t")
    await until(shown, lambda: shown.app.screen.board.is_ready)
    return shown.app.screen


async def type_text(shown: Shown, text: str) -> None:
    for character in text:
        await shown.pilot.press("space" if character == " " else character)


def all_words(screen: Any) -> bool:
    return screen.board.asked > 0 and len(screen.board.words) >= 2


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_typed_is_answered_side_by_side(
    show: Show, alive: Any, asked: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        screen = await open_try(shown)
        await type_text(shown, "not bad")
        await until(shown, lambda: all_words(screen) and asked.read_text().endswith("not bad\n"))
        assert shown.text.count("◂") == 2 and "word by word" in shown.text and "0.600 ◂" in shown.text
        await shown.should_be("try")


async def test_a_pair_is_for_the_other_tasks(show: Show, alive: Any, asked: Path) -> None:
    async with show() as shown:
        screen = await open_try(shown)
        await type_text(shown, "men")
        await shown.press("tab")
        await type_text(shown, "man")
        await until(shown, lambda: any(task == "sts" for _, task in screen.board.told))
        assert "paraphrase" in shown.text and "2.50" in shown.text


async def test_what_is_typed_quickly_is_asked_once(
    show: Show, alive: Any, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.trying.screen.DEBOUNCE_SECONDS", 2.0)
    async with show() as shown:
        screen = await open_try(shown)
        screen.query_one("#first", Input).value = "a"
        for text in ("a f", "a fi", "a film"):
            screen.query_one("#first", Input).value = text
            await asyncio.sleep(0)
        await until(shown, lambda: screen.board.told)
        assert asked.read_text() == "a film\n"


async def test_answers_that_come_too_late_are_dropped(show: Show, alive: Any, asked: Path) -> None:
    async with show() as shown:
        screen = await open_try(shown)
        screen.query_one("#first", Input).value = "slow"
        await until(shown, lambda: asked.read_text() == "slow\n")
        screen.query_one("#first", Input).value = "bad"
        await until(shown, lambda: len(screen.board.words) == 2)
        await asyncio.sleep(0.1)
        await shown.settle()
        assert all(each.number == screen.board.asked for each in screen.board.told.values())


@pytest.mark.parametrize(("text", "said"), [("die", "was ended by signal 9"), ("fail", "No memory is left")])
async def test_a_child_that_ends_is_a_sentence_and_a_key_starts_another(
    show: Show, alive: Any, asked: Path, text: str, said: str
) -> None:
    async with show() as shown:
        screen = await open_try(shown)
        screen.query_one("#first", Input).value = text
        await until(shown, lambda: screen.board.ended)
        assert said in shown.text and "Ctrl+R starts again" in " ".join(shown.text.split())
        screen.query_one("#first", Input).value = "fine"
        await shown.press("ctrl+r")
        await until(shown, lambda: screen.board.told)
        assert said not in shown.text and "◂" in shown.text


async def test_the_child_dies_with_the_screen(show: Show, alive: Any, asked: Path) -> None:
    async with show() as shown:
        screen = await open_try(shown)
        child = screen._conversation._child._process
        os.kill(child.pid, 0)
        await shown.press("escape")
        assert type(shown.app.screen).__name__ == "RunsScreen"
        assert child.poll() is not None, "and has been waited for"


async def test_nothing_is_started_before_the_screen_is_opened(
    show: Show, alive: Any, asked: Path, monkeypatch: Any
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr("tui.screens.trying.screen.Conversation", refuse)
    async with show() as shown:
        await shown.press("j", "enter", "4")


async def test_runs_without_a_model_say_so(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press("ctrl+t")
        assert "nothing can be asked" in shown.text and "has no weights" in " ".join(shown.text.split())


async def test_an_example_is_tried_with_its_text_filled_in(show: Show, alive: Any, asked: Path) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002", "4", "ctrl+t")
        screen = shown.app.screen
        assert type(screen).__name__ == "TryScreen" and screen.query_one("#first", Input).value.startswith("sentence ")
        await until(shown, lambda: all_words(screen))
        assert {run.id for run in screen.board.runs} == {"run001", "run002"}, "beside its baseline"
        assert "\x1b" not in shown.text and "\u202e" not in shown.text


async def test_a_text_has_a_bound(show: Show, alive: Any, asked: Path) -> None:
    async with show() as shown:
        screen = await open_try(shown)
        assert screen.query_one("#first", Input).max_length == 2000
