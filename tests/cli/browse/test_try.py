"""`bertmt try`: its child is a stand-in that speaks the protocol."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from trying import keep_models, use_stand_in

from bertmt.cli.documents import DOCUMENTS


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_stand_in(monkeypatch, tmp_path / "asked")


def test_runs_answer_side_by_side_and_those_without_a_model_say_so(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    keep_models(registry, "base", "better")
    outcome = bertmt("try", "base", "better", "later", "--sentence", "a bad film", "--words")
    assert "negative" in outcome.out and outcome.out.count("◂") == 2 and "word by word" in outcome.out
    assert "bad" in outcome.out and "-0.5" in outcome.out.replace("−", "-")
    assert "has no trained weights" in outcome.err and outcome.code == 0


def test_answers_as_json(bertmt: Callable[..., Outcome], registry: Path) -> None:
    base, better = keep_models(registry, "base", "better")
    document = json.loads(bertmt("try", "base", "better", "--sentence", "a man", "--pair", "men", "--json").out)
    assert document["schema"] == "bertmt.tried/1" and set(document) - {"schema"} == set(DOCUMENTS["bertmt.tried/1"])
    found = [(each["run"], each["task"], each["label"], each["class"]) for each in document["answers"]]
    assert found[:2] == [(base, "para", 1, "paraphrase"), (base, "sts", 2.5, None)]
    assert document["answers"][0]["probabilities"] == [0.25, 0.75] and document["answers"][1]["probabilities"] == []
    assert [each["text"] for each in document["answers"][0]["words"]] == ["a", "man", "men"]
    assert {each["run"] for each in document["answers"]} == {base, better} and document["refused"] == {}


@pytest.mark.parametrize(
    ("sentence", "said"),
    [("", "must not be empty"), ("x" * 2001, "at most, not 2,001"), ("fail", "No memory is left: ask fewer runs."),
     ("die", "ended by signal 9")],
)  # fmt: skip
def test_what_goes_wrong_is_one_sentence(
    bertmt: Callable[..., Outcome], registry: Path, sentence: str, said: str
) -> None:
    keep_models(registry, "base")
    outcome = bertmt("try", "base", "--sentence", sentence)
    assert said in outcome.err and outcome.err.count("\n") == 1 and outcome.code


def test_where_no_run_kept_a_model_all_say_why(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("try", "base", "later", "--sentence", "a film")
    assert outcome.code and "has no weights" in outcome.err and "has no trained weights" in outcome.err
