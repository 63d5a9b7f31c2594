"""A key has one meaning on all screens: its word in the footer. Digits are the tabs of the screen at hand."""

from collections import defaultdict
from typing import Any

from textual.screen import ModalScreen

from tui.all_bindings import all_bindings

# They move, open, leave or switch whatever is at hand; where from and where to is the screen's affair.
OF_THE_SCREEN_AT_HAND = {
    *"123456789", "tab", "shift+tab", "enter", "escape", "space", "up", "down", "left", "right", "backspace", "delete",
    "slash",  # what is typed behind it is looked for: among rows, or among the lines of a form
}  # fmt: skip
OF_THE_FRAMEWORK = {"ctrl+p", "ctrl+q", "ctrl+c"}


def dialogs(kind: type[Any] = ModalScreen) -> set[str]:
    """Their keys are answers, which they name in their last line; nothing else works meanwhile."""
    return {each.__name__ for each in kind.__subclasses__()}.union(*map(dialogs, kind.__subclasses__()))


def test_no_key_has_two_meanings() -> None:
    bindings = all_bindings()
    answering = dialogs()
    words: dict[str, set[str]] = defaultdict(set)
    for kind, binding in bindings:
        if kind not in answering:
            for key in binding.key.split(","):
                words[key].add(binding.description)
    assert "r" in words and "slash" in words, "there is something to look at"
    twice = {key: sorted(said) for key, said in words.items() if len(said) > 1 and key not in OF_THE_SCREEN_AT_HAND}
    assert twice == {}


def test_no_screen_takes_a_key_of_the_framework() -> None:
    taken = {binding.id for _, binding in all_bindings() if OF_THE_FRAMEWORK & set(binding.key.split(","))}
    assert taken == set()
