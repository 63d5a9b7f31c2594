"""What `make` and continuous integration run; nothing is run here, the commands are only listed."""

import os
import re
import shutil
import subprocess

import pytest

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="NO MAKE: the Makefile was not checked")


def commands_of(repository, target):
    done = subprocess.run(["make", "--dry-run", target], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_make
def test_make_test_runs_linter_formatter_types_and_tests(repository):
    commands = commands_of(repository, "test")
    for command in ("ruff check .", "ruff format --check .", "mypy", "pytest"):
        assert command in commands


@needs_make
def test_a_second_demo_trains_what_the_first_has_finished(repository):
    [queueing] = [line for line in commands_of(repository, "demo").splitlines() if "bertmt queue " in line]
    assert " --again " in queueing


def test_continuous_integration_runs_make_test_and_stops_at_the_first_failure(repository):
    script = repository / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"


@needs_make
def test_every_target_is_in_the_help_and_every_line_of_the_help_is_a_target(repository):
    text = (repository / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()) - {"help"}
    shown = set(re.findall(r'@echo "make (\w+) ', text))
    assert shown == phony
    for target in sorted(phony):
        commands_of(repository, target)


def test_the_pinned_torch_is_one_that_the_project_admits(repository):
    pinned = re.search(
        r"^torch==(\d+)\.(\d+)", (repository / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    floor = re.search(r'"torch>=(\d+)\.(\d+)"', (repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(map(int, pinned.groups())) >= tuple(map(int, floor.groups()))
