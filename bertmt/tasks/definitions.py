"""Definitions of tasks as JSON, as a run keeps them: what a task was when the run was submitted."""

from functools import lru_cache
from types import MappingProxyType

import msgspec

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks


def to_json(tasks: Tasks) -> str:
    """Definitions by name; equal ones give equal text."""
    return msgspec.json.encode([tasks[name] for name in sorted(tasks)]).decode()


@lru_cache(1024)
def from_json(text: str) -> Tasks:
    """What `to_json` wrote, in the order of the built-in tasks and then of their names; "" is the built-in tasks.

    Raises:
        DataError: it is none.
    """
    if not text:
        return BUILTIN
    try:
        found = {task.name: task for task in msgspec.json.decode(text, type=list[Task])}
    except (ValueError, RecursionError) as problem:
        raise DataError(f"Definitions of tasks cannot be read: {problem}.") from None
    return MappingProxyType({name: found[name] for name in in_order(found)})


def in_order(names: Tasks | list[str]) -> list[str]:
    """The built-in tasks, then the others by name: the order in which tasks are trained and shown."""
    places = list(BUILTIN)
    return sorted(names, key=lambda name: (places.index(name) if name in BUILTIN else len(places), name))
