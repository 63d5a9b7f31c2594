"""One optimizer step: whose gradient reaches which parameter."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from gradient_recorder import Recorder

from bertmt.training.steps.objectives import objective
from bertmt.training.steps.optimizer import build_optimizer
from bertmt.training.steps.step import Stepper

TASKS = ("sst", "para", "sts")


def applied_gradients(run: Any, names: tuple[str, ...] = TASKS) -> dict[Any, Any]:
    """Gradients by parameter name, as one step of the run applies them, without dropout."""
    run.model.eval()
    recorder = Recorder(run.model.parameters())
    Stepper(run.model, run.recipe, run.streams).take(names, recorder)
    return {name: recorder.applied[parameter] for name, parameter in run.model.named_parameters()}


def summed_gradients(run: Any, names: tuple[str, str, str] = TASKS) -> dict[Any, Any]:
    """The same from a forward pass per task, and autograd's own sum of gradients."""
    run.model.eval()
    losses = []
    for name in names:
        batch = run.streams[name].next()
        embeddings = run.model.embed(name, batch.tokens)
        losses.append(objective(run.model, run.recipe, name, batch.labels, embeddings).loss)
    run.model.zero_grad()
    torch.stack(losses).sum().backward()
    return {name: parameter.grad for name, parameter in run.model.named_parameters()}


def test_without_surgery_a_step_applies_the_gradient_of_the_sum_of_the_losses(compose_run: Callable[..., Any]) -> None:
    applied = applied_gradients(compose_run({"surgery": False}))
    expected = summed_gradients(compose_run({"surgery": False}))
    for name, gradient in expected.items():
        torch.testing.assert_close(applied[name], gradient, msg=name)


@pytest.mark.parametrize("rank", [0, 4])
def test_surgery_leaves_heads_alone_and_changes_the_shared_encoder(compose_run: Callable[..., Any], rank: int) -> None:
    settings = {"lora.rank": rank, "seed": 3}
    applied = applied_gradients(compose_run(settings))
    plain = summed_gradients(compose_run({**settings, "surgery": False}))
    heads = [name for name in applied if name.startswith("heads.")]
    assert len(heads) == 4
    for name in heads:
        torch.testing.assert_close(applied[name], plain[name], msg=name)
    changed = [name for name in applied if applied[name] is not None and not applied[name].allclose(plain[name])]
    assert changed and all(name.startswith("encoders.shared.") for name in changed)


def test_with_ensembling_no_gradients_meet(compose_run: Callable[..., Any]) -> None:
    run = compose_run({"ensembling": True})
    result = Stepper(run.model, run.recipe, run.streams).take(TASKS, Recorder(run.model.parameters()))
    assert result.surgery is None


def test_the_gradient_norm_is_that_of_all_applied_gradients(compose_run: Callable[..., Any]) -> None:
    run = compose_run({"seed": 5})
    run.model.eval()
    recorder = Recorder(run.model.parameters())
    result = Stepper(run.model, run.recipe, run.streams).take(TASKS, recorder)
    everything = torch.cat([each.flatten() for each in recorder.applied.values() if each is not None])
    assert result.gradient_norm == pytest.approx(float(everything.double().norm()), rel=1e-5)


def test_an_undefined_pearson_loss_gives_no_gradient_and_the_others_go_on(compose_run: Callable[..., Any]) -> None:
    run = compose_run({"pearson": True, "batch_size": 3, "seed": 2})
    run.streams["sts"].data.labels[:] = 2.0  # no variance
    applied = applied_gradients(run)
    expected = applied_gradients(compose_run({"pearson": True, "batch_size": 3, "seed": 2}), ("sst", "para"))
    for name, gradient in expected.items():
        torch.testing.assert_close(applied[name], gradient, msg=name)


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("phase", ["mnr", "cosine_embedding"])
def test_pretraining_touches_only_the_weights_that_train_sts(
    compose_run: Callable[..., Any], phase: str, rank: int
) -> None:
    run = compose_run({"ensembling": True, "mnr": True, "cosine_embedding": True, "lora.rank": rank})
    before = {name: each.detach().clone() for name, each in run.model.named_parameters()}
    stepper = Stepper(run.model, run.recipe, run.streams)
    optimizer = build_optimizer(run.model, ["sts"], run.recipe)
    for _ in range(2):
        stepper.take([phase], optimizer)
    moved = {name for name, each in run.model.named_parameters() if not each.equal(before[name])}
    trained = {id(each) for each in run.model.encoder_parameters("sts")}
    assert moved and all(name.startswith("encoders.sts.") for name in moved)
    assert all(id(each) in trained for name, each in run.model.named_parameters() if name in moved)


def test_bf16_gradients_point_where_fp32_gradients_point(compose_run: Callable[..., Any]) -> None:
    exact = applied_gradients(compose_run({"precision": "fp32"}))
    rough = applied_gradients(compose_run({"precision": "bf16"}))
    flat = [torch.cat([each.flatten() for each in side.values()]) for side in (exact, rough)]
    assert torch.cosine_similarity(flat[0], flat[1], dim=0) > 0.99
