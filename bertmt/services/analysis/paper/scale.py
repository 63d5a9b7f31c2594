"""At which scale a run is, against the one of the paper's model that it is a run of."""

from collections.abc import Mapping
from typing import Any

from bertmt.drawing.numbers import count
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.reported import reported_size
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import SCALE_SETTINGS
from bertmt.tasks.loading import TOY

# The course's files have rows that readers skip: a few of a thousand, never one of a hundred.
TOLERANCE = 0.01
COURSES = "the course's"


def scale_differences(run: Run, recipe: Recipe) -> dict[str, tuple[Any, Any]]:
    """What of a run's scale is not the paper's, or not known to be: name to ours and the paper's.

    Args:
        recipe: resolved, of the paper's model.
    """
    paper, ours = recipe.scale(), run.submission.shared_recipe
    settings = {name: (ours.get(name), paper.get(name)) for name in SCALE_SETTINGS if ours.get(name) != paper.get(name)}
    return _of_data(run) | settings


def _of_data(run: Run) -> dict[str, tuple[Any, Any]]:
    """Whether a run trained on as many examples as the paper, and was evaluated on as many, as its child counted."""
    if run.submission.data == TOY:
        return {"data": (TOY, COURSES)}
    sizes: Mapping[str, int] = run.progress.started.split_sizes if run.progress.started is not None else {}
    found = {}
    for task in run.tasks:
        for split in ("train", "dev"):
            ours, paper = sizes.get(f"{task}-{split}"), reported_size(task, split)
            if split == "train" and run.tasks[task].extra_pairs and run.submission.shared_recipe.get("extra_data"):
                paper += run.submission.shared_recipe.get("extra_data_limit", 0)
            if ours is None or abs(ours - paper) > TOLERANCE * paper:
                found[f"{task}-{split}"] = ("unknown" if ours is None else count(ours), count(paper))
    return found
