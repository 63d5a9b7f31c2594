"""A registry that is missing, locked, newer, damaged or read-only never leaves a dead screen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show, Shown

from bertmt.registry.database import SCHEMA_VERSION, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import run_by_key
from bertmt.services.opening import opened_registry
from tui.dialogs.refused import Refused
from tui.dialogs.registry_problem import RegistryProblem


def sentence(shown: Shown) -> str:
    """What a dialog says, wherever its lines were broken: a path is longer or shorter."""
    return " ".join(shown.text.replace("│", " ").split())


async def test_a_missing_registry_says_what_makes_one_and_goes_on_when_it_is_there(show: Show, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "runs.db"
    async with show(path) as shown:
        assert "There is no registry here yet" in shown.text
        assert "bertmt queue --preset baseline" in sentence(shown)
        builder = RegistryBuilder(path)
        builder.add("first")
        builder.database.close()
        await shown.look()
        assert "first" in shown.text and not isinstance(shown.app.screen, RegistryProblem)


async def test_looking_again_at_a_missing_registry_is_a_key(show: Show, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "runs.db"
    async with show(path) as shown:
        RegistryBuilder(path).database.close()
        await shown.press("r")
        assert "No runs yet" in shown.text


async def test_a_missing_registry_leads_to_the_form_for_a_first_run(show: Show, tmp_path: Path) -> None:
    async with show(tmp_path / "nowhere" / "runs.db") as shown:
        await shown.press("n")
        assert type(shown.app.screen).__name__ == "NewRunScreen"


async def test_a_newer_registry_says_what_to_do(show: Show, registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    async with show() as shown:
        assert "newer bertmt" in sentence(shown) and "pip install -U bertmt" in sentence(shown)


async def test_a_damaged_registry_says_what_to_do(show: Show, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(os.urandom(8192))
    async with show(path) as shown:
        assert "The registry cannot be used" in shown.text
        assert "`bertmt repair`" in sentence(shown)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits two seconds in a test."""
    monkeypatch.setattr("tui.registry_lane.BUSY_SECONDS", 0.01)


async def test_a_locked_registry_says_so_and_an_action_can_be_tried_again(
    show: Show, alive: Any, registry: Path, impatient: Any
) -> None:
    async with show() as shown:
        with open_registry(registry) as other, other.immediate():
            await shown.press("x", "y")
            assert "locked" in sentence(shown)
            await shown.look()
            assert "locked" in sentence(shown), "reads succeed, which says nothing of what was refused"
        await shown.press("r")
        assert not isinstance(shown.app.screen, Refused) and "will stop" in shown.said


async def test_a_note_that_a_lock_refuses_is_kept_until_it_is_written(
    show: Show, alive: Any, registry: Path, impatient: Any
) -> None:
    async with show() as shown:
        run = shown.app.screen.table.current.run
        with open_registry(registry) as other, other.immediate():
            await shown.press("i", *"seen", "enter")
            await shown.look()
            assert "What you typed is kept: seen" in sentence(shown) and "locked" in sentence(shown)
            await shown.press("r")
            assert "What you typed is kept: seen" in sentence(shown), "refused once more"
        await shown.press("r")
    with open_registry(registry) as database:
        assert run_by_key(database, run.key).annotations.note == "seen"


async def test_a_registry_that_is_locked_at_the_start_is_opened_when_it_is_free(
    show: Show, registry: Path, impatient: Any
) -> None:
    holder = sqlite3.connect(registry, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    async with show() as shown:
        assert "The registry cannot be used" in shown.text and "another process holds it" in sentence(shown)
        holder.execute("ROLLBACK")
        holder.close()
        await shown.look()
        assert "better" in shown.text


async def test_a_read_only_registry_is_shown_and_nothing_is_changed(show: Show, alive: Any, registry: Path) -> None:
    before = registry.read_bytes()
    async with show(read_only=True) as shown:
        assert "better" in shown.text
        await shown.press("x", "r", "b", "D", "i", "number_sign", "n")
        assert "read-only here: nothing can be changed" in shown.said
        assert type(shown.app.screen).__name__ == "RunsScreen"
    assert registry.read_bytes() == before


async def test_quitting_from_the_dialog_leaves(show: Show, tmp_path: Path) -> None:
    async with show(tmp_path / "nowhere" / "runs.db") as shown:
        await shown.pilot.press("q")
    assert not shown.app.is_running


async def test_what_the_opening_has_to_say_is_told_once(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def with_a_notice(*about: Any) -> Iterator[Any]:
        with opened_registry(*about) as database:
            database.notice = "No backup could be made \x1b[2Jhere."
            yield database

    monkeypatch.setattr("tui.registry_lane.opened_registry", with_a_notice)
    async with show() as shown:
        await shown.look()
        await shown.look()
        assert shown.said.count("No backup could be made") == 1 and "\x1b" not in shown.said
