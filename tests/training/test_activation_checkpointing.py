"""Activations that are computed anew give the same losses and the same gradients, to the bit, for every loss."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from attempts import Attempt
from gradient_recorder import Recorder

from bertmt.run_folder.layout import RunFolder
from bertmt.training.memory import memory_shortage
from bertmt.training.seeding import seed_dropout
from bertmt.training.steps.step import Stepper

LOSSES: dict[str, tuple[dict[str, Any], str | None]] = {
    "cross entropy": ({"tasks": "sst"}, "sst"),
    "binary cross entropy": ({"tasks": "para", "super_concat": True}, "para"),
    "mean squared error": ({"tasks": "sts"}, "sts"),
    "pearson": ({"tasks": "sts", "pearson": True}, "sts"),
    "multiple negatives ranking": ({"tasks": "sts", "mnr": True}, "mnr"),
    "cosine embedding": ({"tasks": "sts", "cosine_embedding": True}, "cosine_embedding"),
    "all with surgery": ({}, None),
    "lora": ({"lora.rank": 4, "lora.dropout": 0.1}, None),
    "ensembled": ({"ensembling": True}, None),
    "bf16": ({"precision": "bf16"}, None),
}


def one_step(run: Any, name: str | None) -> tuple[Mapping[str, float], list[Any], torch.Tensor]:
    run.model.train()
    seed_dropout(run.recipe.seed)
    recorder = Recorder(run.model.parameters())
    tasks = [name] if name else run.recipe.tasks
    result = Stepper(run.model, run.recipe, run.streams).take(tasks, recorder)
    return result.losses, list(recorder.applied.values()), torch.get_rng_state()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_with_recomputed_activations_are_the_same_bits(
    compose_run: Callable[..., Any], loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, name = LOSSES[loss]
    plain = one_step(compose_run(settings), name)
    run = compose_run({**settings, "activation_checkpointing": True})
    calls = []
    layer = next(each for each in run.model.modules() if type(each).__name__ == "BertLayer")
    layer.attention.register_forward_hook(lambda *_: calls.append(1))
    again = one_step(run, name)
    assert run.saves_memory and len(calls) > 1 and len(calls) % 2 == 0, "nothing was computed anew"
    assert again[0] == plain[0]
    assert any(each is not None and each.abs().sum() > 0 for each in plain[1])
    for one, other in zip(plain[1], again[1], strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)
    assert torch.equal(plain[2], again[2]), "the random state must go on as if nothing had been"


def test_an_order_can_turn_it_on_whatever_the_recipe_says(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    saving, plain = attempt(prepare({}, saves_memory=True)), attempt(prepare({}))
    assert (saving.events[0]["activation_checkpointing"], plain.events[0]["activation_checkpointing"]) == (True, False)
    assert saving.weights == plain.weights


def test_running_out_of_memory_is_told_with_what_was_needed_and_free(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.06 GiB is "
        "free. Process 4711 has 70 GiB memory in use. Of the allocated memory 6 GiB is allocated by PyTorch."
    )
    monkeypatch.setattr(Stepper, "take", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError(told)))
    run = attempt(prepare({}))
    assert (run.exit_code, run.last["event"], run.last["out_of_memory"]) == (1, "failed", True)
    assert "Tried to allocate 2.00 GiB" in run.last["error"] and "1.06 GiB is free" in run.last["error"]
    assert run.last["error"].endswith("A smaller batch_size or max_length needs less.")


@pytest.mark.parametrize(
    ("fault", "is_shortage"),
    [
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
            True,
        ),
        (MemoryError(), True),
        (RuntimeError("shape mismatch"), False),
        (OSError("no space left"), False),
    ],
)
def test_only_a_shortage_of_memory_is_called_one(
    fault: RuntimeError | MemoryError | OSError, is_shortage: bool
) -> None:
    assert (memory_shortage(fault) is not None) == is_shortage
