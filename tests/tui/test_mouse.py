"""The mouse, on every screen: tabs, rows, titles, keys in the last line, and what a dialog can be answered with."""

from typing import Any

import pytest
from run_screen import click_on, open_run
from shown import Show, Shown

from tui.widgets.home_line import HomeLine
from tui.widgets.tables.table import Table

TITLES = dict(zip(HomeLine.MODES, ("1 Runs", "2 Queue", "3 Paper", "4 Devices", "5 Data"), strict=True))


async def click(shown: Shown, x: int, y: int, times: int = 1) -> None:
    await shown.pilot.click(offset=(x, y), times=times)
    await shown.settle()


def table(shown: Shown) -> Any:
    """The first table that is seen and has two rows at least."""
    return next(each for each in shown.app.screen.query(Table) if each.display and len(each.rows) > 1)


async def click_row(shown: Shown, row: int, times: int = 1) -> None:
    at = table(shown)
    y = at.content_region.y + at._top + row - round(at.scroll_y)
    await click(shown, at.content_region.x + 10, y, times)


@pytest.mark.parametrize("mode", HomeLine.MODES)
async def test_a_click_on_a_tab_leads_to_each_first_screen_and_back(show: Show, alive: Any, mode: str) -> None:
    async with show(size=(120, 40)) as shown:
        await click_on(shown, TITLES[mode])
        assert shown.app.current_mode == mode
        await click_on(shown, "1 Runs")
        assert shown.app.current_mode == "runs"


@pytest.mark.parametrize("mode", ["runs", "queue", "paper", "data"])
async def test_a_click_on_a_row_brings_the_cursor_and_two_open_it(show: Show, alive: Any, mode: str) -> None:
    async with show(first=mode) as shown:
        await click_row(shown, 1)
        assert table(shown).cursor == 1 and len(shown.app.screen_stack) == 1
        await click_row(shown, 0, times=2)
        assert len(shown.app.screen_stack) == 2


@pytest.mark.parametrize("tab", range(7))
async def test_a_click_opens_each_tab_of_a_run(show: Show, alive: Any, tab: int) -> None:
    names = ("Curves", "Confusion", "Similarity", "Examples", "Recipe", "Log", "History")
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002", "5" if tab == 0 else "1")
        await click_on(shown, f"{tab + 1} {names[tab]}")
        assert shown.app.screen.tab == tab


@pytest.mark.parametrize("tab", range(4))
async def test_a_click_opens_each_tab_of_a_comparison(show: Show, alive: Any, tab: int) -> None:
    names = ("Scores", "Recipes", "Curves", "Confusion")
    async with show() as shown:
        shown.app.screen.table.go_to("run003")
        await shown.press(" ", " ", "c", "2" if tab == 0 else "1")
        await click_on(shown, f"{tab + 1} {names[tab]}")
        assert shown.app.screen.tab == tab
        await click_row(shown, 1)
        assert shown.app.screen.arms.cursor == 1


async def test_a_click_opens_each_split_of_a_tasks_data(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("5", "enter")
        for tab, title in ((1, "2 train"), (2, "3 dev"), (0, "1 Audit")):
            await click_on(shown, title)
            assert shown.app.screen.tab == tab
        await click_on(shown, "2 train")
        await click_row(shown, 3)
        assert table(shown).cursor == 3


async def test_a_click_on_a_title_sorts(show: Show, alive: Any) -> None:
    async with show() as shown:
        await click_on(shown, "overall")
        assert shown.app.screen.order == "-overall"


@pytest.mark.parametrize(("first", "text"), [("runs", "? help"), ("queue", "? help"), ("paper", "? help")])
async def test_a_click_on_a_key_of_the_last_line_is_that_key(show: Show, alive: Any, first: str, text: str) -> None:
    async with show(first=first) as shown:
        await click_on(shown, text)
        assert type(shown.app.screen).__name__ == "Help"


@pytest.mark.parametrize("in_words", [False, True])
async def test_a_click_on_an_answer_of_a_question_answers_it(show: Show, alive: Any, in_words: bool) -> None:
    async with show(in_words=in_words) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press("D")
        await click_on(shown, "n no")
        assert len(shown.app.screen_stack) == 1 and shown.app.screen.table.go_to("run002")
        await shown.press("D")
        await click_on(shown, "y remove", right=3)
        assert len(shown.app.screen_stack) == 1 and not shown.app.screen.table.go_to("run002")


async def test_a_list_and_a_typed_text_are_taken_and_left_by_a_click(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("o")
        await click_row(shown, 2)
        assert table(shown).cursor == 2
        await click_on(shown, "take it")
        assert shown.app.screen.order == "-id"
        shown.app.screen.table.go_to("run002")
        await shown.press("N", *"er")
        await click_on(shown, "Esc cancel")
        assert len(shown.app.screen_stack) == 1 and "betterer" not in shown.text


async def test_a_click_on_a_line_of_a_form_goes_there_and_two_begin_to_type(show: Show, alive: Any) -> None:
    async with show(size=(120, 40)) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press("n")
        form = shown.app.screen.query_one("Form")
        await click_on(shown, "seeds")
        assert form.table.current.key == "seeds" and not form.is_typing
        place = form.table.cursor
        await click_row(shown, place, times=2)
        assert form.is_typing


async def test_the_wheel_scrolls_the_help(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("question_mark")
        page = shown.app.screen.query_one("#help")
        page.scroll_relative(y=0, animate=False)
        from textual.events import MouseScrollDown  # noqa: PLC0415 - as a terminal says it

        event = MouseScrollDown(page, 5, 5, 0, 1, 0, False, False, False, page.region.x + 5, page.region.y + 5)
        shown.app.screen._forward_event(event)
        await shown.settle()
        assert page.scroll_y > 0
