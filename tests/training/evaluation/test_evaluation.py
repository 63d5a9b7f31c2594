"""What is said of an epoch, and which epoch is the run's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from attempts import Attempt

from bertmt.models.inference import compute_outputs
from bertmt.models.saving import load_model
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import fingerprint
from bertmt.tasks.loading import read_split
from bertmt.tasks.scores import predicted_labels, score
from bertmt.training.evaluation import Evaluation

NAMES = tuple(BUILTIN)


def evaluation(epoch: int, overall: float | None, **scores: Any) -> Evaluation:
    return Evaluation(epoch, scores, overall, {}, {}, ())


@pytest.mark.parametrize("task", NAMES)
def test_batched_outputs_are_those_of_one_example_at_a_time(compose_run: Callable[..., Any], task: str) -> None:
    run = compose_run({})
    data = run.evaluator._dev._splits[task]
    together = compute_outputs(run.model, task, data.first, data.second)
    run.model.eval()
    with torch.no_grad():
        alone = [run.model(task, run.model.tokens(task, *data.sentences([row]))) for row in range(len(data))]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


def test_evaluating_leaves_the_models_mode_and_the_random_stream_as_they_are(compose_run: Callable[..., Any]) -> None:
    run = compose_run({})
    run.model.train()
    before = torch.get_rng_state()
    run.evaluator.evaluate(0)
    assert run.model.training and torch.get_rng_state().equal(before)


@pytest.mark.parametrize("task", NAMES)
def test_stored_predictions_give_the_scores_that_were_told(trained: Callable[..., Attempt], task: str) -> None:
    run = trained({})
    event = run.of_kind("evaluated")[-1]
    [entry] = [each for each in event["predictions"] if each["task"] == task]
    stored = read_predictions(run.folder.path / entry["file"])
    labels = [example.label for example in read_examples(run.folder.examples(task, "dev"))]
    assert stored.fingerprint == entry["fingerprint"] and stored.epoch == 2
    about = BUILTIN[task]
    assert score(about, predicted_labels(about, stored.probabilities), labels) == event["scores"][task]


def test_stored_probabilities_are_fp32_and_sum_to_one(trained: Callable[..., Attempt]) -> None:
    shares = read_predictions(trained({}).folder.predictions(1, "sst", "dev")).probabilities
    assert shares.dtype == np.float32 and shares.shape == (12, 5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


def test_dev_losses_follow_from_the_stored_predictions(trained: Callable[..., Attempt]) -> None:
    run = trained({})
    event = run.of_kind("evaluated")[-1]
    labels = {
        task: np.array([each.label for each in read_examples(run.folder.examples(task, "dev"))]) for task in NAMES
    }
    p = {task: read_predictions(run.folder.predictions(2, task, "dev")).probabilities.astype(float) for task in NAMES}
    expected = {
        "sst": -np.log(p["sst"][np.arange(12), labels["sst"].astype(int)]).mean(),
        "para": -np.where(labels["para"] == 1, np.log(p["para"]), np.log(1 - p["para"])).mean(),
        "sts": ((p["sts"] - labels["sts"] / 5) ** 2).mean(),
    }
    assert event["losses"] == pytest.approx(expected, rel=1e-4)


def test_evaluate_examples_takes_the_first_ones_and_their_own_fingerprint(trained: Callable[..., Attempt]) -> None:
    run = trained({})
    dev = read_split("toy", BUILTIN["sst"], "dev").examples[:12]
    assert read_examples(run.folder.examples("sst", "dev")) == dev
    event = run.of_kind("evaluated")[0]
    assert event["sizes"] == {"sst": 12, "para": 12, "sts": 12}
    assert event["predictions"][0]["fingerprint"] == fingerprint(dev)


def test_the_saved_model_gives_the_predictions_of_the_selected_epoch(trained: Callable[..., Attempt]) -> None:
    run = trained({"select": "best", "epochs": 6, "epoch_steps": 3, "lora.rank": 4, "learning_rate": 0.02})
    selected = run.last["selected_epoch"]
    values = {event["epoch"]: event["overall"] for event in run.of_kind("evaluated") if event["epoch"]}
    assert values[selected] == max(values.values())
    assert selected != 6, "choose a recipe whose last epoch is not its best, or this shows nothing"
    model, tokenizer = load_model(run.folder.model)
    examples = read_examples(run.folder.examples("sts", "dev"))
    first, second = (tokenizer.encode([getattr(each, side) for each in examples]) for side in ("first", "second"))
    outputs = compute_outputs(model, "sts", first, second)
    stored = read_predictions(run.folder.predictions(selected, "sts", "dev")).probabilities
    np.testing.assert_allclose(outputs.numpy(), stored, atol=1e-6)
    assert run.last["scores"] == run.of_kind("evaluated")[selected]["scores"]


def test_early_stopping_ends_a_run_that_gets_no_better(trained: Callable[..., Attempt]) -> None:
    # At this rate nothing moves in fp32, so that no epoch is better than the first.
    run = trained({"learning_rate": 1e-30, "early_stopping": 2, "epochs": 9, "epoch_steps": 1})
    assert [event["epoch"] for event in run.of_kind("evaluated")] == [0, 1, 2, 3]
    assert (run.last["epoch"], run.last["selected_epoch"]) == (3, 3)


def test_the_value_to_select_by_is_overall_or_the_score_of_the_only_task() -> None:
    assert evaluation(1, 0.7, sst=0.5, para=0.8, sts=0.6).selection_value == 0.7
    assert evaluation(1, None, sst=0.5).selection_value == 0.5
    assert evaluation(1, None, sst=0.5, sts=None).selection_value is None
