"""Which loss each task and each pretraining phase trains with."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from bertmt.losses.binary_cross_entropy import binary_cross_entropy
from bertmt.losses.cosine_embedding import cosine_embedding
from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.losses.multiple_negatives_ranking import multiple_negatives_ranking
from bertmt.losses.pearson import pearson_loss
from bertmt.models.multitask import MultitaskModel
from bertmt.own_code.loading import OwnLosses
from bertmt.recipe.pretraining import MNR, label_of, phases
from bertmt.recipe.recipe import Recipe
from bertmt.training.steps.batches import Batch


class Objective(NamedTuple):
    """A loss, and whether the batch has one: a Pearson loss may be undefined, and is then 0 without a gradient."""

    loss: Float[Tensor, ""]
    defined: bool


def objective(
    model: MultitaskModel, recipe: Recipe, name: str, batch: Batch, own: OwnLosses | None = None
) -> Objective:
    """The loss of a batch of the task or pretraining phase `name`.

    MNR reads mean-pooled embeddings of the task's encoder, the cosine embedding loss its [CLS] embeddings (decision 2).

    Args:
        own: losses of the user's own, which are added to a task's.
    """
    if name in recipe.tasks:
        embeddings = model.embeddings(name, batch.tokens)
        outputs = model.predict(name, embeddings)
        loss, defined = task_loss(recipe, name, outputs, batch.labels)
        added = own.of(name) if own else []
        for each in added:
            loss = loss + each(recipe.task(name), outputs, batch.labels, embeddings)
        return Objective(loss, defined or bool(added))
    phase = next(each for each in phases(recipe) if each.name == name)
    if phase.loss == MNR:
        first, second = model.embed_pair(phase.task, batch.tokens)
        return Objective(multiple_negatives_ranking(first, second, recipe.mnr_scale), True)
    first, second = model.embed_pair(phase.task, batch.tokens, pooling="cls")
    task = recipe.task(phase.task)
    positive, negative = (label_of(each, task) for each in (recipe.cosine_positive, recipe.cosine_negative))
    return Objective(cosine_embedding(first, second, batch.labels, positive, negative), True)


def task_loss(
    recipe: Recipe, task: str, outputs: Float32[Tensor, "batch *classes"], labels: Float32[Tensor, "batch"]
) -> Objective:
    """The loss of a task from the model's outputs (section 4.1), with Pearson's in place of MSE if so toggled."""
    about = recipe.task(task)
    if len(about.classes) > 2:
        return Objective(cross_entropy(outputs, labels), True)
    if about.classes:
        return Objective(binary_cross_entropy(outputs, labels), True)
    if recipe.pearson:
        return Objective(*pearson_loss(outputs, labels))
    return Objective(mean_squared_error(outputs, labels, *about.range), True)


def mean_loss(
    recipe: Recipe, task: str, outputs: Float32[Tensor, "examples *classes"], labels: Float32[Tensor, "examples"]
) -> float | None:
    """The loss over a whole split; None where it is undefined."""
    with torch.no_grad():
        found = task_loss(recipe, task, outputs, labels)
    return float(found.loss) if found.defined else None
