"""`bertmt find`: what the dashboard finds, run by run."""

import json
from collections.abc import Callable
from pathlib import Path

from command_outcome import Outcome
from registry_builder import HOSTILE

from bertmt.registry.file.opening import open_registry


def test_what_is_found_stands_below_its_run_and_draws_nothing(bertmt: Callable[..., Outcome], registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET note = 'look at line 33' WHERE name = 'better'")
    outcome = bertmt("find", "LINE 33")
    lines = outcome.out.splitlines()
    place = next(number for number, each in enumerate(lines) if " better " in each)
    assert lines[place + 1].split() == ["note", "look", "at", "line", "33"]
    assert lines[place + 2].split()[:4] == ["log", "1:34", "line", "33"]
    assert outcome.code == 0 and HOSTILE not in outcome.out and "\x1b" not in outcome.out


def test_a_filter_says_in_which_runs(bertmt: Callable[..., Outcome], registry: Path) -> None:
    found = json.loads(bertmt("find", "line 33", "--filter", "name:base", "--json").out)["found"]
    assert [(each["name"], each["where"], each["line"]) for each in found] == [("base", "log", 34)]


def test_sentences_are_told_once_with_how_many_runs_predicted_them(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    found = json.loads(bertmt("find", "question 5", "--json").out)["found"]
    assert {(each["task"], each["example"]) for each in found} == {("para", 5), *(("para", at) for at in range(50, 60))}
    assert all(each["other_runs"] for each in found)


def test_nothing_and_too_little_are_sentences(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert "Nothing was found." in bertmt("find", "nowhere at all").err
    outcome = bertmt("find", "x")
    assert outcome.code == 2 and "at least 2 characters" in outcome.err
