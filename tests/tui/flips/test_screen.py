"""Fixed and broken examples from Compare: by cell, with the sentences of the cell at the cursor."""

import pytest
from registry_builder import HOSTILE
from shown import Show

from bertmt.drawing.safe_text import safe_text

SIZES = [(80, 24), (200, 60)]
# As in the tests of Compare: the baseline, and the last of the list.
TO_FLIPS = ("g", "space", "G", "space", "c", "ctrl+x")


@pytest.mark.parametrize("size", SIZES)
async def test_the_comparison_leads_to_what_was_fixed_and_broken(
    show: Show, alive: None, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.press(*TO_FLIPS)
        await shown.should_be("flips")


@pytest.mark.parametrize("size", SIZES)
async def test_enter_goes_to_the_sentences_of_a_cell(show: Show, alive: None, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press(*TO_FLIPS, "j", "enter")
        assert shown.app.focused.id == "sentences"
        await shown.should_be("flips-cell")
        await shown.press("tab")
        assert shown.app.focused.id == "cells"


async def test_sentences_of_data_are_made_safe(show: Show, alive: None) -> None:
    async with show(size=(200, 60)) as shown:
        await shown.press(*TO_FLIPS)
        assert safe_text(HOSTILE) in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_of_numbers_closer_and_farther_predictions_are_listed(
    show: Show, alive: None, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.press(*TO_FLIPS, "right_square_bracket", "right_square_bracket")
        await shown.should_be("flips-numbers")
        await shown.press("left_square_bracket", "left_square_bracket")
        assert "all mistakes" in shown.text


async def test_tab_goes_to_the_next_task_as_in_a_run(show: Show, alive: None) -> None:
    async with show() as shown:
        await shown.press(*TO_FLIPS)
        first = shown.text
        assert "Tab task" in first.splitlines()[-1]
        await shown.press("tab", "tab")
        assert shown.app.focused.id == "cells"
        by_tab = shown.text
        await shown.press("left_square_bracket", "left_square_bracket")
        assert shown.text == first != by_tab
        await shown.press("right_square_bracket", "right_square_bracket")
        assert shown.text == by_tab
        await shown.press("enter")
        assert "Tab cells" in shown.text.splitlines()[-1]
