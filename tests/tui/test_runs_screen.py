"""The list of runs: what is shown, filtered, sorted, grouped, marked."""

import pytest


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_shows_every_run_with_its_state_and_scores(show, alive, size):
    async with show(size=size) as shown:
        shown.should_be("runs")


async def test_a_filter_is_applied_while_it_is_typed_and_taken_away_by_escape(show, alive):
    async with show() as shown:
        await shown.press("slash", *"sst>0.5")
        assert "better" in shown.text and "twins" not in shown.text
        await shown.press("escape", "escape")
        assert "twins" in shown.text
