"""Dev scores between two evaluations: a fixed part of dev, a bounded share of the time, no effect on training."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from attempts import Attempt

from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import PartlyEvaluated
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.scores import predicted_labels, score
from bertmt.training.partial_evaluation import HIGHEST_SHARE, PASSES_PER_TRAINED, interval, part_of

TASK = next(iter(BUILTIN.values()))
WATCHED: dict[str, Any] = {"evaluate_steps": 3, "partial_examples": 5}


def partial_events(folder: RunFolder, attempt: int = 1) -> list[PartlyEvaluated]:
    return [event for event in read_events(folder.events(attempt))[0] if isinstance(event, PartlyEvaluated)]


def test_they_change_nothing_of_what_is_trained(trained: Callable[..., Attempt]) -> None:
    settings = {"lora.rank": 4, "lora.dropout": 0.1, "mnr": True}
    watched, plain = trained({**settings, **WATCHED}), trained({**settings, "partial_examples": 0})
    assert partial_events(watched.folder) and not partial_events(plain.folder)
    weights = [(each.folder.model / "model.safetensors").read_bytes() for each in (watched, plain)]
    assert weights[0] == weights[1]


def test_scores_are_those_of_the_stored_predictions_of_a_part_of_dev(trained: Callable[..., Attempt]) -> None:
    folder = trained(WATCHED).folder
    events = partial_events(folder)
    assert [event.step for event in events] == [3, 6]  # 8 steps in two epochs; after 8 the whole of dev is evaluated
    last = events[-1]
    for entry in last.predictions:
        stored = read_predictions(folder.path / entry.file)
        examples = read_examples(folder.examples(entry.task, entry.split))
        assert entry.split == stored.split == "partial" and len(examples) == last.sizes[entry.task] == 5
        assert stored.fingerprint == entry.fingerprint == fingerprint(examples)
        task = BUILTIN[entry.task]
        labels = [example.label for example in examples]
        assert score(task, predicted_labels(task, stored.probabilities), labels) == last.scores[entry.task]


def test_none_is_made_where_all_of_dev_was_just_evaluated(trained: Callable[..., Attempt]) -> None:
    events = partial_events(trained({"evaluate_steps": 2, "partial_examples": 5}).folder)
    assert [event.step for event in events] == [2, 6]  # 4 and 8 end an epoch


def test_a_part_is_the_same_for_every_run_and_spread_over_the_split() -> None:
    split = toy_split(TASK, "dev")
    part = part_of(split, 100)
    assert part.examples == part_of(split, 100).examples and len(part.examples) == 100
    places = np.flatnonzero([example in set(part.examples) for example in split.examples])
    assert [split.examples[place] for place in places] == list(part.examples)  # in the order of the split
    assert places[0] < 50 and places[-1] > 950 and len(set(part_of(split, 10).examples) - set(part.examples)) == 0
    assert part_of(split, 1000) is split


@pytest.mark.parametrize(
    ("steps", "trained", "predicted"), [(20, 480, 300), (1000, 24_000, 300), (20_000, 480_000, 300)]
)
def test_without_an_interval_there_are_about_ten_within_the_share(steps: int, trained: int, predicted: int) -> None:
    every = interval(Recipe(), steps, trained, predicted)
    made = (steps - 1) // every if every else 0
    assert made <= 10 and made * predicted <= HIGHEST_SHARE * PASSES_PER_TRAINED * trained
    if trained >= 10 * predicted / (HIGHEST_SHARE * PASSES_PER_TRAINED):
        assert made in (9, 10)


def test_a_named_interval_is_taken_and_none_without_examples() -> None:
    assert interval(Recipe(evaluate_steps=7), 20, 100, 300) == 7
    assert interval(Recipe(evaluate_steps=7, partial_examples=0), 20, 100, 0) == 0
    assert interval(Recipe(), 20, 100, 300) == 0


def test_an_empty_split_is_its_own_part() -> None:
    assert part_of(Split("made", "dev", ()), 5).examples == ()


def test_their_time_is_counted_once(trained: Callable[..., Attempt]) -> None:
    run = trained({"evaluate_steps": 1, "partial_examples": 12, "mnr": True, "epoch_steps": 6})
    seconds = run.last["seconds"]
    began, ended = (datetime.fromisoformat(event["at"]) for event in (run.events[0], run.last))
    assert seconds["partial evaluation"] > 0
    after_load = sum(each for phase, each in seconds.items() if phase != "load")
    assert after_load <= (ended - began).total_seconds() + 0.1
