"""The child that predicts: JSON lines in, JSON lines out."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attempts import Attempt
from present import present

from bertmt.errors import UsageError
from bertmt.prediction.__main__ import main
from bertmt.prediction.answers import answer_stream
from bertmt.prediction.questions import read_groups
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import Example
from bertmt.tasks.scores import predicted_labels


def question(task: str, example: Example) -> dict[Any, Any]:
    return {"task": task, "id": example.id, "first": example.first, "second": example.second}


def ask(folder: RunFolder, questions: list[Any]) -> list[Any]:
    lines = [json.dumps(each).encode() if each else b"\n" for each in questions]
    with tempfile.TemporaryFile() as answers:
        answer_stream(folder, lines, answers)
        answers.seek(0)
        return [json.loads(line) for line in answers]


@pytest.mark.parametrize("settings", [{}, {"ensembling": True, "lora.rank": 4}], ids=["baseline", "ensembled lora"])
def test_dev_predictions_of_the_run_come_out_the_same(
    trained: Callable[..., Attempt], settings: dict[str, int]
) -> None:
    folder = trained(settings).folder
    for task in BUILTIN:
        examples = read_examples(folder.examples(task, "dev"))
        answers = ask(folder, [question(task, each) for each in examples])
        stored = read_predictions(folder.predictions(2, task, "dev"))
        assert [answer["id"] for answer in answers] == [example.id for example in examples]
        assert np.array_equal(
            np.array([answer["probabilities"] for answer in answers], dtype=np.float32), stored.probabilities
        )
        labels = predicted_labels(BUILTIN[task], stored.probabilities)
        assert np.array_equal([answer["label"] for answer in answers], labels)


def test_mixed_tasks_are_answered_in_the_order_of_the_questions(trained: Callable[..., Attempt]) -> None:
    folder = trained({}).folder
    examples = {task: read_examples(folder.examples(task, "dev"))[:4] for task in BUILTIN}
    asked = [question(task, examples[task][place]) for place in range(4) for task in BUILTIN]
    assert [(each["task"], each["id"]) for each in ask(folder, asked)] == [(each["task"], each["id"]) for each in asked]


def test_a_child_answers_at_an_empty_line_and_keeps_the_model(trained: Callable[..., Attempt]) -> None:
    folder = trained({}).folder
    command = [sys.executable, "-m", "bertmt.prediction", str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        for number in range(2):
            present(child.stdin).write(json.dumps({"task": "sst", "id": number, "first": "a lovely film"}) + "\n\n")
            present(child.stdin).flush()
            answer = json.loads(present(child.stdout).readline())
            assert answer["id"] == number and 0 <= answer["label"] <= 4 and len(answer["probabilities"]) == 5
        present(child.stdin).close()
    assert child.returncode == 0


def test_predicting_writes_nothing_into_the_run_folder(trained: Callable[..., Attempt]) -> None:
    folder = trained({}).folder
    before = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")}
    ask(folder, [{"task": "sst", "id": 1, "first": "a lovely film"}])
    assert {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")} == before


def test_a_run_without_a_kept_model_is_one_sentence_and_exit_code_2(
    trained: Callable[..., Attempt], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained({"keep_model": False}).folder
    assert main([str(folder.path)]) == 2
    error = capsys.readouterr().err
    assert "keep_model=false" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"no json", "Line 2 must be a JSON object"),
        (b"[]", "Line 2 must be a JSON object"),
        (b'{"task": "sts", "id": 1, "first": "a", "second": "b"}', "trained on sst, para only"),
        (b'{"task": "para", "id": 1, "first": "a"}', "Line 2 must have two texts"),
        (b'{"task": "sst", "id": 1, "first": "a", "second": "b"}', "Line 2 must have one text"),
        (b'{"task": "sst", "id": 1, "first": null}', "Line 2 must have one text"),
        (b'{"task": ["sst"], "id": 1, "first": "a"}', "Line 2 asks for the task"),
    ],
)
def test_what_is_no_question_is_refused_with_its_line(line: bytes, complaint: str) -> None:
    lines = [b'{"task": "sst", "id": 0, "first": "a"}', line]
    with pytest.raises(UsageError, match=complaint):
        list(read_groups(lines, {name: BUILTIN[name] for name in ("sst", "para")}))
