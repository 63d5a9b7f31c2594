"""The tally of the fuzzer counts what was run, and fails where a sentence is none."""

import ast
from pathlib import Path

import pytest
from fuzzing import ROWS, TARGETS, Row, Shard, is_sentence, merged, shards, tally_lines
from hypothesis import strategies as st

from bertmt.errors import UsageError


@pytest.fixture
def shard(monkeypatch):
    monkeypatch.setitem(ROWS, "a target", Row())
    return Shard("a target", 0, 20)


def test_every_input_and_every_outcome_is_counted(shard):
    def check(number):
        if number % 2:
            raise UsageError(f"{number} is odd: take another.")

    shard.run(st.integers(0, 10**6), check)
    row = ROWS["a target"]
    assert row.inputs == sum(row.outcomes.values()) == 20
    assert set(row.outcomes) == {"success", "UsageError: # is odd take another"}


@pytest.mark.parametrize("problem", [ValueError("a traceback."), UsageError("no end"), UsageError("two\n\nlines.")])
def test_what_is_no_sentence_fails(shard, problem):
    def check(_):
        raise problem

    with pytest.raises((ValueError, AssertionError)):
        shard.run(st.booleans(), check)
    assert ROWS["a target"].failures > 0


def test_a_sentence_is_not_empty_not_endless_and_ends():
    assert is_sentence("It is so.") and is_sentence("It is.\nSo it is; type `bertmt runs`")
    assert not any(is_sentence(each) for each in ("", "It is", "It is.\n", "x" * 3000 + "."))


def test_all_inputs_are_shared_out_among_targets_that_there_are(monkeypatch):
    monkeypatch.setenv("BERTMT_FUZZ_INPUTS", "100000")
    assert sum(shard.inputs for target in TARGETS for shard in shards(target)) == 100_000
    files = list(Path(__file__).parent.glob("test_*_inputs.py"))
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    used = [ast.literal_eval(call.args[0]) for call in calls if getattr(call.func, "id", "") == "shards"]
    assert sorted(used) == sorted(TARGETS)


def test_tallies_of_several_processes_are_added():
    part = {"filter": Row(2, 1, 0.5, Row().outcomes.__class__(success=2))}
    lines = tally_lines(merged([part, part]))
    assert [line.split() for line in lines[1:]] == [
        ["filter", "4", "1", "2", "1.0"], ["4", "success"], ["all", "4", "2", "1.0"],
    ]  # fmt: skip
