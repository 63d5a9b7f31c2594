"""Which tasks' scores a list of runs has columns for."""

from collections.abc import Iterable

from bertmt.registry.records import Run
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.definitions import in_order
from bertmt.tasks.task import Task, Tasks


def tasks_of(runs: Iterable[Run]) -> Tasks:
    """The tasks that any of these runs trains, in the order in which they are shown; of no runs the built-in ones."""
    found: dict[str, Task] = {}
    # Thousands of runs share a few mappings.
    for tasks in {id(run.tasks): run.tasks for run in runs}.values():
        for name, task in tasks.items():
            found.setdefault(name, task)
    return {name: found[name] for name in in_order(found)} or BUILTIN
