"""The mean of the weights over the last steps of training, in place of the last ones."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bertmt.recipe.recipe import Recipe
from bertmt.training.selection import trained_parameters

# Each look reads all weights, those of word embeddings that are not up to date too: as many as cost next to nothing.
MOST_LOOKS = 50


class WeightAverage:
    """The mean of the weights after evenly spaced steps, the last one among them.

    Source: Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization", with looks within
    an epoch, and with any learning rate. The paper has none.

    Args:
        steps: of training; pretraining is not averaged.

    Attributes:
        weights: the mean so far; none before the first look.
        looks: how many there were.
    """

    def __init__(self, recipe: Recipe, steps: int):
        self._steps = steps
        self._last = round(recipe.weight_average * steps)
        self._every = -(-self._last // MOST_LOOKS) if self._last else 0
        self.weights: list[Tensor] = []
        self.looks = 0

    def is_due(self, done: int) -> bool:
        """Whether the weights after so many steps of training count."""
        left = self._steps - done
        return left < self._last and left % self._every == 0

    @torch.no_grad()
    def add(self, model: nn.Module) -> None:
        """Take the weights as they are now into the mean."""
        present = [parameter.detach() for parameter in trained_parameters(model)]
        self.looks += 1
        if not self.weights:
            self.weights = [each.clone() for each in present]
        else:
            torch._foreach_lerp_(self.weights, present, 1 / self.looks)

    @contextmanager
    def instead(self, model: nn.Module) -> Iterator[None]:
        """A scope in which the model has the mean."""
        parameters = trained_parameters(model)
        kept = [parameter.data for parameter in parameters]
        self._give(parameters, self.weights)
        try:
            yield
        finally:
            self._give(parameters, kept)

    @torch.no_grad()
    def restore(self, model: nn.Module) -> None:
        """Give the model the mean for good, if there is one."""
        for parameter, mean in zip(trained_parameters(model), self.weights, strict=False):
            parameter.copy_(mean)

    @staticmethod
    def _give(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data = value
