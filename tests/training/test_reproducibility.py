"""What a run's numbers depend on, byte for byte."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from attempts import Attempt

from bertmt.run_folder.layout import RunFolder


def test_the_same_seed_gives_the_same_bytes(
    trained: Callable[..., Attempt], prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    first, second = trained({}), attempt(prepare({}))
    assert first.weights == second.weights
    assert first.predictions == second.predictions


def test_another_process_gives_the_same_bytes(
    trained: Callable[..., Attempt], prepare: Callable[..., RunFolder]
) -> None:
    folder = prepare({"lora.rank": 4, "mnr": True, "pearson": True})
    subprocess.run([sys.executable, "-m", "bertmt.training", folder.path], check=True, capture_output=True)
    here = trained({"lora.rank": 4, "mnr": True, "pearson": True})
    assert (folder.model / "model.safetensors").read_bytes() == here.weights


def test_another_seed_gives_other_weights_and_predictions(trained: Callable[..., Attempt]) -> None:
    first, other = trained({}), trained({"seed": 1})
    assert first.weights != other.weights
    trained_ones = [name for name in first.predictions if not name.startswith("000-")]  # before: a cosine knows no seed
    assert trained_ones and all(first.predictions[name] != other.predictions[name] for name in trained_ones)


@pytest.mark.parametrize("task", ["sst", "para", "sts"])
def test_with_one_task_ensembling_changes_no_byte(trained: Callable[..., Attempt], task: str) -> None:
    without, with_it = trained({"tasks": task}), trained({"tasks": task, "ensembling": True})
    assert without.predictions == with_it.predictions
    assert without.weights == with_it.weights


def test_positions_carry_over_so_that_a_cap_only_cuts_the_same_steps(trained: Callable[..., Attempt]) -> None:
    many = trained({"epochs": 4, "epoch_steps": 2})
    few = trained({"epochs": 1, "epoch_steps": 8})
    assert many.weights == few.weights


def test_how_often_a_run_is_evaluated_does_not_change_what_it_learns(trained: Callable[..., Attempt]) -> None:
    every, rare = trained({}), trained({"evaluate_every": 2, "evaluate_examples": 5})
    assert every.weights == rare.weights
