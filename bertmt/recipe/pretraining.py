"""Which pretraining phases a recipe has (section 4.3): each loss on each task of pairs whose labels are numbers."""

from typing import NamedTuple

from bertmt.recipe.recipe import PAPERS_RANGE, Recipe
from bertmt.recipe.rules import is_pretrained
from bertmt.tasks.task import Task

MNR, COSINE_EMBEDDING = "mnr", "cosine_embedding"


class Phase(NamedTuple):
    """One loss on the pairs of one task; `name` is what events, streams and seeds call it."""

    name: str
    loss: str
    task: str


def phases(recipe: Recipe) -> tuple[Phase, ...]:
    """In the order of training; where there is one task they have the names of the losses alone."""
    tasks = [name for name, task in recipe.trained().items() if is_pretrained(task)]
    losses = [name for name, is_on in ((MNR, recipe.mnr), (COSINE_EMBEDDING, recipe.cosine_embedding)) if is_on]
    return tuple(Phase(loss if len(tasks) == 1 else f"{loss}.{task}", loss, task) for loss in losses for task in tasks)


def label_of(threshold: float, task: Task) -> float:
    """A threshold of the recipe, which is of the paper's range from 0 to 5, on the range of a task."""
    low, high = task.range
    return low + threshold * ((high - low) / PAPERS_RANGE)
