"""Whoever reads a run's weights sees them as of now, although word embeddings wait until they are next read."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import safetensors.torch
from attempts import Attempt
from torch import Tensor

from bertmt.models.multitask import MultitaskModel
from bertmt.models.saving import load_model
from bertmt.run_folder.checkpoints import DOCUMENT, TENSORS
from bertmt.run_folder.layout import RunFolder
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.evaluation import Evaluator, PredictedSplits
from bertmt.training.partial_evaluation import PartialEvaluator
from bertmt.training.reporting import Reporter
from bertmt.training.selection import Selection

# Rates at which the rows that wait differ by much from what they will be.
FAST: dict[str, Any] = {"learning_rate": 1e-3, "epochs": 2, "epoch_steps": 5, "partial_examples": 0}
TOGGLES: dict[str, dict[str, Any]] = {
    "baseline": {}, "ensembled": {"ensembling": True}, "pretrained": {"mnr": True, "cosine_embedding": True},
    "tasks in turn": {"schedule": "alternate", "ensembling": True},
}  # fmt: skip


def copied(model: MultitaskModel) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in model.named_parameters()}


def saved(attempt: Attempt) -> dict[str, Tensor]:
    return safetensors.torch.load(attempt.weights)


def as_saved(weights: dict[str, Tensor], attempt: Attempt) -> list[tuple[Tensor, Tensor]]:
    """Pairs of a weight that was seen and the same in the saved model."""
    stored = saved(attempt)
    pairs = [(weights[name], stored[name]) for name in weights if name in stored]
    assert len(pairs) == len(weights) == len(stored)
    return pairs


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """The weights that each evaluation saw."""
    found: list[dict[str, Tensor]] = []
    real = PredictedSplits.outputs
    evaluate = Evaluator.evaluate

    def started(self: Evaluator, epoch: int) -> Any:
        found.append({})
        return evaluate(self, epoch)

    def outputs(self: PredictedSplits, task: str) -> Any:
        found[-1].update(copied(self._model))
        return real(self, task)

    monkeypatch.setattr(Evaluator, "evaluate", started)
    monkeypatch.setattr(PredictedSplits, "outputs", outputs)
    return found


@pytest.mark.parametrize("toggle", TOGGLES)
def test_the_saved_model_is_what_the_last_evaluation_saw(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], seen: list[dict[str, Tensor]], toggle: str
) -> None:
    run = attempt(prepare({**FAST, **TOGGLES[toggle]}))
    assert run.exit_code == 0, run.last
    assert len(seen) == 3
    assert all(one.equal(other) for one, other in as_saved(seen[-1], run))
    assert not all(one.equal(seen[-2][name]) for name, one in seen[-1].items())


def test_the_best_weights_are_those_that_their_evaluation_saw(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    seen: list[dict[str, Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consider, scores = Selection.consider, iter([0.9, 0.1])

    def first_is_best(self: Selection, evaluation: Any, model: MultitaskModel) -> None:
        monkeypatch.setattr(type(evaluation), "selection_value", next(scores))
        consider(self, evaluation, model)

    monkeypatch.setattr(Selection, "consider", first_is_best)
    run = attempt(prepare({**FAST, "select": "best"}))
    assert run.exit_code == 0 and run.last["selected_epoch"] == 1, run.last
    assert all(one.equal(other) for one, other in as_saved(seen[1], run))


def test_a_saved_model_predicts_what_its_last_evaluation_predicted(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, Any] = {}
    real = PredictedSplits.outputs

    def outputs(self: PredictedSplits, task: str) -> Any:
        found[task] = self, real(self, task)
        return found[task][1]

    monkeypatch.setattr(PredictedSplits, "outputs", outputs)
    run = attempt(prepare(FAST))
    model, _ = load_model(run.folder.model)
    for task, (splits, expected) in found.items():
        splits._model = model
        splits._before_batch = lambda: None  # the attempt's own look at its folder, which is closed by now
        assert real(splits, task).equal(expected)


def test_a_partial_evaluation_sees_weights_of_now(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[dict[str, Tensor]] = [{}]
    models: list[MultitaskModel] = []
    glance, evaluate = Reporter.glance, PartialEvaluator.evaluate
    looks: list[bool] = []

    def noted(self: Reporter, epoch: int) -> None:
        models[:] = [self._state.model]
        before = copied(models[0])
        with self._state.current_weights():
            expected[:] = [copied(models[0])]
        looks.append(not all(each.equal(before[name]) for name, each in expected[0].items()))
        glance(self, epoch)

    def looked(self: PartialEvaluator, epoch: int) -> Any:
        assert looks[-1], "no row waits, so this shows nothing"
        assert all(each.equal(expected[0][name]) for name, each in copied(models[0]).items())
        looks.clear()
        return evaluate(self, epoch)

    monkeypatch.setattr(Reporter, "glance", noted)
    monkeypatch.setattr(PartialEvaluator, "evaluate", looked)
    run = attempt(prepare({**FAST, "partial_examples": 5, "evaluate_steps": 3}))
    assert run.exit_code == 0, run.last
    assert len(run.of_kind("partly_evaluated")) == 3


@pytest.mark.parametrize("toggle", TOGGLES)
def test_looking_and_storing_in_the_middle_change_no_bit_of_what_follows(
    prepare: Callable[..., RunFolder], trained: Callable[..., Attempt], attempt: Callable[..., Attempt], toggle: str
) -> None:
    settings = {**FAST, **TOGGLES[toggle]}
    often = attempt(
        prepare({**settings, "checkpoint_steps": 1, "partial_examples": 3, "evaluate_steps": 1}, keeps_checkpoints=True)
    )
    plain = trained(settings)
    assert often.exit_code == 0 and len(often.of_kind("checkpoint")) > 8 and often.of_kind("partly_evaluated")
    assert often.weights == plain.weights
    whole = {name: content for name, content in often.predictions.items() if "partial" not in name}
    assert whole == plain.predictions


def test_a_phase_begins_with_all_that_the_one_before_it_did(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[tuple[str, bool, bool]] = []
    enter = TrainingState.enter

    def noted(self: TrainingState, phase: str) -> Any:
        stored = copied(self.model)
        with self.current_weights():
            before = copied(self.model)
        optimizer = enter(self, phase)
        after = copied(self.model)
        waited = not all(each.equal(before[name]) for name, each in stored.items())
        entered.append((phase, waited, all(each.equal(before[name]) for name, each in after.items())))
        return optimizer

    monkeypatch.setattr(TrainingState, "enter", noted)
    assert attempt(prepare({**FAST, **TOGGLES["pretrained"]})).exit_code == 0
    assert entered == [("mnr", False, True), ("cosine_embedding", True, True), ("train", True, True)]


def test_a_checkpoint_holds_rows_that_wait(prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]) -> None:
    """Without these the tests of resuming would not see whether their state is kept."""
    folder = prepare(FAST, keeps_checkpoints=True)
    assert attempt(folder).exit_code == 0
    newest = folder.checkpoints().newest_intact(lambda path, why: pytest.fail(f"{path}: {why}"))
    assert newest is not None
    tensors = safetensors.torch.load(newest.read(TENSORS))
    reached = tensors["optimizer/rows0/reached"]
    steps = json.loads(newest.read(DOCUMENT))["progress"]["phase_step"]
    assert int(((reached > 0) & (reached < steps)).sum()) > 10
    assert len(tensors["optimizer/rows0/rates"]) == steps
    words = next(name for name in tensors if name.startswith("weight/") and name.endswith("word_embeddings.weight"))
    stored = safetensors.torch.load((folder.model / "model.safetensors").read_bytes())
    waiting = np.flatnonzero(((reached > 0) & (reached < steps)).numpy())
    behind = tensors[words][waiting] != stored[words.removeprefix("weight/")][waiting]
    assert float(behind.float().mean()) > 0.5
