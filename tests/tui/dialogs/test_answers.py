"""What is typed into a dialog, and what is no answer to it."""

from typing import Any

from shown import Show


async def test_a_filter_that_cannot_be_understood_stays_open_when_enter_is_pressed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"lora>>", "enter")
        assert shown.app.screen.query_one("#filter").has_focus
        assert "`lora` is a number, but is compared with" in " ".join(shown.text.split())
        await shown.press("b", "r")
        assert shown.said == "", "what is typed next is text, and no command"


async def test_what_is_typed_into_a_dialog_is_seen(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("number_sign", *"good")
        assert "good" in shown.text


async def test_a_column_that_is_switched_on_is_shown_on_a_narrow_screen_too(show: Show, alive: Any) -> None:
    async with show() as shown:
        assert "id" not in shown.text.splitlines()[1].split()
        await shown.press("C", "j", "space", "enter")
        assert "id" in shown.text.splitlines()[1].split()
