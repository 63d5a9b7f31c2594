"""Keys: how a binding is declared, and the file in which a user can change them.

Every binding has an id, by which `keys.toml` names it, a word for the footer, and a sentence for `?` and the palette.
"""

import importlib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from textual.binding import Binding, BindingType
from textual.keys import format_key

from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import UsageError, reason_of

_declared: dict[str, str] = {}  # by binding id
_changed: dict[str, str] = {}  # by the user


def key(keys: str, action: str, word: str, sentence: str, id: str, shown: bool = False, display: str = "") -> Binding:  # noqa: A002 - Textual's own word
    """A binding of one or several keys (commas between).

    Args:
        word: in the footer.
        sentence: in the help, the palette and the footer's tooltip.
        shown: in the footer; the help has all.
        display: how the key is written there, where Textual's own way is long.
    """
    _declared[id] = keys
    return Binding(keys, action, word, shown, display or None, tooltip=sentence, id=id)


def change_keys(keymap: Mapping[str, str]) -> None:
    """The user's keys by binding id, for sentences that name keys."""
    _changed.clear()
    _changed.update(keymap)


def bound(id: str) -> str:  # noqa: A002 - Textual's own word
    """How a sentence names the key of a binding, as the user set it: "Z", "Ctrl+S", "Space"."""
    if id not in _declared:  # of a screen that was not opened yet
        importlib.import_module("tui.all_bindings").all_bindings()
    first = _changed.get(id, _declared[id]).split(",")[0].strip()
    *modifiers, plain_key = first.split("+") if len(first) > 1 else [first]
    shown = format_key(plain_key)
    if len(shown) > 1 or modifiers:
        shown = shown[0].upper() + shown[1:]
    return "+".join([*(each.capitalize() for each in modifiers), shown])


def movement_keys(where: str, verb: str, thing: str) -> list[BindingType]:
    """The keys that move through what is longer than the screen: `move`, `first`, `last` and `page` are their actions.

    Args:
        where: what their ids begin with.
        verb: "Scroll" or the like, before "down".
        thing: what there is a first and a last of.
    """
    return [
        key("j,down", "move(1)", "down", f"{verb} down.", f"{where}.down"),
        key("k,up", "move(-1)", "up", f"{verb} up.", f"{where}.up"),
        key("g,home", "first", "first", f"Go to the first {thing}.", f"{where}.first"),
        key("G,end", "last", "last", f"Go to the last {thing}.", f"{where}.last"),
        key("ctrl+d", "page(0.5)", "half page down", f"{verb} half a page down.", f"{where}.half_down"),
        key("ctrl+u", "page(-0.5)", "half page up", f"{verb} half a page up.", f"{where}.half_up"),
        key("pagedown", "page(1)", "page down", f"{verb} a page down.", f"{where}.page_down"),
        key("pageup", "page(-1)", "page up", f"{verb} a page up.", f"{where}.page_up"),
    ]


def read_keymap(
    path: Path, known: Iterable[str], clashes: Callable[[Mapping[str, str]], Sequence[str]] = lambda keymap: ()
) -> dict[str, str]:
    """The user's keys by binding id; empty where there is no file.

    Args:
        clashes: a sentence per key that does another thing already.

    Raises:
        UsageError: it is no TOML; or with all names of no binding, values that are no text, and keys that clash.
    """
    try:
        found = tomllib.loads(read_text(path, MOST_TOML))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, OSError) as problem:
        raise UsageError(
            f'{path} cannot be read as keys: {reason_of(problem)}; each line is "binding.id" = "key".'
        ) from None
    ids = set(known)
    problems = []
    for name, value in found.items():
        if name not in ids:
            problems.append(f"{name!r} is not a key that can be changed; `bertmt-tui --keys` lists them.")
        elif not isinstance(value, str) or not value.strip():
            problems.append(f'{name} must be a key such as "ctrl+d", or several separated by commas.')
    problems += clashes({name: value for name, value in found.items() if name in ids and isinstance(value, str)})
    if problems:
        raise UsageError("\n".join(f"{path}: {each}" for each in problems))
    return found
