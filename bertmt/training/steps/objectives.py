"""Which loss each task and each pretraining phase trains with."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from bertmt.losses.binary_cross_entropy import binary_cross_entropy
from bertmt.losses.cosent import cosent
from bertmt.losses.cosine_embedding import cosine_embedding
from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.disagreement import disagreement
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.losses.multiple_negatives_ranking import multiple_negatives_ranking
from bertmt.losses.pearson import pearson_loss
from bertmt.models.multitask import MultitaskModel, halves
from bertmt.models.packed.layout import TokenBatch
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


def guessed(
    model: MultitaskModel, recipe: Recipe, name: str, tokens: TokenBatch, goals: Int64[Tensor, "tokens"]
) -> Objective:
    """The mean cross entropy of the hidden tokens of a batch."""
    return Objective(cross_entropy(*model.guesses(task_of(recipe, name), tokens, goals)), True)


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
        embeddings: of its sentences, as `MultitaskModel.tokens` has them; of a task with R-Drop twice.
        own: losses of the user's own, which are added to a task's.
    """
    if name in recipe.tasks:
        if recipe.r_drop:
            return _twice(model, recipe, name, labels, embeddings, own)
        parts = model.parts(name, embeddings)
        return _task_objective(recipe, name, model.predictions(name, parts), labels, parts, own)
    phase = _phase(recipe, name)
    first, second = halves(embeddings)
    if phase.loss == MNR:
        return Objective(multiple_negatives_ranking(first, second, recipe.mnr_scale), True)
    task = recipe.task(phase.task)
    positive, negative = (label_of(each, task) for each in (recipe.cosine_positive, recipe.cosine_negative))
    return Objective(cosine_embedding(first, second, labels, positive, negative), True)


def _task_objective(
    recipe: Recipe,
    task: str,
    predictions: Sequence[Float32[Tensor, "batch *classes"]],
    labels: Float32[Tensor, "batch"],
    parts: Sequence[Float32[Tensor, "batch hidden"]],
    own: OwnLosses | None,
) -> Objective:
    """Of pairs that are read in two ways the mean of two losses, so that each is a good prediction by itself."""
    found = [_with_added(recipe, task, outputs, labels, parts[:2], own) for outputs in predictions]
    return found[0] if len(found) == 1 else _mean(found)


def _twice(
    model: MultitaskModel,
    recipe: Recipe,
    task: str,
    labels: Float32[Tensor, "batch"],
    embeddings: Float32[Tensor, "sentences hidden"],
    own: OwnLosses | None,
) -> Objective:
    """R-Drop: ½ (L + L' + α D), L and L' of the same batch with other dropouts, D what their predictions disagree in.

    Args:
        embeddings: of the batch, and of the batch again.

    Source: Liang et al. 2021, equations 2 to 4, whose loss is twice this: a task's loss would double beside others.
    """
    found, predicted = [], []
    for copy in embeddings.chunk(2):
        parts = model.parts(task, copy)
        predicted.append(model.predictions(task, parts))
        found.append(_task_objective(recipe, task, predicted[-1], labels, parts, own))
    loss, defined = _mean(found)
    if not defined:
        return found[0]
    about = recipe.task(task)
    apart = torch.stack([disagreement(about, one, other) for one, other in zip(*predicted, strict=True)]).mean()
    return Objective(loss + recipe.r_drop / 2 * apart, True)


def _mean(found: Sequence[Objective]) -> Objective:
    """The mean of those that are defined."""
    losses = [each.loss for each in found if each.defined]
    return Objective(torch.stack(losses).mean(), True) if losses else found[0]


def _with_added(
    recipe: Recipe,
    task: str,
    outputs: Float32[Tensor, "batch *classes"],
    labels: Float32[Tensor, "batch"],
    parts: Sequence[Float32[Tensor, "batch hidden"]],
    own: OwnLosses | None,
) -> Objective:
    """A task's loss and those of the user's own."""
    loss, defined = task_loss(recipe, task, outputs, labels)
    added = own.of(task) if own else []
    for each in added:
        loss = loss + each(recipe.task(task), outputs, labels, parts)
    return Objective(loss, defined or bool(added))


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
