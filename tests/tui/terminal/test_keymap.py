"""Keys of a user's own: what is wrong or clashes is told, and the dashboard starts all the same."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.errors import UsageError
from tui.__main__ import dashboard, parser
from tui.all_bindings import all_bindings, all_ids, clashes
from tui.bindings import read_keymap


@pytest.mark.parametrize(
    ("keymap", "others"),
    [
        ({"runs.cancel": "j"}, ["table.down"]),  # of what stands in the screen
        ({"runs.group": "c"}, ["runs.compare"]),  # of the screen itself
        ({"runs.cancel": "t"}, ["app.theme"]),  # of every screen
        ({"runs.cancel": "ctrl+p"}, ["the palette"]),  # Textual's own
        ({"runs.cancel": "f9", "runs.group": "f9"}, ["runs.cancel"]),  # both are the user's
        ({"runs.split": "?"}, ["app.help"]),  # as it is typed, not as Textual names it
        ({"runs.cancel": "f9", "runs.group": "x"}, []),  # a key that its action has left
    ],
)
def test_a_key_that_does_another_thing_on_the_same_screen_is_told(keymap: dict[str, str], others: list[str]) -> None:
    said = " ".join(clashes(keymap))
    assert bool(said) is bool(others) and all(other in said for other in others), said


def test_by_default_and_with_keys_of_its_own_no_action_clashes() -> None:
    assert clashes({}) == []
    assert clashes({str(binding.id): binding.key for _, binding in all_bindings()}) == []


def test_a_keymap_with_clashes_starts_with_the_usual_keys_and_tells_every_problem(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('"runs.cancel" = "j"\n"runs.grupe" = "z"\n"runs.group" = "t"\n', encoding="utf-8")
    monkeypatch.setattr("tui.__main__.paths.keymap", lambda: file)
    app = dashboard(parser().parse_args(["--db", str(registry)]))
    assert app._keymap == {}
    assert all(part in app._remark for part in ("table.down", "'runs.grupe'", "app.theme", "is the usual one"))


async def test_a_keymap_changes_keys(show: Show, alive: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('"runs.group" = "ctrl+o"\n', encoding="utf-8")
    keymap = read_keymap(file, all_ids(), clashes)
    async with show() as shown:
        shown.app.set_keymap(keymap)
        await shown.press("a")
        assert not shown.app.screen.is_grouped
        await shown.press("ctrl+o")
        assert shown.app.screen.is_grouped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"runs.grupe" = "x"', "not a key that can be changed"),
        ("runs.group = 1", "not a key"),
        ('"runs.group" = 1', "must be a key"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_keymap_that_is_wrong_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_keymap(file, [str(binding.id) for _, binding in all_bindings()])
