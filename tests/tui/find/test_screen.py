"""Finding a text, and going to where it stands."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import HOSTILE
from shown import LARGE, SMALL, Show, Shown
from textual.events import Key

from bertmt.registry.file.opening import open_registry
from tui.plain.words import speak


def log_of(registry: Path, run_id: str) -> Path:
    return registry.parent / "runs" / run_id / "log-1.txt"


def rows(shown: Shown) -> list[str]:
    """What was found, in words."""
    return [
        f"{row.run.id} {row.number}" if row.found is None else f"  {row.found.where}"
        for row in shown.app.screen.table.rows
    ]


@pytest.mark.parametrize("size", [SMALL, LARGE, (200, 60)])
async def test_what_is_found_stands_run_by_run(show: Show, alive: Any, registry: Path, size: tuple[int, int]) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET note = 'try line 33 again' WHERE name = 'better'")
    log_of(registry, "run001").write_text("nothing\n")
    async with show(size=size) as shown:
        await shown.press("ctrl+f", *"LINE 33", "enter")
        assert rows(shown)[:3] == ["run002 2", "  note", "  log"]
        await shown.should_be("find")


async def test_letters_are_text_and_ctrl_f_works_where_a_filter_is_typed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("slash", *"tw", "ctrl+f", *"xqn")
        assert type(shown.app.screen).__name__ == "FindScreen"
        assert shown.app.screen.query_one("#text").value == "xqn" and "Nothing found" in shown.text
        await shown.press("escape")
        assert shown.app.screen.filter_text == "tw"


async def test_enter_goes_to_the_line_of_the_log_wherever_it_stands(show: Show, alive: Any, registry: Path) -> None:
    lines = [f"step {number} of very many, and some words more" for number in range(20_000)]
    lines[9_000] = f"the needle {HOSTILE}"
    log_of(registry, "run002").write_text("\n".join(lines), encoding="utf-8")
    async with show() as shown:
        await shown.press("ctrl+f", *"the needle", "enter", "j", "enter")
        assert type(shown.app.screen).__name__ == "RunScreen" and "6 Log" in shown.text
        [line] = [each for each in shown.text.splitlines() if "the needle" in each]
        assert line.startswith("▸") and HOSTILE not in shown.text
        assert "step 8999 of" in shown.text and "step 9001 of" in shown.text
        await shown.press("E")
        assert "step 19999 of" in shown.text and "needle" not in shown.text, "E goes back to the end"
        await shown.press("escape")
        assert rows(shown) == ["run002 1", "  log"], "what was found is still there"


async def test_enter_goes_to_the_sentence_in_the_examples(show: Show, evaluated: Any, alive: Any) -> None:
    async with show(path=evaluated) as shown:
        await shown.press("ctrl+f", *"question 42", "enter", "j", "enter")
        pane = shown.app.screen.pane
        assert type(pane).__name__ == "ExamplesPane" and pane.task_name == "para"
        assert "question 42" in next(
            line for line in shown.text.splitlines() if line.strip().startswith(("✓", "✗")) and "question 42" in line
        )
        assert pane.query_one("ExampleRows").current == 42


async def test_enter_goes_to_the_failure_and_else_to_the_run(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("ctrl+f", *"ValueError", "enter")
        place = rows(shown).index("  failure")
        await shown.press(*"j" * place, "enter")
        assert type(shown.app.screen.pane).__name__ == "HistoryPane"
        assert "failed" in shown.app.screen.pane.query_one("Table").current.transition.state_after
        await shown.press("escape", "g", "enter")
        assert shown.app.screen.run.id == "run005" and type(shown.app.screen.pane).__name__ == "CurvesPane"


async def test_marked_runs_are_told_of_each_and_can_be_acted_on(show: Show, alive: Any) -> None:
    async with show() as shown:
        shown.app.marked |= {"run003", "run004"}
        await shown.press("ctrl+f", *"scene 42", "enter")
        assert {each for each in rows(shown) if not each.startswith(" ")} == {"run003 1", "run004 1"}
        await shown.press("c")
        assert type(shown.app.screen).__name__ == "CompareScreen"


async def test_another_text_takes_the_place_of_the_one_before(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("ctrl+f", *"twi")
        assert any("name" in each for each in rows(shown))
        await shown.press(*"xyz")
        assert rows(shown) == []
        await shown.press(*["backspace"] * 5)
        assert "At least 2 characters." in shown.text


async def test_where_signs_are_words_the_state_is_one(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        await shown.press("ctrl+f", *"scene 42", "enter")
        assert any(line.lstrip().startswith("finished ") for line in shown.text.splitlines()), shown.text
    speak(False)


async def test_letters_in_one_burst_with_the_key_are_typed_and_do_nothing_else(show: Show, alive: Any) -> None:
    async with show() as shown:
        for name, letter in (("ctrl+f", None), *((each, each) for each in "Dnq twins")):
            shown.app.post_message(Key("space" if letter == " " else name, letter))
        await shown.settle()
        assert shown.app.screen.query_one("#text").value == "Dnq twins"
