"""One place in a run's time for all tabs about it: keys go from evaluation to evaluation, the frames say where."""

from pathlib import Path
from typing import Any

from run_screen import open_run
from shown import LARGE, Show

BACK = "; 0 goes back to what is newest"


async def test_an_evaluation_that_was_gone_to_on_one_tab_is_shown_on_all(
    show: Show, alive: Any, evaluated: Path
) -> None:
    async with show(evaluated, size=LARGE) as shown:
        await open_run(shown, "run002", "2")
        assert "Confusion of SST, epoch 2, step 6 ─" in shown.text, "the selected one"
        await shown.press("comma")
        assert f"Confusion of SST, epoch 1, step 3{BACK}" in shown.text
        await shown.press("3")
        assert "Predicted against true, epoch 1, step 3" in shown.text
        await shown.press("4")
        assert f"Examples, epoch 1, step 3{BACK}" in shown.text
        await shown.press("1")
        assert f"Curves over steps, epoch 1, step 3{BACK}" in shown.text
        assert "values at step 3 (epoch 1)" in shown.text
        await shown.should_be("run-curves-scrubbed")


async def test_on_the_curves_the_same_keys_move_the_cursor_over_every_axis(
    show: Show, alive: Any, evaluated: Path
) -> None:
    async with show(evaluated, size=LARGE) as shown:
        await open_run(shown, "run002", "comma", "comma")
        assert "Curves over steps, epoch 0, step 0" in shown.text and "values at step 0 (epoch 0)" in shown.text
        await shown.press("full_stop", "X")
        assert "Curves over epochs, epoch 1, step 3" in shown.text and "values at epoch 1 " in shown.text
        await shown.press("right")
        assert "values at epoch 1." in shown.text, "the cursor itself goes on"
        shown.app.screen.reload()
        await shown.settle()
        assert "values at epoch 1." in shown.text, "and is left where it is"
        await shown.press("2")
        assert "epoch 1, step 3" in shown.text


async def test_zero_goes_back_to_what_is_newest_on_every_tab(show: Show, alive: Any, evaluated: Path) -> None:
    async with show(evaluated, size=LARGE) as shown:
        await open_run(shown, "run002", "comma", "0")
        assert "Curves over steps ─" in shown.text and "values at" not in shown.text
        await shown.press("2")
        assert "epoch 2, step 6" in shown.text and BACK not in shown.text


async def test_a_run_without_evaluations_says_so(show: Show, alive: Any, registry: Path) -> None:
    async with show(size=LARGE) as shown:
        await open_run(shown, "run006", "comma")
        assert "Nothing was evaluated yet." in shown.said
