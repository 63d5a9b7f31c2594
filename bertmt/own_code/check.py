"""What a user's own losses and heads must do on a toy batch: shapes, finite numbers, a gradient."""

from pathlib import Path

import torch
from jaxtyping import Float32
from torch import Tensor

from bertmt.own_code.loading import OwnCodeError, OwnLosses, load_heads
from bertmt.recipe.recipe import Recipe
from bertmt.tasks.task import Task

BATCH, HIDDEN = 4, 16


def check_own_code(recipe: Recipe, folder: Path) -> None:
    """Return if all losses and heads of a recipe work on a toy batch.

    Raises:
        OwnCodeError: a sentence about the first that does not.
    """
    torch.manual_seed(0)
    losses = OwnLosses(recipe, folder)
    heads = load_heads(recipe, folder)
    for name, task in recipe.trained().items():
        if name in heads:
            for inputs in recipe.head_inputs(task, HIDDEN).values():
                heads[name](inputs, task.outputs)
        for loss in losses.of(name):
            predictions, embeddings = _toy_predictions(task), _toy_embeddings(recipe, task)
            found = loss(task, predictions, _toy_labels(task), embeddings)
            what = f"{loss.about.code.name} of {loss.about.code.file}"
            if not bool(found.isfinite()):
                raise OwnCodeError(f"{what} gave {found.item()} for a toy batch of {task.title}, no finite number.")
            if not found.requires_grad:
                raise OwnCodeError(f"{what} has no gradient: it must be computed from predictions or embeddings.")
            found.backward()
            gradients = [each.grad for each in (predictions, *embeddings) if each.grad is not None]
            if not gradients or not all(bool(each.isfinite().all()) for each in gradients):
                raise OwnCodeError(f"{what} has no finite gradient for a toy batch of {task.title}.")


def _toy_predictions(task: Task) -> Float32[Tensor, "batch *classes"]:
    shape = (BATCH, task.outputs) if task.outputs > 1 else (BATCH,)
    return torch.randn(shape).mul(0.5).requires_grad_()


def _toy_embeddings(recipe: Recipe, task: Task) -> list[Float32[Tensor, "batch hidden"]]:
    count = 2 if task.pair and recipe.input_of(task) != "joint" else 1
    return [torch.randn(BATCH, HIDDEN).requires_grad_() for _ in range(count)]


def _toy_labels(task: Task) -> Float32[Tensor, "batch"]:
    if task.classes:
        return torch.arange(BATCH).remainder(len(task.classes)).float()
    return torch.linspace(task.minimum, task.maximum, BATCH)
