"""The mean of the weights over the last steps, against weights that were copied after each step."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import safetensors.torch
import torch
from attempts import Attempt
from torch import Tensor

from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.layout import RunFolder
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.evaluation import PredictedSplits
from bertmt.training.weight_average import MOST_LOOKS, WeightAverage

# Ten steps, of which the last four count, at rates at which word embeddings that wait are far from what they will be.
SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-3, "epochs": 2, "epoch_steps": 5, "partial_examples": 0, "weight_average": 0.4,
}  # fmt: skip


@pytest.mark.parametrize("toggles", [{}, {"lora.rank": 4, "ensembling": True}, {"mnr": True, "select": "best"}])
def test_a_runs_weights_are_the_mean_of_those_after_its_last_steps_and_so_are_those_that_are_evaluated(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    monkeypatch: pytest.MonkeyPatch,
    toggles: dict[str, Any],
) -> None:
    after: list[dict[str, Tensor]] = []
    evaluated: list[dict[str, Tensor]] = []

    def copied(model: Any) -> dict[str, Tensor]:
        return {name: each.detach().clone() for name, each in model.named_parameters() if each.requires_grad}

    look, outputs = TrainingState.look_at_weights, PredictedSplits.outputs

    def looked(self: TrainingState) -> None:
        assert self.optimizer is not None
        with self.optimizer.current():
            after.append(copied(self.model))
        look(self)

    def predicted(self: PredictedSplits, task: str) -> Any:
        evaluated.append(copied(self._model))
        return outputs(self, task)

    monkeypatch.setattr(TrainingState, "look_at_weights", looked)
    monkeypatch.setattr(PredictedSplits, "outputs", predicted)
    run = attempt(prepare({**SETTINGS, **toggles}))
    assert run.exit_code == 0 and len(after) == 10
    saved = safetensors.torch.load(run.weights)
    assert saved.keys() == after[0].keys()
    for name, found in saved.items():
        mean = torch.stack([each[name].double() for each in after[-4:]]).mean(0).float()
        torch.testing.assert_close(evaluated[-1][name], mean, atol=1e-6, rtol=1e-5, msg=name)
        if run.last["selected_epoch"] == 2:
            assert torch.equal(found, evaluated[-1][name]), name
        assert torch.equal(after[4][name], evaluated[len(evaluated) // 3 * 2 - 1][name]), "the first epoch has no mean"


@pytest.mark.parametrize(("share", "steps"), [(0.4, 10), (1.0, 7), (0.25, 1000), (0.5, 3), (0.001, 100)])
def test_looks_are_evenly_spaced_over_the_share_end_with_the_last_step_and_are_few(share: float, steps: int) -> None:
    average = WeightAverage(Recipe(weight_average=share), steps)
    due = [step for step in range(1, steps + 1) if average.is_due(step)]
    last = round(share * steps)
    assert len(due) <= MOST_LOOKS and (bool(due) == bool(last))
    if due:
        assert due[-1] == steps and due[0] > steps - last
        assert len({later - before for before, later in pairwise(due)}) <= 1
        assert last > MOST_LOOKS or len(due) == last


def test_without_a_share_no_step_counts() -> None:
    average = WeightAverage(Recipe(), 10)
    assert not any(average.is_due(step) for step in range(11))
