"""Every key of the dashboard, gathered from the classes that bind them."""

import importlib
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import _normalize_key_list
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

import tui
from bertmt.drawing.numbers import named

# Textual's own on every screen, which leave nothing of ours: quit, copy, the palette, from field to field.
TAKEN = {
    "ctrl+q": "quitting",
    "ctrl+c": "copying",
    "ctrl+p": "the palette",
    "tab": "the next field",
    "shift+tab": "the field before",
}


def all_bindings() -> list[tuple[str, Binding]]:
    """The class that binds and the binding, by id."""
    found = [(kind.__name__, each) for kind in _kinds() for each in kind.__dict__.get("BINDINGS", ())]
    return sorted(found, key=lambda pair: pair[1].id or "")


def _kinds() -> list[type[DOMNode]]:
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return list(dict.fromkeys(_ours(DOMNode)))  # a class with two parents is found twice


def all_ids() -> Iterator[str]:
    """The ids of all keys. Only who asks for the first imports every screen: compare brings scipy, 0.15 s."""
    for _, binding in all_bindings():
        yield binding.id or ""


def _ours(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    """The subclasses that are defined here."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("tui."):
            yield each
        yield from _ours(each)


def clashes(keymap: Mapping[str, str]) -> list[str]:
    """A sentence per key of a user's that does another thing on the same screen, so that one of them is out of reach.

    Which keys are there together is read from the classes: those of a screen, of what may stand in it, and of the app.
    What shares a key by default is never there at once, and is left alone.
    """
    before = {binding.id or "": _keys(binding.key) for _, binding in all_bindings()}
    now = before | {name: _keys(keys) for name, keys in keymap.items()}
    around = _around()
    found = []
    for name, each in [(changed, each) for changed in keymap for each in sorted(now[changed])]:
        others = [other for other in sorted(around[name] - {name}) if each in now[other]]
        others = [other for other in others if not (each in before[name] and each in before[other])]
        others = [other for other in others if not (other in keymap and other < name)]  # told already
        if each in TAKEN and each not in before[name]:
            others.insert(0, TAKEN[each])
        if others:
            found.append(f'{name} = "{keymap[name]}": {each} is the key of {named(others)} on the same screen.')
    return found


def _around() -> Mapping[str, set[str]]:
    """To each id the ids of the keys that may be there at the same time."""
    kinds = _kinds()
    everywhere = {name for kind in kinds if issubclass(kind, App) for name in _ids(kind)}
    found: dict[str, set[str]] = defaultdict(set)
    for kind in kinds:
        own = _ids(kind)
        near = own | set().union(*(_ids(inside) for inside in _inside(kind)))
        near |= set() if issubclass(kind, ModalScreen) else everywhere
        for name in own:
            found[name] |= near
        for name in near:
            found[name] |= own
    return found


def _inside(kind: type[DOMNode]) -> set[type[DOMNode]]:
    """The widgets that may stand in a screen or a widget: those that its module knows, and theirs."""
    found: set[type[DOMNode]] = set()
    todo: list[type[DOMNode]] = [kind]
    while todo:
        modules = {sys.modules[each.__module__] for each in todo.pop().__mro__ if each.__module__.startswith("tui.")}
        known = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
        new = {each for each in known if issubclass(each, Widget) and not issubclass(each, Screen)} - found
        new = {each for each in new if each.__module__.startswith("tui.")}
        found |= new
        todo += new
    return found


def _ids(kind: type[DOMNode]) -> set[str]:
    """Of all keys of a class, those of its parents too."""
    return {each.id or "" for parent in kind.__mro__ for each in parent.__dict__.get("BINDINGS", ()) if _is_ours(each)}


def _is_ours(binding: object) -> TypeGuard[Binding]:
    return isinstance(binding, Binding) and bool(binding.id and binding.tooltip)


def _keys(keys: str) -> set[str]:
    return set(_normalize_key_list(keys).split(","))
