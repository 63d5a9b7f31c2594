"""Multitask training, then each task on its own: where the second stage begins, what it shares, and what is kept."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from attempts import Attempt

from bertmt.errors import RecipeError
from bertmt.models.saving import load_model
from bertmt.prediction.answers import answer_group, open_model
from bertmt.prediction.questions import Question
from bertmt.recipe.pretraining import SINGLE, TRAIN
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, remarks
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.timing import Stopwatch

STAGES = {"stages": "multitask,single"}
ADAPTERS = {**STAGES, "lora.rank": 4}


def encoder_of(state: TrainingState, task: str) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in state.model.encoder(task).state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def begun(compose_run: Callable[..., Any]) -> Callable[..., TrainingState]:
    """`begun({…}, steps)`: a state after so many steps of the first stage, without dropout."""

    def begin(settings: dict[str, Any], steps: int = 2) -> TrainingState:
        state = TrainingState(compose_run(settings), Progress(), Stopwatch())
        state.model.eval()  # so that a task's steps do not depend on how many draws another's took
        optimizer = state.enter(TRAIN)
        for _ in range(steps):
            state.stepper.take(state.run.recipe.tasks, optimizer)
        return state

    return begin


@pytest.mark.parametrize("settings", [STAGES, ADAPTERS])
def test_each_task_goes_on_from_the_shared_encoder_on_its_own(
    begun: Callable[..., TrainingState], settings: dict[str, Any]
) -> None:
    together, alone = begun(settings), begun(settings)
    assert together.model.encoder_name("sst") == "shared"
    for state in (together, alone):
        state.leave()
    shared = encoder_of(together, "sst")
    optimizers = together.enter(SINGLE), alone.enter(SINGLE)
    for task in together.run.recipe.tasks:
        assert same(encoder_of(together, task), shared), "it begins with what the first stage ended with"
    for _ in range(2):
        together.stepper.take(("sst", "para", "sts"), optimizers[0])
        alone.stepper.take(("para",), optimizers[1])
    for optimizer in optimizers:
        optimizer.finish()
    assert same(encoder_of(together, "para"), encoder_of(alone, "para")), "other tasks change nothing in it"
    assert same(encoder_of(alone, "sst"), shared), "what is not trained stays"
    assert not same(encoder_of(together, "sst"), encoder_of(together, "para"))


def test_adapters_have_one_frozen_base(begun: Callable[..., TrainingState]) -> None:
    state = begun(ADAPTERS, steps=0)
    state.enter(SINGLE)
    frozen = [{id(each) for each in state.model.encoder(task).parameters() if not each.requires_grad}
              for task in state.run.recipe.tasks]  # fmt: skip
    assert frozen[0] and frozen[0] == frozen[1] == frozen[2]


@pytest.mark.parametrize("settings", [STAGES, ADAPTERS, {**STAGES, "select": "best", "activation_checkpointing": True}])
def test_a_run_has_both_stages_and_keeps_a_model_of_the_second(
    trained: Callable[..., Attempt], settings: dict[str, Any]
) -> None:
    run, first = trained(settings), trained({name: each for name, each in settings.items() if name != "stages"})
    started = run.events[0]
    assert (started["steps_total"], started["epochs_total"]) == (16, 4)
    phases = [(step["phase"], step["epoch"]) for step in run.of_kind("step")]
    assert phases == [("train", 1)] * 4 + [("train", 2)] * 4 + [("single", 3)] * 4 + [("single", 4)] * 4
    evaluated = run.of_kind("evaluated")
    assert [each["epoch"] for each in evaluated] == [0, 1, 2, 3, 4]
    assert [each["scores"] for each in evaluated[:3]] == [each["scores"] for each in first.of_kind("evaluated")]
    assert run.of_kind("step")[-1]["seconds_left"] >= 0
    assert sorted(load_model(run.folder.model)[0].encoders) == ["para", "sst", "sts"]
    selected = run.last["selected_epoch"]
    stored = read_predictions(run.folder.predictions(selected, "sts", "dev")).probabilities
    examples = read_examples(run.folder.examples("sts", "dev"))
    asked = [Question("sts", each.id, each.first, each.second) for each in examples]
    answers = answer_group(*open_model(run.folder), asked)
    assert [each["label"] for each in answers] == pytest.approx(stored.tolist(), abs=1e-5)


def test_early_stopping_ends_a_stage_and_the_next_begins_with_its_patience(
    trained: Callable[..., Attempt],
) -> None:
    """A rate at which nothing is learned, so that no evaluation is better than the first."""
    run = trained({**STAGES, "epochs": 4, "learning_rate": 1e-12, "early_stopping": 2})
    phases = [(step["phase"], step["epoch"]) for step in run.of_kind("step")]
    assert list(dict.fromkeys(phases)) == [("train", 1), ("train", 2), ("train", 3), ("single", 5), ("single", 6)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stages": "single"}, "begins with multitask"),
        ({**STAGES, "ensembling": True}, "which `ensembling` has not"),
        ({**STAGES, "tasks": "sst"}, "needs two tasks or more"),
        ({"stages": "both"}, "must be one of multitask, single"),
    ],
)
def test_what_has_no_second_stage_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        recipe_from(settings)


def test_it_is_said_what_the_copies_cost() -> None:
    assert any("3 times the weights in memory" in each for each in remarks(recipe_from(STAGES)))
    assert any("adapters of its own" in each for each in remarks(recipe_from(ADAPTERS)))
    assert not any("stage" in each for each in remarks(Recipe()))
