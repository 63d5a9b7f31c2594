"""The tasks that a recipe of one registry may name: built in, or defined in `tasks/` beside the registry."""

import os
import tomllib
from pathlib import Path

import msgspec

from bertmt import paths
from bertmt.bounded_files import MOST_TOML, read_text
from bertmt.errors import DataError, reason_of
from bertmt.filters.fields import RESERVED_TASK_NAMES
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.records import Run
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.known import KnownTasks
from bertmt.tasks.limits import limit_problem
from bertmt.tasks.readers.definition_keys import key_problem
from bertmt.tasks.readers.source import source_file
from bertmt.tasks.task import TAKEN_NAMES, Source, Task, Tasks, is_task_name

ENDING = ".toml"
LONGEST_SAID = 300  # characters of what is wrong with a definition
_WORDS_OF_RECIPES = frozenset(word for name in SETTINGS for word in name.split("."))


def known_tasks(folder: Path) -> KnownTasks:
    """What the tasks are; a definition that cannot be read is told where its task is named.

    Args:
        folder: of the registry, which need not exist.
    """
    own: dict[str, Task] = {}
    broken: dict[str, str] = {}
    for file in _definitions(paths.tasks_folder(folder)):
        try:
            own[file.stem] = read_definition(file)
        except DataError as problem:
            broken[file.stem] = str(problem)
    return KnownTasks(own, broken)


def with_tasks_of(known: Tasks, others: Tasks) -> KnownTasks:
    """The known tasks, and of others those that are not known."""
    broken = [each.broken for each in (known, others) if isinstance(each, KnownTasks)]
    return KnownTasks({**others, **known}, broken[0] if broken else {})


def refuse_missing_sources(run: Run) -> None:
    """Return if the files of a run's own tasks are where they were at submit.

    Raises:
        DataError: naming the first that is not.
    """
    for task in run.tasks.values():
        for split in ("train", "dev") if task.source else ():
            file = source_file(task, split)
            if not file.is_file():
                raise DataError(
                    f"Run {run.id} reads {file}, which is not there: put it back, or name its new place as `{split}` "
                    f"in tasks/{task.name}.toml and queue a run like it with `bertmt queue --from {run.id}`."
                )


def _definitions(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.name.endswith(ENDING) and each.name[0] != ".")
    except OSError:  # there is none
        return []


def read_definition(file: Path) -> Task:
    """A task as its file defines it; relative paths of its source are relative to that file.

    Raises:
        DataError: a sentence with the file and the key.
    """
    refuse_name(file.stem, f"{file} cannot be used")
    try:
        document = tomllib.loads(read_text(file, MOST_TOML))
    except (ValueError, RecursionError) as problem:
        raise DataError(f"{file} is no TOML file: {problem}.") from None
    except OSError as problem:
        raise DataError(f"{file} cannot be read: {reason_of(problem)}.") from None
    wrong = key_problem(document)
    if wrong:
        raise DataError(f"{file}: {wrong}.")
    try:
        task = msgspec.convert(document | {"name": file.stem}, Task)
    except (ValueError, RecursionError) as problem:
        said = str(problem).replace("`$.", "`")
        said = said if len(said) <= LONGEST_SAID else f"{said[:LONGEST_SAID]}…"  # a value of the file may be in it
        raise DataError(f"{file}: {said}; `bertmt task show` prints a whole one.") from None
    too_much = limit_problem(task)
    if too_much:
        raise DataError(f"{file}: {too_much}.")
    if task.source is None:
        raise DataError(f"{file}: `source` is missing, the files and columns that its examples are in.")
    return msgspec.structs.replace(task, source=_absolute(task.source, file.parent))


def _absolute(source: Source, folder: Path) -> Source:
    found = {split: source.file(split) for split in ("train", "dev", "test")}
    made = {split: os.path.normpath(folder.absolute() / paths.expanded(name)) for split, name in found.items() if name}
    return msgspec.structs.replace(source, **made)


def refuse_name(name: str, subject: str) -> None:
    """Raise a DataError for a name that no task of a user can have.

    Args:
        subject: what cannot be, for the beginning of the sentence.
    """
    if name in TAKEN_NAMES:
        why = f"{name} is the name of {TAKEN_NAMES[name]}; choose another, such as my_{name}"
    elif not is_task_name(name):
        why = "a task's name is a small letter, then at most 31 small letters, digits and underscores"
    elif name in BUILTIN:
        why = f"{name} is a built-in task; choose another name"
    elif name in RESERVED_TASK_NAMES or name in _WORDS_OF_RECIPES:
        why = f"the name {name} has a meaning of its own; choose another, such as my_{name}"
    else:
        return
    raise DataError(f"{subject}: {why}.")
