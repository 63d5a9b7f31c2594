"""`bertmt repair`, and that a damaged registry leads to it."""

import json
import os

import pytest

from bertmt.services.upkeep.repair import Repaired


@pytest.mark.parametrize("command", ["runs", "backup", "gc", "restore base", "import-run elsewhere", "show base"])
def test_a_damaged_registry_is_one_sentence_that_names_the_next_step(bertmt, registry, command):
    registry.write_bytes(os.urandom(20_000))
    outcome = bertmt(*command.split())
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1 and "`bertmt repair`" in outcome.err and "Traceback" not in outcome.err


def test_it_says_run_by_run_what_was_saved_from_where(bertmt, registry):
    listed = json.loads(bertmt("runs", "--json").out)["runs"]
    # One has a name that no command gives; those that wait have no folder.
    expected = {run["id"] for run in listed if run["state"] == "finished"}
    registry.write_bytes(os.urandom(20_000))
    outcome = bertmt("repair")
    assert outcome.code == 0 and "runs-damaged-" in outcome.err and "its name is" in outcome.err
    assert {line.split()[0] for line in outcome.out.splitlines()[1:]} == expected
    assert all(line.endswith("folder") for line in outcome.out.splitlines()[1:])
    assert "Nothing is wrong" in bertmt("repair").err


def test_where_there_is_nothing_it_says_so(bertmt, folder):
    outcome = bertmt("repair")
    assert outcome.code == 3 and "neither a registry" in outcome.err
    assert list(folder.iterdir()) == []


def test_of_many_runs_that_could_not_be_saved_three_are_named(bertmt, folder, monkeypatch):
    done = Repaired(("torn",), folder / "kept", (), (), ("a", "b", "c", "d", "e"))
    monkeypatch.setattr("bertmt.services.upkeep.repair.repair", lambda registry: done)
    assert ": a, b, c and 2 more." in bertmt("repair").err
