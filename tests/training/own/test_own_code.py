"""Losses and heads of a user's own: what they are given, what they must give, and whose code is run."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from attempts import Attempt

from bertmt.launchers.own_code import try_own_code
from bertmt.launchers.prediction import ask_prediction
from bertmt.models.saving import load_model
from bertmt.own_code.check import check_own_code
from bertmt.own_code.loading import OwnCodeError, OwnLosses, load, load_heads
from bertmt.recipe.own_code import OwnCode, digest_of, with_digests
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Step
from bertmt.run_folder.layout import RunFolder
from bertmt.tasks import definitions

SOURCE = """
import torch

def small(embeddings):
    first = embeddings[0] if isinstance(embeddings, tuple) else embeddings
    return first.square().mean()

def confident(predictions, labels, task, weight):
    assert task.name and weight
    return predictions.square().mean() + 0 * labels.sum()

class Wide(torch.nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(torch.nn.Linear(inputs, 9), torch.nn.Tanh(), torch.nn.Linear(9, outputs))

def vector(predictions): return predictions
def infinite(predictions): return predictions.sum() / 0
def constant(labels): return labels.sum()
def failing(predictions): return predictions.nothing
def asking(logits): return logits.sum()
def narrow(inputs, outputs): return torch.nn.Linear(inputs, outputs + 1)
def no_module(inputs, outputs): return 3
not_callable = 1
"""


def submitted(folder: Path, source: str = SOURCE, **values: Any) -> Recipe:
    """A recipe with the digest of its file, whose source lies in the folder."""
    (folder / f"{digest_of(source.encode())}.py").write_text(source)
    return with_digests(recipe_from(values), {"mine.py": digest_of(source.encode())})


@pytest.mark.parametrize("loss", ["mine.py:small", "mine.py:confident sst 0.5", "mine.py:small sts -2"])
def test_good_losses_pass(tmp_path: Path, loss: str) -> None:
    check_own_code(submitted(tmp_path, losses=loss), tmp_path)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("vector", "must return a single number as a tensor, but gave a tensor of shape (4, 5)"),
        ("infinite", "no finite number"),
        ("constant", "has no gradient: it must be computed from predictions or embeddings"),
        ("failing", "failed: AttributeError: 'Tensor' object has no attribute 'nothing' (line 19)"),
        ("asking", "must take some of predictions, labels, embeddings, task, weight, but takes logits"),
        ("missing", "mine.py defines no function or class missing"),
        ("not_callable", "mine.py defines no function or class not_callable"),
    ],
)
def test_bad_losses_get_a_sentence(tmp_path: Path, loss: str, said: str) -> None:
    with pytest.raises(OwnCodeError) as caught:
        check_own_code(submitted(tmp_path, losses=f"mine.py:{loss} sst"), tmp_path)
    assert said in str(caught.value) and "mine.py" in str(caught.value)


@pytest.mark.parametrize("end", ["import sys; sys.exit(0)", "import os; os._exit(0)"])
def test_a_loss_that_ends_the_process_has_not_passed(end: str) -> None:
    source = f"def f(predictions):\n    {end}\n"
    digest = digest_of(source.encode())
    recipe = with_digests(recipe_from({"losses": "mine.py:f"}), {"mine.py": digest})
    asked = {
        "recipe": recipe.flat(),
        "tasks": json.loads(definitions.to_json(recipe.trained())),
        "sources": {digest: source},
    }
    said = try_own_code(asked)
    assert "failed: SystemExit: 0 (line 2)" in said or "ended the process that tries them, with code 0" in said


@pytest.mark.parametrize(
    ("head", "said"), [("narrow", "but gave (2, 6)"), ("no_module", "must give a torch.nn.Module")]
)
def test_bad_heads_get_a_sentence(tmp_path: Path, head: str, said: str) -> None:
    recipe = submitted(tmp_path, **{"head.sst.module": f"mine.py:{head}"})
    with pytest.raises(OwnCodeError, match=r"mine\.py") as caught:
        check_own_code(recipe, tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax (line 1)"),
        ("import nothing_of_that_name\n", "(line 1)"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0 (line 2)"),
    ],
)
def test_a_file_that_cannot_be_loaded_gets_a_sentence(tmp_path: Path, source: str, said: str) -> None:
    recipe = submitted(tmp_path, source, losses="mine.py:f")
    with pytest.raises(OwnCodeError, match=r"mine\.py cannot be loaded") as caught:
        OwnLosses(recipe, tmp_path)
    assert said in str(caught.value)


def test_a_source_that_is_not_the_submitted_one_is_not_run(tmp_path: Path) -> None:
    recipe = submitted(tmp_path, losses="mine.py:small")
    digest = digest_of(SOURCE.encode())
    (tmp_path / f"{digest}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n{SOURCE}")
    with pytest.raises(OwnCodeError, match="not the one that the run was submitted with"):
        OwnLosses(recipe, tmp_path)
    assert not (tmp_path / "run").exists()


def test_a_loss_is_added_with_its_weight_to_its_task_alone(tmp_path: Path) -> None:
    losses = OwnLosses(submitted(tmp_path, losses="mine.py:small sst 0.5"), tmp_path)
    assert not losses.of("para")
    [loss] = losses.of("sst")
    task = recipe_from({}).task("sst")
    embeddings = torch.full((4, 3), 2.0)
    assert loss(task, torch.zeros(4, 5), torch.zeros(4), [embeddings]).item() == 0.5 * 4.0


def test_a_head_is_made_from_the_seed_and_in_the_shape_of_the_task(tmp_path: Path) -> None:
    recipe = submitted(tmp_path, **{"head.para.module": "mine.py:Wide"})
    head = load_heads(recipe, tmp_path)["para"](10, 1)
    assert [tuple(each.shape) for each in head.parameters()] == [(9, 10), (9,), (1, 9), (1,)]


def with_own_code(prepare: Callable[..., RunFolder], **values: Any) -> RunFolder:
    digest = digest_of(SOURCE.encode())
    marked = with_digests(recipe_from(values), {"mine.py": digest}).flat()
    folder = prepare({name: marked[name] for name in values})
    folder.code.mkdir()
    (folder.code / f"{digest}.py").write_text(SOURCE)
    return folder


def first_losses(folder: RunFolder) -> dict[str, Any]:
    return dict(next(each for each in read_events(folder.events(1))[0] if isinstance(each, Step)).values)


def test_a_run_trains_with_them_and_its_model_loads(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], trained: Callable[..., Attempt]
) -> None:
    folder = with_own_code(
        prepare, **{"losses": "mine.py:small sst 3", "head.para.module": "mine.py:Wide", "epoch_steps": 1, "epochs": 1}
    )
    assert attempt(folder).exit_code == 0
    plain = first_losses(trained({"epoch_steps": 1, "epochs": 1}).folder)
    own = first_losses(folder)
    assert own["loss/sst"] > plain["loss/sst"] and own["loss/sts"] == plain["loss/sts"]
    for allowed in ((), ("0" * 16,)):
        with pytest.raises(OwnCodeError, match=r"The head of para, mine\.py, is not what the run was submitted with"):
            load_model(folder.model, allowed)
    question = b'{"task": "para", "id": 1, "first": "a", "second": "b"}'
    for allowed, code in (((), 2), ((digest_of(SOURCE.encode()),), 0)):
        ended = ask_prediction(folder.path, allowed, question)
        assert ended.code == code, ended.complaints
    model, _ = load_model(folder.model, [digest_of(SOURCE.encode())])
    heads: Any = model.heads
    assert [type(each).__name__ for each in heads["para"]] == ["Linear", "Tanh", "Linear"]


def test_the_trial_child_ends_with_a_sentence(tmp_path: Path) -> None:
    recipe = submitted(tmp_path, losses="mine.py:failing")
    asked = {
        "recipe": recipe.flat(),
        "tasks": json.loads(definitions.to_json(recipe.trained())),
        "sources": {digest_of(SOURCE.encode()): SOURCE},
    }
    ended = subprocess.run(
        [sys.executable, "-m", "bertmt.own_code"], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "") and ended.stderr.count("\n") == 1
    assert "failing of mine.py failed" in ended.stderr


def test_a_missing_source_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OwnCodeError, match=r"mine\.py cannot be read from"):
        load(tmp_path, OwnCode("mine.py", "small", "0" * 16))
