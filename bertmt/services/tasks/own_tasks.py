"""Finding and removing tasks by name."""

from difflib import get_close_matches
from pathlib import Path

from bertmt import paths
from bertmt.errors import DataError, NotFoundError, UsageError, reason_of
from bertmt.services.plan.known_tasks import ENDING, known_tasks
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.malformed import shown
from bertmt.tasks.task import Task


def find_task(folder: Path, name: str) -> Task:
    """A task by its name.

    Args:
        folder: of the registry.

    Raises:
        DataError: its definition cannot be read.
        NotFoundError: with the nearest name there is.
    """
    known = known_tasks(folder)
    if name in known:
        return known[name]
    if name in known.broken:
        raise DataError(known.broken[name])
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean `{near[0]}`?" if near else "`bertmt task list` lists them."
    raise NotFoundError(f"No task is called {shown(name)}; {hint}")


def definition_file(folder: Path, name: str) -> Path | None:
    """Where a user's task is defined; None for a built-in one."""
    return None if name in BUILTIN else paths.tasks_folder(folder) / f"{name}{ENDING}"


def remove_definition(folder: Path, name: str) -> Path:
    """Delete a task's definition, broken or not; its data and what runs keep of it stay.

    Raises:
        NotFoundError: there is none of that name.
        UsageError: it is built in, or cannot be deleted.
    """
    file = definition_file(folder, name)
    if file is None:
        raise UsageError(f"{name} is a built-in task, which stays.")
    if "/" in name or not file.is_file():
        find_task(folder, name)  # which says that there is none
        raise NotFoundError(f"No task is called {shown(name)}; `bertmt task list` lists them.")
    try:
        file.unlink()
    except OSError as problem:
        raise UsageError(f"{file} cannot be deleted: {reason_of(problem)}.") from None
    return file
