"""The last line: which keys it shows, and that a click on one is as good as the key."""

from typing import Any

import pytest
from shown import LARGE, Show

from tui.dialogs.help import Help
from tui.widgets.key_line import KeyLine


def last_line(shown: Any) -> str:
    return str(shown.text.splitlines()[-1])


async def test_a_click_on_a_key_acts(show: Show, alive: None) -> None:
    async with show() as shown:
        line = last_line(shown)
        await shown.pilot.click(KeyLine, offset=(line.index("help"), 0))
        await shown.settle()
        assert isinstance(shown.app.screen, Help)


async def test_a_click_on_the_palettes_key_opens_it(show: Show, alive: None) -> None:
    async with show(size=LARGE) as shown:
        line = last_line(shown)
        await shown.pilot.click(KeyLine, offset=(line.index("palette"), 0))
        await shown.settle()
        assert type(shown.app.screen).__name__ == "Palette"


async def test_a_click_beside_the_keys_does_nothing(show: Show, alive: None) -> None:
    async with show(size=LARGE) as shown:
        line = last_line(shown)
        await shown.pilot.click(KeyLine, offset=(line.index("help") + 20, 0))
        await shown.settle()
        assert len(shown.app.screen_stack) == 1


async def test_a_key_that_is_pointed_at_says_what_it_does(show: Show, alive: None) -> None:
    async with show() as shown:
        await shown.pilot.hover(KeyLine, offset=(last_line(shown).index("cancel"), 0))
        assert shown.app.screen.query_one(KeyLine).tooltip == "Cancel the marked runs, or this one."


@pytest.mark.parametrize("width", [80, 60, 45])
async def test_where_there_is_little_room_help_stays(show: Show, alive: None, width: int) -> None:
    async with show(size=(width, 24)) as shown:
        line = last_line(shown)
        assert line.endswith("? help") and len(line) <= width
        assert "palette" not in line


async def test_the_keys_are_those_of_the_screen_at_hand(show: Show, alive: None) -> None:
    async with show(size=LARGE) as shown:
        assert "filter" in last_line(shown)
        await shown.press("2")
        assert "hold" in last_line(shown) and "filter" not in last_line(shown)
        await shown.press("1")
        assert "filter" in last_line(shown)
