"""How the learning rate rises and falls, against values computed by hand."""

from typing import Any

import pytest

from bertmt.recipe.rules import recipe_from
from bertmt.training.steps.optimizer import learning_rate_factor

HALF = 0.5**0.5


@pytest.mark.parametrize(
    ("settings", "steps", "factors"),
    [
        ({}, 3, [1, 1, 1]),
        ({"learning_rate_schedule": "linear"}, 4, [1, 3 / 4, 2 / 4, 1 / 4]),
        ({"learning_rate_schedule": "cosine"}, 4, [1, (1 + HALF) / 2, 1 / 2, (1 - HALF) / 2]),
        ({"learning_rate_schedule": "linear", "warmup": 0.4}, 5, [1 / 2, 1, 1, 2 / 3, 1 / 3]),
        ({"learning_rate_schedule": "cosine", "warmup": 0.4}, 6, [1 / 2, 1, 1, (1 + HALF) / 2, 1 / 2, (1 - HALF) / 2]),
        ({"learning_rate_schedule": "linear", "warmup_steps": 2}, 4, [1 / 2, 1, 1, 1 / 2]),
        ({"learning_rate_schedule": "linear", "warmup_steps": 9}, 3, [1 / 9, 2 / 9, 3 / 9]),
        ({"learning_rate_schedule": "linear", "warmup": 1.0}, 2, [1 / 2, 1]),
        ({"warmup": 0.5}, 4, [1 / 2, 1, 1, 1]),
        ({"learning_rate_schedule": "linear", "warmup": 0.01}, 1, [1]),
    ],
)
def test_the_learning_rate_rises_to_its_full_height_and_falls_to_0_behind_the_last_step(
    settings: dict[str, Any], steps: int, factors: list[float]
) -> None:
    recipe = recipe_from(settings)
    assert [learning_rate_factor(recipe, step, steps) for step in range(steps)] == pytest.approx(factors)
