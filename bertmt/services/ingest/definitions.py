"""Definitions of tasks in a folder from elsewhere, which anybody may have written."""

from collections.abc import Iterator

from bertmt.errors import DataError
from bertmt.filters.fields import RESERVED_TASK_NAMES
from bertmt.run_folder.layout import RunFolder
from bertmt.tasks.task import Task, Tasks, is_task_name

# Far more than anybody has: each task takes room in every list, each class in every table of them.
MOST_TASKS = 100
MOST_CLASSES = 10_000
LONGEST_TEXT = 200


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
        if len(task.classes) > MOST_CLASSES:
            yield f"{name} has {len(task.classes):,} classes, and may have {MOST_CLASSES:,}"
        if not task.title or not all(text.isprintable() and len(text) <= LONGEST_TEXT for text in _texts(task)):
            yield f"a title, a class or a data set of {name} is no printable text of 1 to {LONGEST_TEXT} characters"


def _texts(task: Task) -> Iterator[str]:
    yield from (task.title, task.data_set, *task.classes)
