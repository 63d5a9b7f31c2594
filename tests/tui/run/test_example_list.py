"""The list of examples that three tabs share: the one at the cursor stands in full below it."""

from typing import Any

import pytest
from run_screen import open_run
from shown import Show


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("exclamation_mark", "exclamation_mark", "exclamation_mark"),
        ("exclamation_mark", "exclamation_mark", "escape"),
    ],
)
async def test_the_example_at_the_cursor_is_shown_in_full_without_another_key(
    show: Show, alive: Any, keys: tuple[str, ...]
) -> None:
    """Also after a kind of which there are none, where its place was hidden; run002 broke nothing."""
    async with show() as shown:
        await open_run(shown, "run002", "4", *keys)
        assert " id s" in shown.text
