"""The commands that README.md shows are commands, with options that they have."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer
from click import Command, Context, Group, MissingParameter, UsageError
from typer.main import get_command

from bertmt.cli.app import app

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def command_lines() -> list[str]:
    """What is typed at a prompt: lines of fenced blocks without their comments, and code spans."""
    lines = [line.partition("  #")[0] for block in FENCED.findall(README) for line in block.splitlines()]
    spans = SPAN.findall(re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL))
    found = [line.strip() for line in [*lines, *spans] if line.startswith("bertmt ")]
    return list(dict.fromkeys(found))


def command(name: str) -> Command:
    group = get_command(app)
    assert isinstance(group, Group)
    found = group.get_command(Context(group), name)
    assert found is not None, f"bertmt {name} is no command"
    return found


def test_the_readme_shows_commands() -> None:
    assert len(command_lines()) > 25


@pytest.mark.parametrize("line", command_lines())
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    _, name, *words = shlex.split(line)
    found: Command = command(name)
    while isinstance(found, Group) and words:
        inner = found.get_command(Context(found), words.pop(0))
        assert inner is not None, line
        found = inner
    try:
        found.make_context(name, list(words))
    except MissingParameter:
        pass  # it is named, not typed
    except (click.exceptions.Exit, typer.Exit):
        pass
    except UsageError as problem:
        pytest.fail(f"{line}: {problem.format_message()}")


def test_words_that_stand_alone_in_the_row_about_a_change_of_mind_are_commands() -> None:
    [row] = [line for line in README.splitlines() if line.startswith("| to change your mind")]
    for span in SPAN.findall(row):
        command(span.removeprefix("bertmt ").split()[0])


def test_the_first_file_that_is_typed_has_every_preset_that_the_readme_names() -> None:
    from bertmt.recipe.loading import preset  # noqa: PLC0415 - beside its use

    named = set(re.findall(r"--preset ([\w-]+)", README)) - {"NAME"}
    assert len(named) >= 3
    for each in named:
        preset(each)
