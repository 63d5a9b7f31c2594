"""Typing a filter: how many runs match, what may be typed next, and what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import HOSTILE
from shown import LARGE, SMALL, Show, Shown
from textual.events import Key

from bertmt.registry.file.opening import open_registry


def bar(shown: Shown) -> Any:
    return shown.app.screen.filter_bar


@pytest.mark.parametrize("size", [SMALL, LARGE, (200, 60)])
async def test_how_many_match_is_said_while_one_types(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press("slash", *"state:finished")
        assert "4 of 8 match" in shown.text.splitlines()[1]
        await shown.press(*" twins")
        assert "2 of 8 match" in shown.text.splitlines()[1]
        await shown.press("enter")
        assert "2 of 8 match" in shown.text.splitlines()[1], "and afterwards, as long as it is filtered"
        await shown.press("escape")
        assert "match" not in shown.text.splitlines()[1]


async def test_runs_in_groups_are_counted_one_by_one(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("a", "slash", *"twins")
        assert "2 of 8 match" in shown.text


async def test_a_filter_that_is_wrong_is_told_in_a_sentence_and_counts_nothing(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"lorra>1")
        assert "`lorra` is not a field of a run; did you mean `lora" in " ".join(shown.text.split())
        assert "match" not in shown.text.splitlines()[1]


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_tab_completes_keys_and_then_their_values(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press("slash")
        await shown.should_be("runs-filter-words")
        await shown.press(*"sta", "tab")
        assert bar(shown).field.value == "state:"
        assert "finished" in shown.text.splitlines()[2], "the values that there are, the most frequent first"
        await shown.press("f", "a", "tab")
        assert bar(shown).field.value == "state:failed" == shown.app.screen.filter_text


async def test_arrows_choose_the_word_that_tab_takes(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", "down", "down", "up", "tab")
        assert bar(shown).field.value == "tag:"


async def test_scores_of_tasks_are_keys_whose_value_is_a_number(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"sst", "tab")
        assert bar(shown).field.value == "sst>" and "a number, such as 0.4" in shown.text
        await shown.press(*"0.5")
        assert shown.app.screen.filter_text == "sst>0.5"


async def test_what_runs_are_called_cannot_draw_anything_and_names_with_spaces_are_quoted(
    show: Show, alive: Any, registry: Path
) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET name = 'two words' WHERE name = 'later'")
    async with show(size=(200, 60)) as shown:
        await shown.press("slash", *"name:")
        assert HOSTILE not in shown.text and '"two words"' in shown.text.splitlines()[2]
        await shown.press(*"two", "tab")
        assert shown.app.screen.filter_text == 'name:"two words"'


async def test_where_nothing_begins_so_tab_says_it(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"xyzzy", "tab")
        assert "Nothing known begins so" in shown.said and bar(shown).field.value == "xyzzy"


async def test_a_value_that_is_still_to_come_is_nothing_wrong_until_enter_is_pressed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"state:")
        assert "a value is expected" not in shown.text
        await shown.press("enter")
        assert "a value is expected" in shown.text and bar(shown).field.has_focus


async def test_letters_in_one_burst_with_the_slash_are_typed_into_the_filter(show: Show, alive: Any) -> None:
    async with show() as shown:
        for name, letter in (("slash", "/"), *((each, each) for each in "twins"), ("enter", None)):
            shown.app.post_message(Key(name, letter))
        await shown.settle()
        assert shown.app.screen.filter_text == "twins" and shown.app.screen.table.has_focus
