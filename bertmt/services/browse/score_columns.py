"""Which tasks' scores a list of runs has columns for."""

from collections.abc import Iterable

from bertmt.registry.records import Run
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.definitions import in_order
from bertmt.tasks.task import Task, Tasks


def tasks_of(runs: Iterable[Run]) -> Tasks:
    """The tasks that any of these runs trains, in the order in which they are shown; of no runs the built-in ones."""
    found: dict[str, Task] = {}
    for run in runs:
        for name, task in run.tasks.items():
            found.setdefault(name, task)
    return {name: found[name] for name in in_order(found)} or BUILTIN
