"""What a child says when its numbers are no longer finite."""

import pytest
import torch

from bertmt.training.divergence import DivergedError, check_outputs, check_step

IDS = {task: [f"{task}-{number:025d}" for number in range(64)] for task in ("sst", "sts")}


def test_what_to_do_stands_before_the_ids_of_the_batch() -> None:
    losses = {"sst": float("nan"), "sts": float("inf")}
    with pytest.raises(DivergedError) as caught:
        check_step(1234, losses, 1.0, IDS)
    said = str(caught.value)
    # Below a run in a list of 80 columns there is room for so much.
    assert "try a lower learning_rate" in said[:73]
    assert all(each in said for ids in IDS.values() for each in ids)


def test_what_to_do_stands_first_after_an_evaluation_too() -> None:
    with pytest.raises(DivergedError, match=r"^Diverged after epoch 2, try a lower learning_rate: .* for sts"):
        check_outputs("sts", 2, torch.tensor([1.0, float("nan")]))


def test_finite_numbers_are_no_divergence() -> None:
    check_step(1, {"sst": 1.0}, 2.0, IDS)
    check_outputs("sst", 1, torch.zeros(3))
