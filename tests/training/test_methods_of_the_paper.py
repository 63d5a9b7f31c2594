"""What 4.1 and 4.3 say of optimizer, steps, epochs and pretraining, and what was decided where they are silent."""

from collections import Counter
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

from bertmt.models.multitask import MultitaskModel
from bertmt.recipe.loading import preset
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.recipe.step_plan import plan_steps
from bertmt.run_folder.event_files import EventWriter, read_events
from bertmt.run_folder.events import Event, Step
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.training import loop
from bertmt.training.checkpoints import state as state_module
from bertmt.training.checkpoints.checkpointing import Checkpointing
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.composition import TrainingRun, compose
from bertmt.training.reporting import Reporter
from bertmt.training.steps.optimizer import Optimizer, build_optimizer, set_learning_rate
from bertmt.training.steps.row_adamw import RowAdamW
from bertmt.training.stopping import StopFlag
from bertmt.training.timing import Stopwatch

BATCHES = {"sst": 2, "para": 5, "sts": 1}


def small_encoder() -> Any:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False)


def model_of(**values: Any) -> tuple[MultitaskModel, Recipe]:
    recipe = resolved(recipe_from({"encoder": "a/local/folder", **values}))
    return MultitaskModel(recipe, small_encoder), recipe


def turns(**values: Any) -> list[Any]:
    return list(plan_steps(Recipe(**values), BATCHES).rounds[0])


def test_the_optimizer_is_adamw_without_decay_on_biases_and_layer_norms() -> None:
    model, recipe = model_of(weight_decay=0.01)
    optimizer = build_optimizer(model, recipe.tasks, recipe)
    decay = {id(each): group["weight_decay"] for group in optimizer.param_groups for each in group["params"]}
    assert type(optimizer._dense) is torch.optim.AdamW and [type(each) for each in optimizer._tables] == [RowAdamW]
    for name, parameter in model.named_parameters():
        spared = name.endswith("bias") or "LayerNorm" in name
        assert decay[id(parameter)] == (0.0 if spared else 0.01), name


def test_the_optimizer_holds_every_trained_parameter_once() -> None:
    model, recipe = model_of()
    groups = build_optimizer(model, recipe.tasks, recipe).param_groups
    held = Counter(id(each) for group in groups for each in group["params"])
    assert held == Counter(id(each) for each in model.parameters() if each.requires_grad)


def test_the_learning_rate_is_constant_and_the_heads_have_their_own() -> None:
    model, recipe = model_of(learning_rate=1e-5, head_learning_rate=1e-3)
    optimizer = build_optimizer(model, recipe.tasks, recipe)
    heads = {id(each) for task in recipe.tasks for each in model.head_parameters(task)}
    for step in (0, 1, 1000):
        assert set_learning_rate(optimizer, recipe, step, 1001) == 1e-5
        for group in optimizer.param_groups:
            for each in group["params"]:
                assert group["lr"] == (1e-3 if id(each) in heads else 1e-5)


def test_a_warm_up_rises_in_a_straight_line_and_stays() -> None:
    model, recipe = model_of(learning_rate=4e-5, warmup_steps=4)
    optimizer = build_optimizer(model, recipe.tasks, recipe)
    rates = [set_learning_rate(optimizer, recipe, step, 6) for step in range(6)]
    assert rates == pytest.approx([1e-5, 2e-5, 3e-5, 4e-5, 4e-5, 4e-5])


def test_together_a_step_takes_a_batch_of_each_task() -> None:
    assert turns() == [("sst", "para", "sts")] * 5


def test_alternating_each_batch_is_a_step_of_its_own() -> None:
    assert turns(schedule="alternate") == [("sst",), ("para",), ("sts",)] * 5


def test_an_epoch_lasts_until_the_longest_task_is_used_once() -> None:
    plan = plan_steps(Recipe(epochs=3), BATCHES)
    assert (plan.steps_per_epoch, plan.steps) == (5, 15)
    assert plan.passes_per_epoch(BATCHES) == {"sst": 2.5, "para": 1.0, "sts": 5.0}


def test_with_each_a_task_that_is_used_up_sits_out() -> None:
    plan = plan_steps(Recipe(epoch="each"), BATCHES)
    assert list(plan.rounds[0]) == [("sst", "para", "sts"), ("sst", "para"), ("para",), ("para",), ("para",)]
    assert plan.passes_per_epoch(BATCHES) == {"sst": 1.0, "para": 1.0, "sts": 1.0}


def test_a_cap_cuts_epochs_out_of_one_sequence_of_steps() -> None:
    whole, capped = plan_steps(Recipe(epoch="each"), BATCHES), plan_steps(Recipe(epoch="each", epoch_steps=2), BATCHES)
    assert capped.steps_per_epoch == 2
    assert [capped.tasks_at(step) for step in range(12)] == [whole.tasks_at(step) for step in range(12)]


def test_a_cap_beyond_the_epoch_changes_nothing() -> None:
    assert plan_steps(Recipe(epoch_steps=100), BATCHES) == plan_steps(Recipe(), BATCHES)


@pytest.fixture(scope="module")
def pretrained(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[TrainingRun, list[Event], list[tuple[tuple[Any, ...], set[int], int]]]:
    """A short run with both pretraining losses: its events, and what each of its optimizers held before its steps."""
    folder = RunFolder(tmp_path_factory.mktemp("pretrained") / "r1")
    own = {"data": "toy", "encoder": "tiny", "lora.rank": 4, "epochs": 1, "epoch_steps": 2, "evaluate_examples": 8}
    recipe = resolved(recipe_from({**own, "keep_model": False, "ensembling": True}, preset("final").recipe()))
    order = RunOrder(run_id="r1", name="r1", attempt=1, data="toy", extra_data_file="toy")
    folder.create(order, "{}")
    run = compose(folder, order, recipe, StopFlag())
    writer, optimizers = EventWriter(folder.events(1)), []

    def recording(model: Any, tasks: Any, recipe: Any) -> Optimizer:
        optimizer = build_optimizer(model, tasks, recipe)
        held = {id(each) for group in optimizer.param_groups for each in group["params"]}
        optimizers.append((tuple(tasks), held, len(optimizer.tensors())))
        return optimizer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(state_module, "build_optimizer", recording)
        state = state_module.TrainingState(run, Progress(), Stopwatch())
        checkpointing = Checkpointing(state, folder.checkpoints(), writer)
        loop.train(state, Reporter(state, writer, 1), checkpointing, StopFlag())
    return run, read_events(folder.events(1))[0], optimizers


def test_mnr_comes_first_then_cosine_embedding_then_the_tasks(pretrained: Any) -> None:
    _, events, _ = pretrained
    steps = [event for event in events if isinstance(event, Step)]
    assert [event.phase for event in steps] == ["mnr"] * 2 + ["cosine_embedding"] * 2 + ["train"] * 2
    assert [event.step for event in steps] == list(range(6))


def test_each_pretraining_phase_has_a_fresh_optimizer_over_the_weights_that_train_sts(pretrained: Any) -> None:
    run, _, optimizers = pretrained
    adapters = {id(each) for each in run.model.encoder_parameters("sts")}
    everything = {id(each) for each in run.model.parameters() if each.requires_grad}
    assert optimizers == [(("sts",), adapters, 0), (("sts",), adapters, 0), (run.recipe.tasks, everything, 0)]
    assert adapters < everything


def test_pretraining_is_at_the_learning_rate_of_training(pretrained: Any) -> None:
    _, events, _ = pretrained
    rates = {event.values["learning_rate"] for event in events if isinstance(event, Step)}
    assert rates == {3e-4}
