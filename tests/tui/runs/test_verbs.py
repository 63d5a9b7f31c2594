"""What the keys of the list do to runs: cancel, queue again, compare with, tag, note, copy, remove."""

from pathlib import Path
from typing import Any

import pytest
from list_of_runs import go_to, names, run_named
from shown import Show

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids of the runs of each comparison that was opened."""
    found: list[list[str]] = []
    monkeypatch.setattr(
        "tui.actions.runs.RunActions.open_comparison", lambda screen, runs: found.append([run.id for run in runs])
    )
    return found


async def test_one_run_is_compared_with_its_baseline_marked_or_not(
    show: Show, alive: Any, compared: list[list[str]]
) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("c", "space")
        await go_to(shown, "later")
        await shown.press("c")
        await go_to(shown, "twins")
        await shown.press("space", "c")
    assert compared[:2] == [["run002", "run001"]] * 2
    assert len(compared[2]) == 2 and "run002" in compared[2] and "run001" not in compared[2]


async def test_a_run_that_has_nothing_to_be_compared_with_says_why(
    show: Show, alive: Any, registry: Path, compared: list[list[str]]
) -> None:
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("c")
        assert "Run run001 is the baseline itself: mark other runs" in shown.said
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET preset = 'other' WHERE key = 1")
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("c")
        assert "Run run002 has no baseline: mark other runs" in shown.said
    assert not compared


async def test_cancelling_is_asked_first_and_no_means_no(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "later")
        await shown.press("x")
        await shown.should_be("runs-cancel")
        await shown.press("n")
        assert run_named(registry, "later").state is State.QUEUED
        await shown.press("x", "y")
        assert run_named(registry, "later").state is State.CANCELLED


async def test_cancelling_what_has_ended_is_refused_in_a_sentence(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("x")
        assert "Nothing to cancel" in shown.said


async def test_a_failed_run_is_queued_again(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("slash", *"state:failed", "enter", "r")
        with open_registry(registry) as database:
            assert all_runs(database, "runs.state = 'failed'") == []


async def test_a_run_is_made_the_baseline_and_unmade(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("b")
        assert "is now compared with" in shown.said
        better = next(line for line in shown.text.splitlines() if " better " in line)
        assert better.rstrip().endswith("base")
        await shown.press("b")
        assert "automatically again" in shown.said


async def test_the_id_is_copied_and_shown(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("y")
        assert shown.app.clipboard == "run002"
        assert "Copied: run002" in shown.said


async def test_tags_are_given_and_taken_from_all_marked_runs(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("space", "space", "number_sign", *"good", "enter")
        assert [run_named(registry, name).annotations.tags for name in ("base", "training")] == [("good",), ("good",)]
        await shown.press("number_sign", *"-good", "enter")
        assert run_named(registry, "base").annotations.tags == ()


async def test_a_word_that_cannot_be_a_tag_is_said_while_it_is_typed(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("number_sign", *"two words")
        assert "A tag is one word" in shown.text


async def test_a_note_is_written(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("i", *"why?", "enter")
        assert run_named(registry, "better").annotations.note == "why?"


async def test_a_note_that_is_looked_at_and_taken_as_it_is_stays_as_it_was(
    show: Show, alive: Any, registry: Path
) -> None:
    """Its lines and tabs are not what one line of text can show."""
    note = "one\ntwo\tthree"
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET note = ?", (note,))
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("i", "enter")
        assert run_named(registry, "better").annotations.note == note and "noted" not in shown.said


async def test_removing_asks_and_keeps_the_folder_until_it_is_deleted_for_good(
    show: Show, alive: Any, registry: Path
) -> None:
    folder = registry.parent / "runs" / "run001"
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("D", "y")
        assert names(shown.text).count("base") == 0
    assert folder.exists()


async def test_enter_is_no_answer_to_a_question(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "later")
        await shown.press("x", "enter")
        assert "Cancel later (run007, seed 0)?" in shown.text and "It is queued." in shown.text
        assert shown.text.count("(run007") == 1, "named once, in the title"
        assert run_named(registry, "later").state is State.QUEUED
