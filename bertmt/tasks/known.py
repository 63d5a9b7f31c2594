"""The tasks that recipes may name: the paper's and a user's own, the latter with why some of them cannot be used."""

from collections.abc import Iterator, Mapping

from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task


class KnownTasks(Mapping[str, Task]):
    """The built-in tasks, then a user's own.

    A definition that cannot be read hinders nobody who does not name its task.

    Args:
        own: those that can be used.
        broken: of the others by name, a sentence about the file and what is wrong with it.
    """

    def __init__(self, own: Mapping[str, Task], broken: Mapping[str, str]):
        self._tasks = {**BUILTIN, **{name: own[name] for name in sorted(own) if name not in BUILTIN}}
        self.broken = {name: broken[name] for name in sorted(broken)}

    def __getitem__(self, name: str) -> Task:
        return self._tasks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def own(self) -> dict[str, Task]:
        """The user's tasks by name."""
        return {name: task for name, task in self._tasks.items() if name not in BUILTIN}


def why_broken(known: Mapping[str, Task], name: str) -> str | None:
    """Why a task's definition cannot be read; None where nothing is known of that."""
    return known.broken.get(name) if isinstance(known, KnownTasks) and name not in known else None
