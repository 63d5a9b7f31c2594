"""`bertmt predict`: the child is a stand-in that speaks the protocol."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.registry.records import Run
from bertmt.services.analysis.predict import Question, answers

# Answers each line in order; SST: class 3, PARA: the length of the first text decides, STS: 0.5.
CHILD = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    odd = len(asked["first"]) % 2
    known = {"sst": (3, [0.0, 0.1, 0.2, 0.6, 0.1]), "para": (odd, odd * 0.75), "sts": (0.5, 0.5)}
    label, probabilities = known[asked["task"]]
    print(json.dumps({"task": asked["task"], "id": asked["id"], "label": label, "probabilities": probabilities}))
"""


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets `predict` ask the stand-in, or another program."""

    def use(program: str = CHILD) -> None:
        monkeypatch.setattr("bertmt.launchers.prediction.PREDICTION_COMMAND", (sys.executable, "-c", program))

    use()
    return use


@pytest.fixture
def trained(registry: Path, run_named: Callable[..., Run]) -> Run:
    """`base` with the folder of a model."""
    run = run_named("base")
    (registry.parent / "runs" / run.id / "model").mkdir()
    return run


def test_one_sentence_is_for_sst_and_two_for_the_pairs(
    bertmt: Callable[..., Outcome], trained: Run, child: Callable[..., None]
) -> None:
    one = bertmt("predict", "base", "a lovely film").out
    assert one.startswith("SST: 3 somewhat positive\n")
    assert "60.0 %  somewhat positive" in one
    two = bertmt("predict", "base", "odd", "other").out
    assert two == "PARA: paraphrase (paraphrase 75.0 %)\nSTS: cosine 0.500 (−1 to 1; 1 is the same meaning)\n"


@pytest.mark.parametrize("read", ["joint", "both"])
def test_what_a_head_has_a_part_in_is_no_cosine(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, trained: Run, child: Callable[..., None], read: str
) -> None:
    recipe = json.dumps({**trained.recipe, "pair_input": read})
    builder.database.execute("UPDATE runs SET recipe = ? WHERE key = ?", (recipe, trained.key))
    two = bertmt("predict", "base", "odd", "other").out
    assert two.endswith("STS: 2.500 (labels go from 0 to 5)\n")


def test_answers_as_json(bertmt: Callable[..., Outcome], trained: Run, child: Callable[..., None]) -> None:
    document = json.loads(bertmt("predict", "base", "a lovely film", "--json").out)
    assert document["schema"] == "bertmt.predictions/1"
    assert document["run"] == trained.id
    assert document["predictions"] == [{"task": "sst", "label": 3, "probabilities": [0.0, 0.1, 0.2, 0.6, 0.1]}]


def test_a_split_becomes_the_courses_three_files(
    bertmt: Callable[..., Outcome], folder: Path, trained: Run, child: Callable[..., None]
) -> None:
    outcome = bertmt("predict", "base", "--split", "test", "--out", "predictions")
    assert outcome.code == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in (folder / "predictions").iterdir()}
    assert set(written) == {f"{task}-test-output.csv" for task in ("sst", "para", "sts")}
    lines = written["sst-test-output.csv"].splitlines()
    assert lines[0] == "id \t Predicted_Sentiment "
    assert lines[1].endswith(" , 3 ")
    assert len(lines) == 401
    assert "400 predictions" in outcome.out


def test_tasks_that_were_not_trained_get_no_file_and_that_is_said(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, child: Callable[..., None]
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run = builder.finished("one", "sst-only")
    (registry.parent / "runs" / run.id / "model").mkdir()
    outcome = bertmt("predict", "one", "--split", "dev")
    assert "No file for para, sts" in outcome.err
    assert bertmt("predict", "one", "two", "sentences").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["base"], 2),
        (["base", "a", "--split", "dev"], 2),
        (["base", "a", "b", "c"], 2),
        (["base", " "], 2),
        (["base", "--split", "train"], 2),
        (["later", "a"], 4),
        (["better", "a"], 3),
        (["nobody", "a"], 3),
    ],
)
def test_what_cannot_be_predicted_has_its_exit_code(
    bertmt: Callable[..., Outcome], trained: Run, child: Callable[..., None], arguments: list[str], code: int
) -> None:
    assert bertmt("predict", *arguments).code == code


def test_a_child_that_fails_is_heard(bertmt: Callable[..., Outcome], trained: Run, child: Callable[..., None]) -> None:
    child("import sys; sys.stderr.write('bertmt: the weights are \\x1b[31mdamaged\\n'); sys.exit(1)")
    outcome = bertmt("predict", "base", "a lovely film")
    assert outcome.code == 1
    assert "The prediction failed: the weights are �[31mdamaged" in outcome.err


@pytest.mark.parametrize("program", ["pass", "print('no json')", "print('[1]')", "print('{}')"])
def test_an_answer_that_is_none_is_a_sentence(
    bertmt: Callable[..., Outcome], trained: Run, child: Callable[..., None], program: str
) -> None:
    child(program)
    outcome = bertmt("predict", "base", "a lovely film")
    assert outcome.code == 1
    assert "Traceback" not in outcome.err


def test_more_questions_than_a_pipe_holds_are_answered_in_order(child: Callable[..., None], tmp_path: Path) -> None:
    questions = [Question("sst", str(number), "x" * 100) for number in range(5000)]
    found = answers(tmp_path, (), questions)
    assert [each.id for each in found] == [each.id for each in questions]
