"""Where the list leaves room, the run at the cursor has its matrix and what it gets wrong beside it."""

from pathlib import Path
from typing import Any

import pytest
from shown import LARGE, SMALL, Show

from tui.screens.runs import predicted, predictions

HUGE = (200, 60)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose predictions were read, the first one first."""
    found: list[str] = []
    read = predictions.read_predictions

    def noted(session: Any, run: Any, like: Any) -> Any:
        found.append(run.id)
        return read(session, run, like)

    monkeypatch.setattr(predictions, "read_predictions", noted)
    return found


async def test_the_matrix_and_the_wrong_examples_of_the_run_at_the_cursor_are_beside_the_list(
    show: Show, evaluated: Path, alive: Any
) -> None:
    async with show(evaluated, size=HUGE) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.settle()
        assert "SST of run002, epoch 2" in shown.text
        assert "true \\ predicted" in shown.text and "4 positive" in shown.text
        # Of the 60 examples 0.9 are right, so that the last six are wrong; all of them equally sure.
        assert "wrong, the surest first" in shown.text
        assert [line.count("sentence 5") for line in shown.text.splitlines() if "sentence 5" in line] == [1] * 6
        await shown.should_be("runs-predicted")
        shown.app.screen.table.go_to("run010")
        await shown.settle()
        assert "STS of run010, epoch 2" in shown.text and "farthest from the best fit first" in shown.text
        shown.app.screen.table.go_to("run007")
        await shown.settle()
        assert "Run run007 is held: predictions appear once it has been evaluated." in shown.text


@pytest.mark.parametrize("size", [SMALL, LARGE, (200, 30)])
async def test_where_there_is_no_room_nothing_is_read(
    show: Show, evaluated: Path, alive: Any, reads: list[str], size: tuple[int, int]
) -> None:
    async with show(evaluated, size=size) as shown:
        await shown.press("j", "j")
        assert reads == []


async def test_while_the_cursor_moves_nothing_is_read_and_all_else_follows_at_once(
    show: Show, evaluated: Path, alive: Any, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(evaluated, size=HUGE) as shown:
        reads.clear()
        monkeypatch.setattr(predicted, "PAUSE_SECONDS", 3600.0)
        shown.app.screen.table.go_to("run003")
        for _ in range(10):
            await shown.pilot.pause()
        assert "twins run003 seed 1" in shown.text and reads == []
        monkeypatch.setattr(predicted, "PAUSE_SECONDS", 0.0)
        shown.app.screen.table.go_to("run004")
        await shown.settle()
        assert reads == ["run004"], "what the cursor only passed is never read"
