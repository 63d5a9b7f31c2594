"""What a key that moves the cursor costs: rows alone while it is held down, and of a tall list few are sent."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import LARGE, SMALL, Show

from bertmt.registry.file.opening import open_registry
from bertmt.services.browse import curves
from tui.screens.runs import screen as runs_screen
from tui.widgets.glance import glimpse_of
from tui.widgets.tables.table import MOST_ROWS_TO_SEND

TALL = (200, 60)
RUNS = 130


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A registry with more runs than fit on any screen."""
    builder = RegistryBuilder(tmp_path / "long" / "runs.db")
    for number in range(RUNS):
        builder.add(f"run-{number:03d}")
    builder.database.close()
    return tmp_path / "long" / "runs.db"


async def scrolled_to(shown: Any, table: Any, keys: int, key: str) -> list[int]:
    """The first row on screen after each key, where it is another."""
    tops = [round(table.scroll_y)]
    for _ in range(keys):
        await shown.pilot.press(key)
        tops += [top for top in (round(table.scroll_y),) if top != tops[-1]]
    return tops


async def test_a_tall_list_goes_on_by_half_of_its_height(show: Show, long: Path, alive: None) -> None:
    async with show(long, size=TALL) as shown:
        table = shown.app.screen.table
        height = table.size.height - 1
        assert height > MOST_ROWS_TO_SEND
        tops = await scrolled_to(shown, table, 100, "j")
        assert tops[:3] == [0, height - height // 2, 2 * (height - height // 2)]
        for _ in range(100):
            await shown.pilot.press("k")
            assert table.scroll_y <= table.cursor < table.scroll_y + height
        assert (table.cursor, table.scroll_y) == (0, 0)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_list_of_few_rows_goes_on_row_by_row(
    show: Show, long: Path, alive: None, size: tuple[int, int]
) -> None:
    async with show(long, size=size) as shown:
        table = shown.app.screen.table
        assert await scrolled_to(shown, table, table.size.height + 3, "j") == [0, 1, 2, 3, 4, 5]


async def test_what_stands_beside_the_list_waits_until_the_cursor_rests(
    show: Show, long: Path, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        runs_screen, "glimpse_of", lambda session, run: asked.append(run.name) or glimpse_of(session, run)
    )
    async with show(long) as shown:
        monkeypatch.setattr(runs_screen, "PAUSE_SECONDS", 1000)
        asked.clear()
        for _ in range(6):
            await shown.pilot.press("j")
        assert asked == []
        monkeypatch.setattr(runs_screen, "PAUSE_SECONDS", 0)
        await shown.press("j")
        assert asked == ["run-007"]


async def test_a_course_is_read_once_while_its_run_is_the_same(
    show: Show, registry: Path, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    courses_of = curves.courses_of

    def note(database: Any, runs: Any) -> Any:
        read.append(len(runs))
        return courses_of(database, runs)

    monkeypatch.setattr(curves, "courses_of", note)
    async with show(size=LARGE) as shown:
        assert read[0] == sum(row.run.state not in ("queued", "held") for row in shown.app.screen.table.rows) > 3
        read.clear()
        shown.app.screen.reload()
        await shown.settle()
        assert read == [], "nothing changed"
        with open_registry(registry) as database:
            database.execute("UPDATE runs SET note = 'other' WHERE name = 'better'")
        await shown.look()
        assert read == [1]
