"""The last epoch or the best one, and when to stop."""

from typing import Any

import pytest
import torch
from torch import nn

from bertmt.recipe.recipe import Recipe
from bertmt.training.evaluation import Evaluation
from bertmt.training.selection import Selection


def select(scores: list[float] | list[float | None] | list[Any], **settings: Any) -> tuple[Selection, int]:
    """Epochs 1, 2, … with these SST scores, on a model whose one weight is the epoch."""
    selection, model = Selection(Recipe(**settings)), nn.Linear(1, 1, bias=False)
    for epoch, value in enumerate(scores, start=1):
        with torch.no_grad():
            model.weight.fill_(epoch)
        selection.consider(Evaluation(epoch, {"sst": value}, None, {}, {}, ()), model)
    selection.restore(model)
    return selection, int(model.weight)


@pytest.mark.parametrize(("scores", "epoch"), [([0.1, 0.3, 0.2], 2), ([0.3, 0.3, 0.1], 1), ([None, 0.1, None], 2)])
def test_best_selects_the_first_of_the_highest_scores_and_its_weights(
    scores: list[float] | list[float | None], epoch: int
) -> None:
    selection, weight = select(scores, select="best")
    assert (selection.selected.epoch, weight) == (epoch, epoch)


def test_last_selects_the_last_epoch_and_leaves_the_weights() -> None:
    selection, weight = select([0.3, 0.2, 0.1])
    assert (selection.selected.epoch, weight) == (3, 3)


def test_best_without_any_defined_score_is_the_last() -> None:
    selection, weight = select([None, None], select="best")
    assert (selection.selected.epoch, weight) == (2, 2)


@pytest.mark.parametrize(("scores", "stops"), [([0.1, 0.1], False), ([0.1, 0.1, 0.0], True), ([0.1, 0.0, 0.2], False)])
def test_patience_counts_evaluations_without_a_better_score(scores: list[float], stops: bool) -> None:
    assert select(scores, early_stopping=2)[0].should_stop is stops


def test_without_early_stopping_patience_never_ends() -> None:
    assert not select([0.1] * 50)[0].should_stop
