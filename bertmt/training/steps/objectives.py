"""Which loss each task and each pretraining phase trains with."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from bertmt.losses.binary_cross_entropy import binary_cross_entropy
from bertmt.losses.cosent import cosent
from bertmt.losses.cosine_embedding import cosine_embedding
from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.losses.multiple_negatives_ranking import multiple_negatives_ranking
from bertmt.losses.pearson import pearson_loss
from bertmt.models.multitask import MultitaskModel, halves
from bertmt.models.pooling import Pooling
from bertmt.own_code.loading import OwnLosses
from bertmt.recipe.pretraining import MNR, Phase, label_of, phases
from bertmt.recipe.recipe import Recipe


class Objective(NamedTuple):
    """A loss, and whether the batch has one: a Pearson loss may be undefined, and is then 0 without a gradient."""

    loss: Float[Tensor, ""]
    defined: bool


def task_of(recipe: Recipe, name: str) -> str:
    """The task whose examples and encoder a task or pretraining phase trains with."""
    return name if name in recipe.tasks else _phase(recipe, name).task


def pooling_of(recipe: Recipe, name: str) -> Pooling | None:
    """How a phase pools where it is not as the recipe says: by [CLS] for the cosine embedding loss (decision 2)."""
    return None if name in recipe.tasks or _phase(recipe, name).loss == MNR else "cls"


def objective(
    model: MultitaskModel,
    recipe: Recipe,
    name: str,
    labels: Float32[Tensor, "batch"],
    embeddings: Float32[Tensor, "sentences hidden"],
    own: OwnLosses | None = None,
) -> Objective:
    """The loss of a batch of the task or pretraining phase `name`.

    Args:
        embeddings: of its sentences; of pairs the first ones, then the second ones.
        own: losses of the user's own, which are added to a task's.
    """
    if name in recipe.tasks:
        parts = model.parts(name, embeddings)
        outputs = model.predict(name, parts)
        loss, defined = task_loss(recipe, name, outputs, labels)
        added = own.of(name) if own else []
        for each in added:
            loss = loss + each(recipe.task(name), outputs, labels, parts)
        return Objective(loss, defined or bool(added))
    phase = _phase(recipe, name)
    first, second = halves(embeddings)
    if phase.loss == MNR:
        return Objective(multiple_negatives_ranking(first, second, recipe.mnr_scale), True)
    task = recipe.task(phase.task)
    positive, negative = (label_of(each, task) for each in (recipe.cosine_positive, recipe.cosine_negative))
    return Objective(cosine_embedding(first, second, labels, positive, negative), True)


def _phase(recipe: Recipe, name: str) -> Phase:
    return next(each for each in phases(recipe) if each.name == name)


def task_loss(
    recipe: Recipe, task: str, outputs: Float32[Tensor, "batch *classes"], labels: Float32[Tensor, "batch"]
) -> Objective:
    """The loss of a task from the model's outputs (section 4.1); of numbers MSE, or what stands in its place.

    "scaled_cosine" is MSE of (1 + cos)/2: pairs without anything in common may point against each other, where MSE
    wants them at right angles.
    """
    about = recipe.task(task)
    if len(about.classes) > 2:
        return Objective(cross_entropy(outputs, labels), True)
    if about.classes:
        return Objective(binary_cross_entropy(outputs, labels), True)
    if recipe.loss_of_numbers == "pearson":
        return Objective(*pearson_loss(outputs, labels))
    if recipe.loss_of_numbers == "cosent":
        return Objective(cosent(outputs, labels, recipe.cosent_scale), True)
    if recipe.loss_of_numbers == "scaled_cosine":
        outputs = (1 + outputs) / 2
    return Objective(mean_squared_error(outputs, labels, *about.range), True)


def mean_loss(
    recipe: Recipe, task: str, outputs: Float32[Tensor, "examples *classes"], labels: Float32[Tensor, "examples"]
) -> float | None:
    """The loss over a whole split; None where it is undefined."""
    with torch.no_grad():
        found = task_loss(recipe, task, outputs, labels)
    return float(found.loss) if found.defined else None
