"""One optimizer step: a batch of each task that takes part, gradients, surgery, AdamW."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from bertmt.models.autocast_cache import shared_autocast_cache
from bertmt.models.multitask import MultitaskModel
from bertmt.own_code.loading import OwnLosses
from bertmt.recipe.recipe import Recipe
from bertmt.training.seeding import surgery_generator
from bertmt.training.steps.batches import Batch, BatchStream
from bertmt.training.steps.gradient_surgery import Gradient, Surgery, project_conflicts
from bertmt.training.steps.objectives import Objective, objective


@dataclass(frozen=True)
class StepResult:
    """What a step did.

    Attributes:
        batches: by task or pretraining phase.
        losses: the same; of the weights before the step.
        defined: whether the batch has a loss; an undefined Pearson loss is 0.
        gradient_norm: of all gradients that the optimizer applied, after surgery.
        surgery: None where fewer than two tasks' gradients met.
    """

    batches: Mapping[str, Batch]
    losses: Mapping[str, float]
    defined: Mapping[str, bool]
    gradient_norm: float
    surgery: Surgery | None


class Stepper:
    """Takes steps on a model.

    Its state is the position of each stream and of `surgery_order`; weights and moments belong to model and optimizer.
    """

    def __init__(
        self,
        model: MultitaskModel,
        recipe: Recipe,
        streams: Mapping[str, BatchStream],
        own: OwnLosses | None = None,
    ):
        self.model = model
        self.recipe = recipe
        self.streams = streams
        self.own = own
        self.shared = model.shared_parameters() if recipe.surgery else []
        self.surgery_order = surgery_generator(recipe.seed)
        self._device = next(model.parameters()).device

    def take(self, names: Sequence[str], optimizer: torch.optim.Optimizer) -> StepResult:
        """One step on the next batch of each of these tasks, or of one pretraining phase.

        The sum of the tasks' losses is minimised; their gradients of shared parameters go through surgery.
        """
        batches = {name: self.streams[name].next() for name in names}
        with shared_autocast_cache(self._device):
            objectives = {
                name: objective(self.model, self.recipe, name, batch, self.own) for name, batch in batches.items()
            }
        surgery = self._backward(list(objectives.values()))
        # Of no gradients at all (an undefined Pearson loss of a task alone) it is a zero on the CPU.
        norm = torch.nn.utils.get_total_norm(_gradients(optimizer)).to(self._device)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        # One transfer from the device per step: everything before it only queues work on a GPU.
        *losses, gradient_norm = torch.stack([*(each.loss.detach() for each in objectives.values()), norm]).tolist()
        defined = {name: each.defined for name, each in objectives.items()}
        return StepResult(batches, dict(zip(names, losses, strict=True)), defined, gradient_norm, surgery)

    def _backward(self, objectives: Sequence[Objective]) -> Surgery | None:
        """Leave in `.grad` what the optimizer is to apply; one backward pass per task."""
        objectives = [each for each in objectives if each.defined]
        if len(objectives) < 2 or not self.shared:
            for each in objectives:
                each.loss.backward()
            return None
        gradients = []
        for each in objectives:
            each.loss.backward()
            gradients.append(_taken_gradients(self.shared))
        surgery = project_conflicts(gradients, self.surgery_order)
        for parameter, gradient in zip(self.shared, surgery.combined, strict=True):
            parameter.grad = gradient
        return surgery


def _taken_gradients(parameters: Sequence[nn.Parameter]) -> list[Gradient | None]:
    """The gradients, which the parameters then no longer hold."""
    gradients = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    return gradients


def _gradients(optimizer: torch.optim.Optimizer) -> list[Gradient]:
    parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
