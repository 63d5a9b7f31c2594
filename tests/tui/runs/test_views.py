"""Views of the runs: a filter, an order and columns under a name; and columns that are pinned."""

from pathlib import Path
from typing import Any

import pytest
from list_of_runs import names
from shown import LARGE, SMALL, Show, Shown

from tui.settings import Settings, View, read_settings

SAVED = View("state:finished", "-sts", False, {"toggles": False}, ("sts", "progress"))


def titles(shown: Shown) -> list[str]:
    """Of the columns, from the left."""
    return [each.column.title for each in shown.app.screen.table.placed]


async def test_a_view_is_saved_shown_and_deleted(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    async with show(settings_file=file) as shown:
        await shown.press("slash", *"lora>0", "enter", "a", "f", "enter", *"with lora", "enter")
        assert read_settings(file).views == {"with lora": View("lora>0", "standing", True, {}, ())}
        await shown.press("escape", "a")
        assert len(names(shown.text)) == 8
        await shown.press("f")
        await shown.should_be("runs-views")
        await shown.press("enter")
        assert shown.app.screen.filter_text == "lora>0" and shown.app.screen.is_grouped
        await shown.press("f", "j", "j", "enter", "enter")
        assert read_settings(file).views == {} and "deleted" in shown.said


@pytest.mark.parametrize("size", [SMALL, LARGE, (200, 60)])
async def test_a_view_brings_filter_order_and_columns_and_one_key_leads_back(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size, settings=Settings(views={"mine": SAVED})) as shown:
        before = titles(shown)
        await shown.press("f", "enter")
        assert [row.run.name for row in shown.app.screen.table.rows] == ["better", "twins", "twins", "base"]
        assert titles(shown)[:3] == ["", "STS ρ", "progress"] and "toggles" not in titles(shown)
        await shown.should_be("runs-view")
        await shown.press("f", "G", "enter")
        assert titles(shown) == before and len(shown.app.screen.table.rows) == 8


async def test_views_are_in_the_list_of_commands_by_their_name(show: Show, alive: Any) -> None:
    async with show(settings=Settings(views={"[red]my \x1b[2Jview": SAVED})) as shown:
        commands = {each.title: each for each in shown.app.get_system_commands(shown.app.screen)}
        commands["View: [red]my �[2Jview"].callback()
        await shown.settle()
        assert shown.app.screen.filter_text == "state:finished" and shown.app.screen.order == "-sts"
        await shown.press("ctrl+p", *"view: ")
        await shown.pilot.pause(0.3)
        assert "\x1b" not in shown.text


async def test_a_view_of_tasks_that_no_run_here_trains_is_refused_in_a_sentence(show: Show, alive: Any) -> None:
    foreign = {"cola": View("cola>0.5"), "ordered": View("state:finished", "-cola")}
    async with show(settings=Settings(views=foreign)) as shown:
        await shown.press("f", "enter")
        assert "cannot be shown" in shown.said and "`cola` is not a field" in shown.said
        assert shown.app.screen.filter_text == ""
        await shown.press("f", "j", "enter")
        assert shown.app.screen.filter_text == "state:finished" and shown.app.screen.order == "standing"


async def test_columns_are_pinned_at_the_left_and_kept_however_narrow_it_is(
    show: Show, alive: Any, tmp_path: Path
) -> None:
    file = tmp_path / "dashboard.toml"
    async with show(settings_file=file) as shown:
        assert "scale" not in titles(shown)
        await shown.press("C")
        options = [row.key for row in shown.app.screen.query_one("Table").rows]
        await shown.press(*"j" * options.index("scale"), "p", *"k", "p")
        await shown.should_be("runs-columns-pinned")
        await shown.press("enter")
        assert titles(shown)[:4] == ["", "scale", "device", "name"]
        assert list(read_settings(file).pinned) == ["scale", "device"]
        await shown.pilot.resize_terminal(40, 24)
        await shown.settle()
        assert titles(shown)[:3] == ["", "scale", "device"]
        await shown.press("C", *"j" * options.index("scale"), "p", "enter")
        assert titles(shown)[1] == "device", "no longer pinned"


async def test_why_a_run_failed_covers_nothing_where_progress_is_pinned(show: Show, alive: Any) -> None:
    async with show(settings=Settings(pinned=("progress",))) as shown:
        row = next(line for line in shown.text.splitlines() if "ValueError" in line)
        assert "evil" in row.partition("ValueError")[2]


async def test_a_pin_stays_where_its_column_has_no_room_or_nothing_to_show(
    show: Show, alive: Any, tmp_path: Path
) -> None:
    file = tmp_path / "dashboard.toml"
    pinned = ("scale", "of-another-registry")
    async with show(settings_file=file, settings=Settings(pinned=pinned)) as shown:
        await shown.press("C", "enter")
        assert shown.app.settings.pinned == pinned
        await shown.press("C")
        options = [row.key for row in shown.app.screen.query_one("Table").rows]
        await shown.press(*"j" * options.index("scale"), " ", "enter")
        assert shown.app.settings.pinned == pinned[1:], "who hides a column takes its pin away"
