"""A run in a list: what it is compared with, and what the filter language and the sort see of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from bertmt.filters.fields import LIST_FIELDS, RECIPE_PREFIX, RUN_FIELDS, known_fields
from bertmt.recipe.marks import toggle_marks
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.queue import place_of
from bertmt.registry.records import Run, reader_of
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.baseline import same_dev_data
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks


def fields_of(tasks: Iterable[Task]) -> Mapping[str, str]:
    """By which a list of runs of these tasks can be filtered and sorted: names to kinds."""
    each = list(tasks)
    with_heads = dict.fromkeys(task.name for task in each if task.has_head)
    return _fields(tuple(dict.fromkeys(task.name for task in each)), tuple(with_heads))


@lru_cache(16)
def _fields(names: tuple[str, ...], with_heads: tuple[str, ...]) -> Mapping[str, str]:
    kinds = {name: setting.kind for name, setting in SETTINGS.of_tasks(with_heads).items()}
    return known_fields(kinds, names)


FIELDS = fields_of(BUILTIN.values())
# By field all values that there are, so that another one is told of as a slip.
CHOICES: Mapping[str, Sequence[str]] = {
    "state": tuple(map(str, State)),
    **{name: each.choices for name, each in SETTINGS.items() if each.kind == "str" and each.choices},
}
_PLAIN_SETTINGS = {name for name in SETTINGS if "." not in name}
_OF_RUN: dict[str, Callable[[Run], Any]] = {
    name: reader_of(name) for name in (*RUN_FIELDS, *LIST_FIELDS) if name != "difference"
}


@dataclass(frozen=True)
class Row:
    """A run in a list.

    Attributes:
        baseline: the run that it is compared with, or None.
    """

    run: Run
    baseline: Run | None

    @property
    def is_baseline(self) -> bool:
        """Whether it is compared with itself."""
        return self.baseline is not None and self.baseline.key == self.run.key

    @cached_property
    def difference(self) -> float | None:
        """Of the mean over the tasks that both were trained on, run minus baseline."""
        return mean_difference(self.run, self.baseline)

    @cached_property
    def toggles(self) -> str:
        """Which toggles of the method are on, a letter each."""
        return toggle_marks(self.run.submission.shared_recipe)

    def get(self, name: str) -> Any:
        """The value of a field; a recipe is looked at only where one of its settings is asked for."""
        of_run = _OF_RUN.get(name)
        if of_run is not None:
            return of_run(self.run)
        if name == "difference":
            return self.difference
        if "." in name or name in _PLAIN_SETTINGS:
            return self.run.submission.shared_recipe.get(name.removeprefix(RECIPE_PREFIX))
        return self.run.score(name)


def by_standing(rows: Sequence[Row]) -> list[Row]:
    """What a person looks for first: running runs, then those that wait, in the order in which workers take them, then
    the newest. Above all, the baseline of the first of them.

    Args:
        rows: oldest first.
    """
    running: list[Row] = []
    waiting: list[Row] = []
    others: list[Row] = []
    for row in reversed(rows):
        state = row.run.state
        (running if state is State.RUNNING else waiting if state in WAITING else others).append(row)
    waiting.sort(key=lambda row: place_of(row.run))
    others.sort(key=lambda row: row.run.submission.submitted_at, reverse=True)
    found = [*running, *waiting, *others]
    top = found[0].baseline if found else None
    place = next((place for place, row in enumerate(found) if top is not None and row.run.key == top.key), 0)
    return [*found[place : place + 1], *found[:place], *found[place + 1 :]]


def mean_difference(run: Run, baseline: Run | None) -> float | None:
    """Mean over the tasks that both have a score for on the same dev examples, run minus baseline.

    Returns:
        None where there is no such task, or for the baseline itself.
    """
    if baseline is None or baseline.key == run.key:
        return None
    shared = [task for task in run.tasks if same_dev_data(run, baseline, task)]
    own, other = run.scores.by_task, baseline.scores.by_task
    return mean_gain({task: own.get(task) for task in shared}, {task: other.get(task) for task in shared}, run.tasks)


def mean_gain(
    own: Mapping[str, float | None], other: Mapping[str, float | None], tasks: Tasks = BUILTIN
) -> float | None:
    """How much higher the mean over the tasks is that both sides have a score for; None where there is none.

    Args:
        own, other: scores by task. Each has the part in the mean that it has in an overall score (section 5.2): over
            all of a run's tasks this is the difference of the overall scores.
        tasks: what they are.
    """
    gains = [
        task.unit(mine) - task.unit(its)
        for name, task in tasks.items()
        if (mine := own.get(name)) is not None and (its := other.get(name)) is not None
    ]
    return sum(gains) / len(gains) if gains else None
