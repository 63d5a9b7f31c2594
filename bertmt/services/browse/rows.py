"""A run in a list: what it is compared with, and what the filter language and the sort see of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bertmt.filters.fields import RECIPE_PREFIX, RUN_FIELDS, with_recipe
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.records import Run, reader_of
from bertmt.services.browse.baseline import same_dev_data
from bertmt.services.browse.run_formatting import similarity

TASKS = ("sst", "para", "sts")
# What a list shows besides the fields that the filter language is documented with.
LIST_FIELDS = {
    "difference": "float",
    "progress": "float",
    "attempt": "int",
    "failure": "str",
    "position": "float",
    "submitted_at": "str",
    "started_at": "str",
    "ended_at": "str",
}
FIELDS = with_recipe(RUN_FIELDS | LIST_FIELDS, {name: setting.kind for name, setting in SETTINGS.items()})
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

    @cached_property
    def difference(self) -> float | None:
        """Of the mean over the tasks that both were trained on (STS as S), run minus baseline."""
        return mean_difference(self.run, self.baseline)

    def get(self, name: str) -> Any:
        """The value of one of `FIELDS`; a recipe is looked at only where one of its settings is asked for."""
        of_run = _OF_RUN.get(name)
        if of_run is not None:
            return of_run(self.run)
        if name == "difference":
            return self.difference
        return self.run.submission.shared_recipe.get(name.removeprefix(RECIPE_PREFIX))


def mean_difference(run: Run, baseline: Run | None) -> float | None:
    """Mean over the tasks that both have a score for on the same dev examples, run minus baseline.

    Returns:
        None where there is no such task, or for the baseline itself.
    """
    if baseline is None or baseline.key == run.key:
        return None
    shared = [task for task in TASKS if same_dev_data(run, baseline, task)]
    return mean_gain({task: run.score(task) for task in shared}, {task: baseline.score(task) for task in shared})


def mean_gain(own: Mapping[str, float | None], other: Mapping[str, float | None]) -> float | None:
    """How much higher the mean over the tasks is that both sides have a score for; None where there is none.

    Args:
        own, other: scores by task, STS as ρ. Its part in the mean is S = (1 + ρ)/2, as in the overall score (section
            5.2): over all three tasks this is the difference of the overall scores.
    """
    both = [task for task in TASKS if own.get(task) is not None and other.get(task) is not None]
    gains = [_part(own, task) - _part(other, task) for task in both]
    return sum(gains) / len(gains) if gains else None


def _part(scores: Mapping[str, float | None], task: str) -> float:
    part = similarity(scores[task]) if task == "sts" else scores[task]
    assert part is not None  # callers look first
    return part
