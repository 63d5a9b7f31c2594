"""Styles are parsed once for the colours of a theme, and again for others."""

from typing import Any

import pytest
from shown import Show
from textual.css import stylesheet
from textual.css.parse import parse

from tui.settings import Settings
from tui.widgets.home_line import HomeLine


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Which style sheets were parsed, and with which weight; as often as they were."""
    found: list[tuple[str, ...]] = []

    def note(scope: str, css: str, read_from: Any, **options: Any) -> Any:
        found.append((str(read_from), css, scope, str(options["tie_breaker"])))
        return parse(scope, css, read_from, **options)

    monkeypatch.setattr(stylesheet, "parse", note)
    return found


async def test_nothing_is_parsed_twice_until_the_theme_is_another(
    show: Show, alive: None, parsed: list[tuple[str, ...]]
) -> None:
    async with show(settings=Settings(theme="light")) as shown:
        await shown.press("2", "1", "enter", "escape")
        assert len(parsed) == len(set(parsed)) > 20
        before = len(parsed)
        await shown.press("t")
        assert len(parsed) > before
        again = parsed[before:]
        assert len(again) == len(set(again))


async def test_what_is_shown_after_the_theme_changed_is_in_its_colours(show: Show, alive: None) -> None:
    async with show(settings=Settings(theme="light")) as shown:
        light = shown.app.screen.query_one(HomeLine).styles.background
        await shown.press("2", "t", "1")  # the list was styled for the theme before
        assert shown.app.current_theme.dark is not None
        changed = shown.app.screen.query_one(HomeLine).styles.background
        await shown.press("3")  # and this screen is new
        assert shown.app.screen.query_one(HomeLine).styles.background == changed != light


@pytest.mark.parametrize("name", ["dark", "light", "ansi-dark", "ansi-light"])
async def test_the_first_picture_is_in_the_theme_that_was_chosen(show: Show, alive: None, name: str) -> None:
    async with show(settings=Settings(theme=name)) as shown:
        app = shown.app
        theme = app.current_theme
        assert app.theme == theme.name and app.theme.endswith(name.rpartition("-")[2])
        assert app.has_class("-dark-mode") is theme.dark and app.has_class("-light-mode") is not theme.dark
        assert app.has_class(f"-theme-{theme.name}")
        assert app.stylesheet._variables == app.get_css_variables()
