"""`/` and some letters go to a setting of the form; the footer says how to leave what is typed."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show, Shown

from tui.screens.new_run.matching import Sought, matching
from tui.widgets.fields import Field, FieldKind


@pytest.fixture(autouse=True)
def nothing_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `bertmt.toml` of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)


def at(shown: Shown) -> Any:
    return shown.app.screen.query_one("#form").table.current.key


def footer(shown: Shown) -> str:
    return shown.text.splitlines()[-1]


async def test_letters_go_to_a_setting_and_enter_stays_there(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n")
        assert "/ find" in footer(shown)
        await shown.press("slash", *"rank")
        assert at(shown) == "lora.rank" and "⏎ stay here Esc go back" in footer(shown)
        await shown.press("enter", "2")
        assert at(shown) == "lora.rank" and "⏎ accept Esc leave" in footer(shown)
        await shown.press("escape", "slash", *"priority", "escape")
        assert at(shown) == "lora.rank"


async def test_a_setting_of_a_folded_section_is_unfolded_and_down_goes_to_the_next(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n", "slash", *"mnr")
        assert at(shown) == "mnr"
        await shown.press("down")
        assert at(shown) == "mnr_scale"
        await shown.press("down", "up")
        assert at(shown) == "mnr_scale"


async def test_letters_that_no_setting_has_say_so(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("n", "slash", *"qqq")
        assert "No setting has these letters." in shown.text
        await shown.press(*["backspace"] * 3)
        assert "No setting has these letters." not in shown.text


def test_beginnings_come_before_what_is_in_the_middle_and_meanings_last() -> None:
    fields = [
        Field("s", "▾ s", FieldKind.SECTION),
        *(Field(name, name, FieldKind.NUMBER, meaning=meaning) for name, meaning in (
            ("warmup", "share of the rank"), ("frank", ""), ("lora.rank", ""), ("other", ""))),
        Field("done", "rank", FieldKind.DONE),
    ]  # fmt: skip
    assert matching(fields, " Rank") == [Sought("lora.rank", "s"), Sought("frank", "s"), Sought("warmup", "s")]
    assert matching(fields, "  ") == []
