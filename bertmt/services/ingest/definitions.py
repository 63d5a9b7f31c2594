"""Definitions of tasks in a folder from elsewhere, which anybody may have written."""

from collections.abc import Iterator

from bertmt.errors import DataError
from bertmt.filters.fields import RESERVED_TASK_NAMES
from bertmt.run_folder.layout import RunFolder
from bertmt.tasks.limits import LONGEST_TEXT, limit_problem
from bertmt.tasks.task import Tasks, is_task_name

# Far more than anybody has: each task takes room in every list.
MOST_TASKS = 100


def read_definitions(folder: RunFolder) -> Tasks:
    """What the tasks of a run folder are; the built-in ones in a folder of an older version.

    Raises:
        DataError: it holds what is no definition, or more than a registry should be told.
    """
    tasks = folder.read_tasks()
    problem = next(_problems(tasks), None)
    if problem:
        raise DataError(f"{folder.tasks} is not what a run writes: {problem}.")
    return tasks


def _problems(tasks: Tasks) -> Iterator[str]:
    if not 0 < len(tasks) <= MOST_TASKS:
        yield f"it defines {len(tasks):,} tasks, and may define 1 to {MOST_TASKS}"
    for name, task in tasks.items():
        if not is_task_name(name) or name in RESERVED_TASK_NAMES:
            yield f"no task can be called {name[:LONGEST_TEXT]!r}"
        problem = limit_problem(task)
        if problem:
            yield problem
