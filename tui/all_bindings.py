"""Every key of the dashboard, gathered from the classes that bind them."""

import importlib
import pkgutil
from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode

import tui


def all_bindings() -> list[tuple[str, Binding]]:
    """The class that binds and the binding, by id."""
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = dict.fromkeys(_ours(DOMNode))  # a class with two parents is found twice
    found = [(kind.__name__, each) for kind in kinds for each in kind.__dict__.get("BINDINGS", ())]
    return sorted(found, key=lambda pair: pair[1].id or "")


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
