"""Ctrl+C says how to quit, in our own words, and quits when it is pressed again at once."""

from typing import Any

import pytest
from shown import Show

from tui import app as dashboard


@pytest.mark.parametrize("before", [(), ("x",), ("n",), ("i",)])
async def test_once_it_tells_and_twice_it_quits(show: Show, alive: Any, before: tuple[str, ...]) -> None:
    async with show() as shown:
        await shown.press(*before, "ctrl+c")
        assert shown.said == "q quits, and so does Ctrl+C again; runs go on."
        assert shown.app._exit is False
        await shown.pilot.press("ctrl+c")
        assert shown.app._exit is True


async def test_later_it_tells_again(show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "AGAIN_SECONDS", 0.0)
    async with show() as shown:
        await shown.press("ctrl+c", "ctrl+c")
        assert shown.said.count("q quits") == 2 and not shown.app._exit
