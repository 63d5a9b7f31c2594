"""Which epoch's weights and scores are the run's, and when to stop early."""

from collections.abc import Mapping
from typing import Any

import msgspec
import torch
from torch import nn

from bertmt.recipe.recipe import Recipe
from bertmt.training.evaluation import Evaluation


class Selection:
    """The last evaluated epoch, or the one that is best on dev; epoch 0, which is untrained, is neither.

    Attributes:
        weights: of the epoch that is best so far; none where the last is taken.
        best_value: the best dev score so far.
        without_gain: evaluations since then.
    """

    def __init__(self, recipe: Recipe):
        self._keep_best = recipe.select == "best"
        self._patience = recipe.early_stopping
        self.weights: list[torch.Tensor] = []
        self._selected: Evaluation | None = None
        self.best_value: float | None = None
        self.without_gain = 0

    def consider(self, evaluation: Evaluation, model: nn.Module) -> None:
        """Take an evaluation of a trained epoch into account; of equal ones the first is the best."""
        value = evaluation.selection_value
        better = value is not None and (self.best_value is None or value > self.best_value)
        self.without_gain = 0 if better else self.without_gain + 1
        if better:
            self.best_value = value
        # Without any defined score there is no best: then it is the last.
        if not self._keep_best or better or self.best_value is None:
            self._selected = evaluation
        if self._keep_best and better:
            self.weights = [parameter.detach().clone() for parameter in trained_parameters(model)]

    @property
    def selected(self) -> Evaluation:
        """The evaluation of the selected epoch; the last epoch is always evaluated, so a trained run has one."""
        assert self._selected is not None
        return self._selected

    @property
    def should_stop(self) -> bool:
        """Whether early stopping's patience is used up."""
        return bool(self._patience) and self.without_gain >= self._patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the weights of the selected epoch."""
        if not self.weights:
            return
        with torch.no_grad():
            for parameter, kept in zip(trained_parameters(model), self.weights, strict=True):
                parameter.copy_(kept)

    def state(self) -> dict[str, Any]:
        """All but the weights, for JSON."""
        selected = msgspec.to_builtins(self._selected)
        return {"best_value": self.best_value, "without_gain": self.without_gain, "selected": selected}

    def restore_state(self, state: Mapping[str, Any], weights: list[torch.Tensor]) -> None:
        """Go on from what `state` and `weights` were."""
        self.best_value, self.without_gain = state["best_value"], state["without_gain"]
        self._selected = msgspec.convert(state["selected"], Evaluation | None)
        self.weights = weights


def trained_parameters(model: nn.Module) -> list[torch.nn.Parameter]:
    """The parameters that train, in a fixed order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
