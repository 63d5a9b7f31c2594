"""The help: what a screen is, and its keys, first those that do something."""

from typing import Any

from shown import Show
from textual.binding import ActiveBinding, Binding
from textual.widget import Widget

from tui.dialogs.help import key_help


def active(keys: str, action: str, sentence: str, binding_id: str) -> ActiveBinding:
    return ActiveBinding(Widget(), Binding(keys, action, id=binding_id), True, sentence)


def test_what_can_be_done_stands_before_how_to_move_about() -> None:
    bindings = [
        active("down", "move(1)", "Move the cursor down.", "table.down"),
        active("j", "move(1)", "Move the cursor down.", "table.down"),
        active("enter", "choose", "Open what the cursor is on.", "table.choose"),
        active("c", "compare", "Compare the marked runs.", "runs.compare"),
    ]
    found = key_help(bindings, {"down": "↓", "j": "j", "enter": "⏎", "c": "c"})
    assert [each.keys for each in found] == [("⏎",), ("c",), ("j", "↓")], "letters before arrows"


async def test_the_help_is_that_of_the_screen_at_hand(show: Show, alive: Any) -> None:
    async with show(first="paper") as shown:
        await shown.press("question_mark")
        assert "Help: the paper" in shown.text
        await shown.press("escape")
        assert "Help" not in shown.text
