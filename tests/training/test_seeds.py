"""Every random part of a run follows the recipe's seed by itself: in the whole, one that did not would go unseen."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from attempts import Attempt

from bertmt.models.seeding import derived_seed
from bertmt.run_folder.layout import RunFolder
from bertmt.training.checkpoints.random_state import capture
from bertmt.training.seeding import seed_dropout
from bertmt.training.steps.step import Stepper

EVERYTHING = {"mnr": True, "cosine_embedding": True, "lora.rank": 2, "head.sst.layers": 2}


@pytest.fixture
def compose_two(compose_run: Callable[..., Any]) -> Callable[..., list[Any]]:
    """The same recipe with two seeds."""
    return lambda settings=EVERYTHING: [compose_run({**settings, "seed": seed}) for seed in (0, 1)]


def test_every_stream_orders_its_batches_by_the_seed(compose_two: Any) -> None:
    first, other = compose_two()
    assert set(first.streams) == {"sst", "para", "sts", "mnr", "cosine_embedding"}
    for name in first.streams:
        rows = [[run.streams[name].next().rows.tolist() for _ in range(3)] for run in (first, other)]
        assert rows[0] != rows[1], name


@pytest.mark.parametrize("part", ["heads.sst.", "heads.para.", "lora_A"])
def test_every_part_of_a_model_that_starts_at_random_starts_from_the_seed(compose_two: Any, part: str) -> None:
    first, other = [dict(run.model.named_parameters()) for run in compose_two()]
    # A LoRA's B is 0 at first.
    drawn = [name for name in first if part in name and name.endswith("weight") and first[name].ndim > 1]
    assert drawn and first.keys() == other.keys()
    assert [name for name in drawn if first[name].equal(other[name])] == []


def test_dropout_and_the_orders_of_gradient_surgery_start_from_the_seed(compose_two: Any) -> None:
    states = []
    with torch.random.fork_rng(devices=[]):
        for run in compose_two():
            seed_dropout(run.recipe.seed)
            states.append(capture(run.device, Stepper(run.model, run.recipe, run.streams).surgery_order))
    for name in ("torch", "surgery", "python", "numpy"):
        assert not states[0][name].equal(states[1][name]), name


def test_an_attempt_starts_dropout_from_its_recipes_seed(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    monkeypatch.setattr("bertmt.training.attempt.train", lambda *parts: seeds.append(torch.initial_seed()))
    with torch.random.fork_rng(devices=[]):
        for seed in (0, 1):
            assert attempt(prepare({"tasks": "sts", "seed": seed})).exit_code == 0
    assert seeds == [derived_seed(0, "dropout"), derived_seed(1, "dropout")]
