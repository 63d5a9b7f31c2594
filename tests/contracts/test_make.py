"""What `make` and continuous integration run; nothing is run here, the commands are only listed."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from present import present

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="NO MAKE: the Makefile was not checked")


def commands_of(repository: Path, target: Any, *variables: Any) -> str:
    done = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.installed", target, *variables],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_make
def test_make_test_runs_linter_formatter_types_and_tests(repository: Path) -> None:
    commands = commands_of(repository, "test")
    for command in ("ruff check .", "ruff format --check .", "mypy", "pytest"):
        assert command in commands


@needs_make
@pytest.mark.parametrize("target", ["demo", "test"])
def test_what_the_two_commands_install_is_held_to_the_hashes_of_the_lock(repository: Path, target: str) -> None:
    """Only torch is not, which its version alone pins; nothing else is resolved, and no build fetches anything."""
    command = ["make", "--dry-run", "--assume-new=requirements.lock", target]
    own = {name: value for name, value in os.environ.items() if name not in ("LOCK", "MAKEFLAGS", "MAKEOVERRIDES")}
    done = subprocess.run(command, cwd=repository, env=own, capture_output=True, text=True)
    locked, torch, project = [
        line for line in done.stdout.replace("\\\n", "").splitlines() if " -m pip install " in line
    ]
    assert " --no-deps --require-hashes -r requirements.lock " in locked
    assert torch.endswith(' -c constraints.txt "$torch"')
    assert project.endswith(" --no-deps --no-build-isolation -e .")


@needs_make
def test_make_demo_is_the_command_of_that_name_in_its_own_folder(repository: Path) -> None:
    commands = commands_of(repository, "demo", "EPOCHS=6")
    assert re.search(r"^\S*bertmt demo --dir demo --set epochs=6 --set epoch_steps=\d+$", commands, re.MULTILINE)


def test_continuous_integration_runs_make_test_and_stops_at_the_first_failure(repository: Path) -> None:
    script = repository / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"


@needs_make
def test_make_fuzz_hands_its_inputs_and_its_seed_to_hypothesis(repository: Path) -> None:
    commands = commands_of(repository, "fuzz", "INPUTS=300", "SEED=7")
    assert re.search(r"^INPUTS=300 ", commands, re.MULTILINE)
    assert "--hypothesis-profile=fuzz" in commands and "--hypothesis-seed=7" in commands


@needs_make
def test_every_target_is_in_the_help_and_every_line_of_the_help_is_a_target(repository: Path) -> None:
    text = (repository / "Makefile").read_text(encoding="utf-8")
    phony = set(present(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE))[1].split()) - {"help"}
    shown = set(re.findall(r'@echo "make ([\w-]+) ', text))
    assert shown == phony
    for target in sorted(phony):
        commands_of(repository, target)


def test_the_pinned_torch_is_one_that_the_project_admits(repository: Path) -> None:
    pinned = re.search(
        r"^torch==(\d+)\.(\d+)", (repository / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    floor = re.search(r'"torch>=(\d+)\.(\d+)"', (repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(map(int, present(pinned).groups())) >= tuple(map(int, present(floor).groups()))
