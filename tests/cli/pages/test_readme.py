"""The commands that README.md shows are commands, with options that they have, and presets that there are."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bertmt.cli.app import app
from bertmt.recipe.loading import preset

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def command_lines() -> list[str]:
    """What is typed at a prompt: lines of fenced blocks without their comments, and code spans."""
    lines = [line.partition("  #")[0] for block in FENCED.findall(README) for line in block.splitlines()]
    spans = SPAN.findall(re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL))
    found = [line.strip() for line in [*lines, *spans] if line.startswith("bertmt ")]
    return list(dict.fromkeys(found))


def understand(line: str) -> None:
    """Let the command read its words, and do nothing.

    Raises:
        Exception: it has no such name or option; one that is named without what it needs is fine.
    """
    _, *words = shlex.split(line)
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    try:
        command.make_context("it", words)
    except Exception as problem:
        if type(problem).__name__ != "MissingParameter":
            raise


def test_the_readme_shows_commands() -> None:
    assert len(command_lines()) > 25


@pytest.mark.parametrize("line", command_lines())
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    understand(line)


@pytest.mark.parametrize("line", ["bertmt nothing", "bertmt runs --nothing"])
def test_what_is_no_command_would_be_seen(line: str) -> None:
    with pytest.raises(Exception, match="nothing"):
        understand(line)


def test_what_changes_a_mind_is_a_row_of_commands() -> None:
    [row] = [line for line in README.splitlines() if line.startswith("| to change your mind")]
    for span in SPAN.findall(row):
        understand(f"bertmt {span.removeprefix('bertmt ')}".replace("…", "epochs=1"))


def test_presets_that_the_readme_names_are_there() -> None:
    named = set(re.findall(r"--preset ([\w-]+)", README)) - {"NAME"}
    assert len(named) >= 3
    for each in named:
        preset(each)
