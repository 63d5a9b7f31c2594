"""Sentences name the keys that act: those of the table of keys, as the user's own file has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.services.lifecycle.hold import hold_queue, queue_is_held
from tui.all_bindings import all_bindings
from tui.bindings import bound, change_keys


@pytest.fixture(autouse=True)
def nobody_changed_keys() -> Iterator[None]:
    """What one test changes is not the next one's."""
    change_keys({})
    yield
    change_keys({})


@pytest.fixture
def held(registry: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    with open_registry(registry) as database:
        hold_queue(database)
    return registry


async def queue_one(shown: Shown) -> None:
    await shown.press("n", "ctrl+y", "ctrl+s")


async def test_who_queues_into_a_held_queue_is_told_the_key_that_releases_it(
    show: Show, alive: Any, held: Path
) -> None:
    async with show() as shown:
        await queue_one(shown)
        assert "nothing starts until Z on the queue screen releases it." in shown.said
        await shown.press("2", "Z")
    with open_registry(held) as database:
        assert not queue_is_held(database)


async def test_a_key_that_the_user_changed_is_the_one_that_is_named(show: Show, alive: Any, held: Path) -> None:
    async with show() as shown:
        shown.app.set_keymap({"queue.hold_all": "ctrl+k", "runs.requeue": "ctrl+l", "runs.undo": "f5"})
        await queue_one(shown)
        assert "nothing starts until Ctrl+K on the queue screen releases it." in shown.said
        await shown.press("2")
        assert "nothing starts until Ctrl+K releases it." in shown.text
        await shown.press("G", "x", "y", "f5")
        assert "Ctrl+L requeues" in shown.said or "Undone" in shown.said
        await shown.press("ctrl+k")
    with open_registry(held) as database:
        assert not queue_is_held(database)


def test_every_key_has_a_name_to_be_said() -> None:
    names = {binding.id: bound(binding.id or "") for _, binding in all_bindings()}
    assert all(name and "_" not in name for name in names.values())
    assert [names[each] for each in ("new.queue", "form.turn", "app.help", "runs.undo")] == [
        "Ctrl+S",
        "Space",
        "?",
        "u",
    ]
