"""A run that pauses by itself after an epoch, as a search lets it, and is let go on: the same bytes everywhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from attempts import Attempt

from bertmt.run_folder.layout import RunFolder

RECIPES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "the final model's toggles": {
        "ensembling": True, "extra_data": True, "super_concat": True, "mnr": True, "cosine_embedding": True,
        "pearson": True, "head.sst.layers": 2, "lora.rank": 4, "lora.dropout": 0.1,
    },
    "beyond the paper": {
        "learning_rate_schedule": "linear", "warmup": 0.2, "r_drop": 1.0, "pair_input": "both", "weight_average": 0.8,
        "select": "best",
    },
}  # fmt: skip


def next_attempt(folder: RunFolder, **order: Any) -> RunFolder:
    """The order of a later attempt, as a worker gives it."""
    before = folder.read_order()
    folder.create(replace(before, attempt=before.attempt + 1, **order), folder.recipe.read_text())
    return folder


def measured(*attempts: Attempt) -> dict[tuple[int, str], Any]:
    """What was measured at each step and evaluation, without what tells the time; nothing comes twice."""
    found: dict[tuple[int, str], Any] = {}
    for event in (event for attempt in attempts for event in attempt.of_kind("step") + attempt.of_kind("evaluated")):
        timed = ("tokens_per_second",)
        scores = event["values"] if "values" in event else event["scores"]
        values = {name: value for name, value in scores.items() if name not in timed}
        assert (event["step"], event["event"]) not in found
        found[event["step"], event["event"]] = values
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_that_pauses_after_an_epoch_and_is_let_go_on_ends_with_the_same_bytes(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], trained: Callable[..., Attempt], name: str
) -> None:
    recipe = {**RECIPES[name], "partial_examples": 0}  # when these are looked at depends on the time
    straight = trained(recipe)
    folder = prepare(recipe, pause_after=1)
    paused = attempt(folder)
    assert (paused.exit_code, paused.last["event"], paused.last["after_epoch"]) == (0, "stopped", 1)
    assert [event["epoch"] for event in paused.of_kind("evaluated")] == [0, 1]
    again = attempt(next_attempt(folder))  # as where its worker died before it could be told
    assert (again.last["after_epoch"], again.of_kind("step"), again.of_kind("evaluated")) == (1, [], [])
    resumed = attempt(next_attempt(folder, pause_after=0))
    assert resumed.weights == straight.weights
    assert resumed.predictions == straight.predictions
    assert measured(paused, again, resumed) == measured(straight)
