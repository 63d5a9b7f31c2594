"""`bertmt verify-resume`: two real runs, one of them killed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bertmt.cli import output
from bertmt.cli.documents import DOCUMENTS
from bertmt.services.lifecycle.verify_resume import Verification, _comparison

SHORT = (
    "--preset", "sst-only", "--data", "toy", "--encoder", "tiny", "--set", "epochs=2", "--set", "epoch_steps=4",
    "--set", "evaluate_examples=20", "--set", "checkpoint_steps=2", "--set", "max_length=16", "--set", "batch_size=4",
)  # fmt: skip


def test_a_killed_run_is_shown_to_end_with_the_same_bytes(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("verify-resume", *SHORT, "--kills", "1", "--keep", "kept", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert set(found) - {"schema"} == set(DOCUMENTS["bertmt.verification/1"])
    assert (found["exact"], found["steps"], len(found["killed_at"])) == (True, 8, 1)
    compared = {each["what"]: each["compared"] for each in found["comparisons"]}
    assert compared["metric rows"] > 8 * 4 and compared["weights"] > 30 and compared["predictions"] == 3
    assert "optimizer" in compared and "random generators" in compared
    assert re.search(r"killed at step \d", outcome.err) is None, "that is for people"
    assert (folder / "kept" / "runs.db").is_file()
    assert not (folder / "runs.db").exists(), "the user's own registry is not touched"


def test_a_folder_that_holds_something_is_not_written_into(bertmt: Callable[..., Outcome], folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "precious").write_text("x")
    outcome = bertmt("verify-resume", *SHORT, "--keep", "mine")
    assert outcome.code == 2 and "empty or a new folder" in outcome.err


def test_what_differs_or_is_missing_is_named() -> None:
    found = _comparison("rows", {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4})
    assert (found.count, found.different) == (4, ("b", "c", "d"))


@pytest.mark.parametrize(("device", "said"), [("cpu", "processors of one kind"), ("A100", "deterministic=true")])
def test_the_conditions_under_which_it_holds_are_said(device: str, said: str) -> None:
    conditions = {"device": device, "precision": "fp32", "threads": 2, "torch": "2.13"}
    exact = _comparison("rows", {"a": 1}, {"a": 1})
    found = Verification(40, (5, 9), (None, 7), (1.0, 2.0), conditions, (exact,))
    assert found.is_exact and said in " ".join(found.sentences())
    assert "killed at step 5, resumed at the beginning, killed at step 9, resumed at step 7" in found.sentences()[0]


def test_a_difference_is_an_error_with_what_to_do_next(
    bertmt: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    different = _comparison("rows", {"loss at step 3": 1}, {"loss at step 3": 2})
    conditions = {"device": "cpu", "precision": "fp32", "threads": 2, "torch": "2.13"}
    found = Verification(4, (1,), (0,), (1.0, 2.0), conditions, (different,))
    monkeypatch.setattr("bertmt.services.lifecycle.verify_resume.verify_resume", lambda *_: found)
    monkeypatch.setattr(output, "table_width", lambda: 80)
    outcome = bertmt("verify-resume", *SHORT)
    assert outcome.code == 1 and "loss at step 3" in outcome.out
    assert "not bit-exact; --keep DIR" in outcome.err
