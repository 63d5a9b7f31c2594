"""Five tasks of every kind, none of them the paper's: trained, evaluated, saved, and resumed to the bit."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attempts import Attempt
from present import present

from bertmt.models.saving import load_model
from bertmt.prediction.answers import answer_group
from bertmt.prediction.questions import Question
from bertmt.run_folder import event_files
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.tasks.metrics import COMPUTED
from bertmt.tasks.scores import on_label_scale, predicted_labels
from bertmt.tasks.task import CourseFormat, Task

WORDS = "a the cat dog film house sat ran was good bad dull lovely old new on in red blue slow"


def task(name: str, inputs: Any, metrics: tuple[str, ...], **more: Any) -> Task:
    sentences = ("text",) if inputs == "single" else ("text", "other")
    course = CourseFormat(stem=name, sentences=sentences, label="label", header="id")
    return Task(name=name, title=name.title(), inputs=inputs, metrics=metrics, course=course, **more)


TASKS = {
    each.name: each
    for each in (
        task("cola", "single", ("matthews", "accuracy", "f1"), classes=("no", "yes")),
        task("stars", "single", ("accuracy", "macro_f1"), classes=("1", "2", "3", "4", "5")),
        task("mnli", "pair", ("accuracy",), classes=("entails", "neutral", "contradicts")),
        task("graded", "pair", ("spearman", "mse"), range=(-1, 3)),
        task("near", "pair", ("pearson",), range=(1, 5), prediction="cosine"),
    )
}
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"head.stars.layers": 2},
    "everything": {
        "ensembling": True, "lora.rank": 4, "super_concat": True, "mnr": True, "cosine_embedding": True,
        "pearson": True, "head.mnli.layers": 2,
    },
    "annealed": {"sampling": "annealed", "epochs": 3, "mnr": True},
}  # fmt: skip
RESILIENCE: dict[str, Any] = {"checkpoint_steps": 3, "select": "best"}


def row(about: Task, number: int, dice: random.Random) -> str:
    sentences = [" ".join(dice.choices(WORDS.split(), k=dice.randint(3, 6))) + f" {number} {side}" for side in "ab"]
    label = number % len(about.classes) if about.classes else about.label_at(round(dice.random(), 3))
    return "\t".join([str(number), f"{about.name}{number}", *sentences[: 1 + about.pair], f"{label:g}"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the five tasks in the course's format."""
    folder = tmp_path_factory.mktemp("data")
    for about in TASKS.values():
        for split, size in (("train", 30), ("dev", 10)):
            dice = random.Random(f"{about.name} {split}")
            header = "\t".join(["", "id", *present(about.course).sentences, "label"])
            rows = [row(about, number, dice) for number in range(size)]
            (folder / f"{about.name}-{split}.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


@pytest.fixture(scope="module")
def prepared(prepare: Callable[..., RunFolder], data: Path) -> Callable[..., RunFolder]:
    def make(name: str) -> RunFolder:
        own = {"data": str(data), "tasks": list(TASKS), **RECIPES[name], **RESILIENCE}
        return prepare(own, known=TASKS, keeps_checkpoints=True)

    return make


@pytest.fixture(scope="module")
def straight(prepared: Callable[..., RunFolder], attempt: Callable[..., Attempt]) -> Callable[..., Attempt]:
    """`straight("everything")`: the run of a recipe that nobody interrupted."""
    finished: dict[str, Attempt] = {}

    def run(name: str) -> Attempt:
        if name not in finished:
            finished[name] = attempt(prepared(name))
        assert finished[name].exit_code == 0, finished[name].last
        return finished[name]

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_tasks_of_every_kind_are_trained_together(straight: Callable[..., Attempt], name: str) -> None:
    run = straight(name)
    losses = {key for event in run.of_kind("step") for key in event["values"] if key.startswith("loss/")}
    assert {f"loss/{task}" for task in TASKS} <= losses
    last = run.of_kind("evaluated")[-1]
    assert set(last["scores"]) == set(last["losses"]) == set(TASKS)
    assert last["sizes"] == dict.fromkeys(TASKS, 10)


def test_each_score_is_that_of_the_stored_predictions_and_overall_is_their_mean(
    straight: Callable[..., Attempt],
) -> None:
    run = straight("everything")
    event = run.of_kind("evaluated")[-1]
    parts = []
    for name, about in TASKS.items():
        stored = read_predictions(run.folder.predictions(event["epoch"], name, "dev"))
        labels = [each.label for each in read_examples(run.folder.examples(name, "dev"))]
        assert stored.probabilities.shape == {"stars": (10, 5), "mnli": (10, 3)}.get(name, (10,))
        predicted = predicted_labels(about, stored.probabilities)
        assert event["scores"][name] == COMPUTED[about.metrics[0]](predicted, labels)
        signed = about.metrics[0] in ("matthews", "spearman", "pearson")
        score = event["scores"][name]
        parts.append(None if score is None else (1 + score) / 2 if signed else score)
        if name == "graded":
            error = np.mean((on_label_scale(about, predicted) - np.array(labels)) ** 2)
            assert COMPUTED["mse"](on_label_scale(about, predicted), labels) == pytest.approx(error)
    expected = None if None in parts else pytest.approx(np.mean([present(part) for part in parts]))
    assert event["overall"] == expected


def test_pretraining_trains_each_task_of_similarities_with_each_loss(straight: Callable[..., Attempt]) -> None:
    steps = straight("everything").of_kind("step")
    phases = list(dict.fromkeys(event["phase"] for event in steps))
    assert phases == ["mnr.graded", "mnr.near", "cosine_embedding.graded", "cosine_embedding.near", "train"]
    started = straight("everything").of_kind("started")[0]
    assert list(started["pretraining"]) == phases[:-1]


def test_each_task_is_pretrained_on_the_pairs_of_its_own_range(compose_run: Callable[..., Any], data: Path) -> None:
    own = {"data": str(data), "tasks": list(TASKS), "mnr": True, "cosine_embedding": True}
    run = compose_run(own, known=TASKS)
    for name, low, high in (("graded", -1, 3), ("near", 1, 5)):
        labels = run.streams[name].data.labels
        at = [low + (high - low) * threshold / 5 for threshold in (1.0, 3.5, 4.0)]
        similar, apart = (labels >= at[1]), (labels < at[0])
        assert 0 < (labels >= at[2]).sum() < 30 and 0 < (similar | apart).sum() < 30
        pairs = run.streams[f"cosine_embedding.{name}"]
        assert pairs.examples == (similar | apart).sum()
        found = {int(index) for _ in range(pairs.batches_per_pass) for index in pairs.next().rows}
        assert found == set(np.flatnonzero(similar | apart))
        first = run.streams[f"mnr.{name}"]
        for _ in range(first.batches_per_pass):
            assert first.next().labels.min() >= at[2] - 1e-6


def test_with_one_task_of_similarities_the_streams_are_those_of_the_losses(
    compose_run: Callable[..., Any], data: Path
) -> None:
    def rows(tasks: str, stream: str) -> list[int]:
        own = {"data": str(data), "tasks": tasks, "mnr": True, "cosine_embedding": True}
        found = compose_run(own, known=TASKS).streams[stream]
        return [int(row) for _ in range(found.batches_per_pass) for row in found.next().rows]

    for loss in ("mnr", "cosine_embedding"):
        assert sorted(rows("near", loss)) == sorted(rows("near,graded", f"{loss}.near"))
    # The seed of a stream is that of its name, which with one task is what it always was.
    assert rows("near", "cosine_embedding") != rows("near,graded", "cosine_embedding.near")
    assert rows("near", "cosine_embedding") == rows("near,cola", "cosine_embedding")


def test_sampled_steps_are_of_one_task_each_and_every_task_has_some(straight: Callable[..., Attempt]) -> None:
    steps = [event for event in straight("annealed").of_kind("step") if event["phase"] == "train"]
    tasks = [[key for key in event["values"] if key.startswith("loss/")] for event in steps]
    assert len(steps) == 12 and {len(each) for each in tasks} == {1}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the program catches it."""


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("write", [4, 9, 13])
def test_a_run_killed_in_the_middle_and_resumed_ends_with_the_same_bytes(
    prepared: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    straight: Callable[..., Attempt],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    write: int,
) -> None:
    folder, left, real = prepared(name), [write], os.write

    def killed(handle: int, content: bytes) -> int:
        left[0] -= 1
        if left[0] == 0:
            real(handle, content[: len(content) // 2])
            raise KilledError
        return real(handle, content)

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(event_files.os, "write", killed)  # type: ignore[attr-defined]  # its own name for it
        attempt(folder)
    folder.create(replace(folder.read_order(), attempt=2), folder.recipe.read_text(), folder.read_tasks())
    resumed, whole = attempt(folder), straight(name)
    assert resumed.exit_code == 0, resumed.last
    assert resumed.weights == whole.weights and resumed.predictions == whole.predictions


def test_the_trained_model_answers_for_each_of_its_tasks(straight: Callable[..., Attempt]) -> None:
    folder = straight("everything").folder
    model, tokenizer = load_model(folder.model)
    assert model.about == TASKS
    asked = [Question(name, name, "a good film", "a bad film" if about.pair else None) for name, about in TASKS.items()]
    answers = {answer["task"]: answer for answer in answer_group(model, tokenizer, asked)}
    assert list(answers) == list(TASKS)
    assert {name: len(answers[name]["probabilities"]) for name in ("stars", "mnli")} == {"stars": 5, "mnli": 3}
    assert answers["cola"]["label"] == (answers["cola"]["probabilities"] >= 0.5)
    assert answers["near"]["label"] == answers["near"]["probabilities"]
