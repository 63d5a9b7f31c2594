"""Every family of recipes trains, and its events say so."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from attempts import Attempt

FINAL = {
    "ensembling": True,
    "super_concat": True,
    "extra_data": True,
    "pearson": True,
    "mnr": True,
    "cosine_embedding": True,
    "lora.rank": 8,
    "head.sst.layers": 2,
    "head.para.layers": 2,
}
FAMILIES = {
    "baseline": {},
    "lora": {"lora.rank": 4},
    "ensembled": {"ensembling": True},
    "ensembled with lora": {"ensembling": True, "lora.rank": 4},
    "final": FINAL,
    "final without ensembling": {**FINAL, "ensembling": False},
    "sst only": {"tasks": "sst"},
    "para only": {"tasks": "para", "super_concat": True},
    "sts only": {"tasks": "sts", "mnr": True, "cosine_embedding": True},
    "alternate": {"schedule": "alternate"},
    "each": {"epoch": "each"},
    "without surgery": {"surgery": False},
    "bf16": {"precision": "bf16"},
}


@pytest.mark.parametrize("settings", FAMILIES.values(), ids=FAMILIES)
def test_every_family_of_recipes_trains_to_its_end(trained: Callable[..., Attempt], settings: str) -> None:
    run = trained(settings)
    started, finished = run.events[0], run.last
    steps = run.of_kind("step")
    assert (started["event"], finished["event"]) == ("started", "finished")
    assert [event["step"] for event in steps] == list(range(started["steps_total"]))
    assert finished["step"] == started["steps_total"]
    assert [event["epoch"] for event in run.of_kind("evaluated")] == [0, 1, 2]
    assert all(value is not None and math.isfinite(value) for event in steps for value in event["values"].values())
    assert (run.folder.model / "model.safetensors").is_file()


def test_the_started_event_says_what_is_trained_on_what(trained: Callable[..., Attempt]) -> None:
    started = trained(FINAL).events[0]
    assert started["split_sizes"]["para-train"] == 2_600  # the extra pairs are in it
    assert started["split_sizes"]["sts-dev"] == 12
    assert set(started["passes_per_epoch"]) == {"sst", "para", "sts"}
    assert set(started["pretraining"]) == {"mnr", "cosine_embedding"}
    assert 0 < started["trainable_parameters"] < started["total_parameters"]
    assert {"bertmt", "python", "torch", "transformers", "peft"} <= set(started["versions"])
    assert (started["precision"], started["threads"], started["device"]) == ("fp32", 1, "cpu")


def test_a_step_with_surgery_tells_all_its_series(trained: Callable[..., Attempt]) -> None:
    values = trained({}).of_kind("step")[0]["values"]
    assert set(values) == {
        *("loss", "loss/sst", "loss/para", "loss/sts", "gradient_norm", "conflict_share"),
        *("learning_rate", "tokens_per_second"),
    }
    assert values["loss"] == pytest.approx(values["loss/sst"] + values["loss/para"] + values["loss/sts"])
    assert 0 <= values["conflict_share"] <= 1


def test_phases_follow_each_other_and_pretraining_belongs_to_epoch_0(trained: Callable[..., Attempt]) -> None:
    steps = trained(FINAL).of_kind("step")
    phases = [(event["phase"], event["epoch"]) for event in steps]
    # The cap of 4 steps per epoch holds for pretraining too (decision 6).
    assert phases == [("mnr", 0)] * 4 + [("cosine_embedding", 0)] * 4 + [("train", 1)] * 4 + [("train", 2)] * 4
    assert set(steps[0]["values"]) >= {"loss", "loss/mnr"} and "loss/sts" not in steps[0]["values"]


def test_epoch_0_is_evaluated_before_any_step_also_of_pretraining(trained: Callable[..., Attempt]) -> None:
    kinds = [event["event"] for event in trained(FINAL).events]
    assert kinds[:3] == ["started", "evaluated", "step"]


def test_with_alternate_each_step_is_one_tasks_batch(trained: Callable[..., Attempt]) -> None:
    steps = trained({"schedule": "alternate"}).of_kind("step")
    tasks = [[name for name in event["values"] if name.startswith("loss/")] for event in steps]
    assert tasks[:4] == [["loss/sst"], ["loss/para"], ["loss/sts"], ["loss/sst"]]
    assert all("conflict_share" not in event["values"] for event in steps)


def test_overall_is_empty_unless_all_three_tasks_are_trained(trained: Callable[..., Attempt]) -> None:
    assert trained({}).of_kind("evaluated")[-1]["overall"] is not None
    assert trained({"tasks": "sst"}).of_kind("evaluated")[-1]["overall"] is None


def test_the_finished_event_accounts_for_time_examples_and_tokens(trained: Callable[..., Attempt]) -> None:
    finished = trained(FINAL).last
    assert set(finished["seconds"]) == {"load", "pretraining", "training", "evaluation", "saving"}
    assert finished["examples"]["para"] == 2 * 4 * 4  # epochs × steps × batch size
    assert finished["passes"]["para"] == pytest.approx(32 / 2_600, abs=1e-4)
    assert set(finished["tokens"]) == {"sst", "para", "sts", "mnr", "cosine_embedding"}
    assert finished["peak_memory_mib"] > 50 and finished["model"] is True
    assert finished["selected_epoch"] == 2


def test_seconds_left_count_down_to_nothing_but_the_last_evaluation(trained: Callable[..., Attempt]) -> None:
    run = trained({})
    left = [event["seconds_left"] for event in run.of_kind("step")]
    assert all(each is not None and each >= 0 for each in left)
    assert left[-1] == pytest.approx(run.of_kind("evaluated")[-2]["seconds"], abs=0.1)


def test_batches_without_a_pearson_loss_are_counted_and_remarked_on(trained: Callable[..., Attempt]) -> None:
    # Three pairs at a time, many of whose toy similarities are whole numbers: some batches have no variance.
    run = trained({"tasks": "sts", "pearson": True, "batch_size": 3, "epochs": 1, "epoch_steps": 300})
    undefined = run.of_kind("step")[-1]["values"]["pearson_undefined"]
    assert undefined == sum(event["values"]["gradient_norm"] == 0 for event in run.of_kind("step")) > 0
    assert f"in {undefined} of 300 batches" in run.last["remarks"][0]


def test_without_keep_model_scores_and_predictions_stay(trained: Callable[..., Attempt]) -> None:
    run = trained({"keep_model": False})
    assert not run.folder.model.exists() and run.last["model"] is False
    assert "002-sts-dev.npz" in run.predictions


def test_evaluations_may_be_rarer_than_epochs_but_the_last_epoch_has_one(trained: Callable[..., Attempt]) -> None:
    run = trained({"epochs": 5, "epoch_steps": 1, "evaluate_every": 3})
    assert [(event["epoch"], event["step"]) for event in run.of_kind("evaluated")] == [(0, 0), (3, 3), (5, 5)]


def test_training_learns_more_than_the_most_frequent_class(trained: Callable[..., Attempt]) -> None:
    settings: dict[str, Any] = {"epochs": 1, "epoch_steps": 120, "batch_size": 8, "max_length": 32}
    settings |= {"evaluate_examples": 300, "learning_rate": 1e-3}
    before, after = (event["scores"] for event in trained(settings).of_kind("evaluated"))
    assert before["sst"] < 0.3 < after["sst"]  # five classes, equally frequent
    assert before["para"] < 0.56 < after["para"]
