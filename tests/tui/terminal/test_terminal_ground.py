"""Dark or light as the terminal is: by its environment or its reply, which is never taken for keys."""

from typing import Any

import pytest
from shown import Show
from textual import events

from tui.settings import Settings
from tui.styles.themes import DARK, LIGHT, theme_on
from tui.terminal.ground import GroundParser, GroundReported, is_light, is_light_by_environment

WHITE, BLACK = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "\x1b]11;rgb:0000/0000/0000\x07"


@pytest.mark.parametrize(
    ("value", "light"), [("0;15", True), ("0;default;7", True), ("15;0", False), ("7;default", None), ("", None)]
)
def test_colorfgbg_tells_the_ground_in_its_last_number(value: str, light: bool | None) -> None:
    assert is_light_by_environment({"COLORFGBG": value}) is light


@pytest.mark.parametrize(
    ("colour", "light"),
    [("rgb:fbfb/fbfb/f9f9", True), ("rgb:f/f/f", True), ("rgba:12/13/15/ff", False), ("rgb:0000/ffff/0000", True),
     ("rgb:0000/0000/ffff", False), ("white", None), ("rgb:ffff/ffff", None)],
)  # fmt: skip
def test_a_colour_is_light_by_its_luminance(colour: str, light: bool | None) -> None:
    assert is_light(colour) is light


@pytest.mark.parametrize("reply", [WHITE, BLACK])
def test_a_reply_is_told_and_never_typed_wherever_it_is_cut(reply: str) -> None:
    data = f"a{reply}b"
    for cut in range(len("a\x1b]"), len(data)):  # a lone escape is a key of its own
        parser = GroundParser()
        found = [each for part in (data[:cut], data[cut:]) for each in parser.feed(part)]
        assert [each.key for each in found if isinstance(each, events.Key)] == ["a", "b"]
        assert [each.is_light for each in found if isinstance(each, GroundReported)] == [reply == WHITE]


def test_a_reply_that_says_nothing_of_a_colour_is_not_typed_either() -> None:
    assert list(GroundParser().feed("\x1b]11;nonsense r b\x07")) == []


async def test_the_theme_follows_the_terminal_unless_a_person_chose(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    async with show() as shown:
        assert shown.app.theme == LIGHT
        shown.app.post_message(GroundReported(False))
        await shown.settle()
        assert shown.app.theme == DARK
        await shown.press("t")
        chosen = shown.app.theme
        shown.app.post_message(GroundReported(False))
        await shown.settle()
        assert shown.app.theme == chosen != DARK
    async with show(settings=Settings(theme="dark")) as shown:
        shown.app.post_message(GroundReported(True))
        await shown.settle()
        assert shown.app.theme == DARK


def test_with_few_colours_the_theme_is_in_the_terminals_own() -> None:
    assert {theme_on(light, True) for light in (False, True)} == {"ansi-dark", "ansi-light"}
