"""The tab with the examples: kinds with their counts, words, orders, and the example at the cursor in full.

A run of the built registry that has the first n of 60 right has 60 − n wrong. Against run001, which has the first 18
right, one with n = 54 has fixed 54 − 18 = 36 and broken none; the other way round it is the reverse.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluated_runs import surety
from registry_builder import COUNT, HOSTILE, RegistryBuilder
from run_screen import click_on, open_run, said
from shown import Show, Shown

from bertmt.drawing.safe_text import safe_text
from tui.screens.run.screen import RunScreen
from tui.screens.run.widgets.example_list import ExampleList

SIZES = [(80, 24), (120, 40)]


def shown_rows(shown: Shown) -> list[Any]:
    """The indices of the examples in the list, in its order."""
    return list(shown.app.screen.query_one(ExampleList).rows.rows)


def kinds_line(shown: Shown) -> str:
    return next(each for each in shown.text.splitlines() if "all 60" in each)


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_all_examples_are_listed_and_the_one_at_the_cursor_is_shown_in_full(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "4")
        await shown.should_be("run-examples")
        assert "[all 60] wrong 6  broken 0  fixed 36  against run001" in shown.text
        assert shown_rows(shown) == list(range(COUNT))
        await shown.press("j")
        assert "id s1" in shown.text


async def test_the_exclamation_mark_goes_through_the_kinds_and_escape_goes_back_to_all(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "exclamation_mark")
        assert "[wrong 6]" in shown.text
        assert shown_rows(shown) == list(range(54, 60))
        await shown.should_be("run-examples-wrong")
        await shown.press("exclamation_mark")
        assert "[broken 0]" in shown.text and shown_rows(shown) == []
        assert "There are none: wrong here, right in the baseline." in shown.text
        await shown.should_be("run-examples-none")
        await shown.press("exclamation_mark")
        assert "[fixed 36]" in shown.text and shown_rows(shown) == list(range(18, 54))
        await shown.press("exclamation_mark")
        assert "[all 60]" in shown.text
        await shown.press("exclamation_mark", "escape")
        assert "[all 60]" in shown.text and isinstance(shown.app.screen, RunScreen)
        await shown.press("escape")
        assert not isinstance(shown.app.screen, RunScreen)


async def test_against_a_better_baseline_examples_are_broken(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "b", "escape")
        await open_run(shown, "run001", "4", "exclamation_mark", "exclamation_mark")
        assert "wrong 42 [broken 36] fixed 0  against run002" in shown.text
        assert shown_rows(shown) == list(range(18, 54))
        assert "✗ predicted" in shown.text and "true  baseline run002" in shown.text


async def test_of_the_baseline_itself_only_wrong_ones_are_known(show: Show, alive: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run001", "4")
        assert "[all 60] wrong 42   in data order" in shown.text
        await shown.press("exclamation_mark", "exclamation_mark")
        assert "[all 60]" in shown.text


async def test_epochs_have_their_own_counts(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "exclamation_mark", "comma")
        # In epoch 1 the first 27 are right, against the 18 of the baseline's last.
        assert "all 60 [wrong 33] broken 0  fixed 9 " in shown.text.replace("  all", "all").replace("60  ", "60 ")
        assert shown_rows(shown) == list(range(27, 60))
        await shown.press("0")
        assert shown_rows(shown) == list(range(54, 60))


@pytest.mark.parametrize("size", SIZES)
async def test_tab_goes_to_pairs_and_to_similarities_which_are_never_wrong(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "4", "exclamation_mark", "tab")
        assert "[PARA]" in shown.text and "[wrong 6]" in shown.text
        await shown.should_be("run-examples-pairs")
        await shown.press("tab")
        assert "[STS]" in shown.text and "all 60" in shown.text
        await shown.should_be("run-examples-similarities")
        await shown.press("exclamation_mark")
        assert said(shown) == ["STS has no classes: none of its predictions is right or wrong."]
        await shown.press("tab")
        assert "[SST]" in shown.text and "[wrong 6]" in shown.text


async def test_words_leave_the_examples_that_hold_them(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "slash", *"Sentence 5")
        # Sentence 5, and 50 to 59; capitals make no difference.
        assert shown_rows(shown) == [5, *range(50, 60)]
        assert "“Sentence 5”: 11" in kinds_line(shown)
        await shown.should_be("run-examples-words")
        await shown.press("enter", "exclamation_mark")
        assert shown_rows(shown) == list(range(54, 60)), "of the wrong ones, those with the words"
        await shown.press("escape")
        assert "[wrong 6]" in shown.text and "Sentence 5" not in shown.text, "first the words go"


async def test_words_may_be_an_id_and_escape_leaves_their_line(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "slash", *"s59")
        assert shown_rows(shown) == [59]
        await shown.press("escape", "escape")
        assert shown_rows(shown) == list(range(COUNT))


async def test_words_that_nothing_holds_are_said_as_text_and_the_keys_go_on(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "slash", *"[red]x")
        assert shown_rows(shown) == list(range(COUNT)), "markup in a sentence is text"
        await shown.press(*"yz", "enter")
        assert "There are none with “[red]xyz”: all examples." in shown.text
        await shown.press("exclamation_mark")
        assert "[wrong 6]" in shown.text


async def test_o_orders_by_confidence_and_equals_stay_in_their_order(show: Show, alive: Any, evaluated: Path) -> None:
    order = sorted(range(COUNT), key=surety)
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run012", "4", "o")
        assert "most confident first" in shown.text
        assert shown_rows(shown) == order[::-1]
        await shown.should_be("run-examples-ordered")
        await shown.press("o")
        assert shown_rows(shown) == order
        assert "least confident first" in shown.text
        await shown.press("exclamation_mark")
        assert shown_rows(shown) == [each for each in order if each % 3]
        await shown.press("o")
        assert shown_rows(shown) == [each for each in range(COUNT) if each % 3]


async def test_confidence_of_a_pair_is_that_of_the_predicted_class(show: Show, alive: Any, evaluated: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run012", "4", "tab", "o", "o")
        rows = shown_rows(shown)
        assert rows[0] == 0 and np.all(np.diff([surety(each) for each in rows]) > 0)
        assert "0 different   ████████▍░░░ 0.700  true  ✓ predicted" in shown.text, "0.5 + 0.40 / 2"


async def test_a_click_on_a_kind_a_task_or_a_title_does_what_its_key_does(
    show: Show, alive: Any, evaluated: Path
) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run012", "4")
        await click_on(shown, "wrong 40")
        assert "[wrong 40]" in shown.text
        await click_on(shown, "confidence")
        wrong = [each for each in range(COUNT) if each % 3]
        assert shown_rows(shown) == sorted(wrong, key=surety, reverse=True)
        await click_on(shown, "confidence")
        assert shown_rows(shown) == sorted(wrong, key=surety)
        await click_on(shown, "] PARA", 3)
        assert "[PARA]" in shown.text


async def test_hostile_sentences_are_shown_as_text(show: Show, alive: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002", "4")
        assert f"sentence 0 {safe_text(HOSTILE)}" in shown.text
        assert not any(ord(each) < 32 and each != "\n" for each in shown.text)


async def test_the_cursor_stays_on_its_example_when_the_registry_changes(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "4", "exclamation_mark", "exclamation_mark", "exclamation_mark", "j", "j")
        before = shown.text
        assert "id s20" in before
        builder = RegistryBuilder(registry)
        builder.database.execute("UPDATE runs SET note = 'seen' WHERE id = 'run002'")
        builder.database.close()
        await shown.look()
        assert shown.text == before


async def test_a_run_of_one_task_lists_that(show: Show, alive: Any, evaluated: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run010", "4", "tab")
        assert "[all 60]" not in shown.text and "all 60" in shown.text
        assert " STS  Pearson ρ" in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_running_run_lists_its_newest_epoch(
    show: Show, alive: Any, evaluated: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run011", "4")
        assert "wrong 48" in shown.text
        await shown.should_be("run-examples-running")


@pytest.mark.parametrize(
    ("run_id", "sentence"), [("run007", "is queued: predictions appear"), ("run006", "has not been evaluated yet")]
)
async def test_before_there_are_predictions_it_is_said_when_there_will_be(
    show: Show, alive: Any, run_id: str, sentence: str
) -> None:
    async with show() as shown:
        await open_run(shown, run_id, "4")
        assert sentence in " ".join(shown.text.split())


async def test_in_ascii_the_list_is_ascii(show: Show, alive: Any) -> None:
    async with show(ascii_only=True) as shown:
        await open_run(shown, "run002", "4")
        assert shown.text.isascii()
