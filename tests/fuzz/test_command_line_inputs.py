"""Near-valid and random command lines over every command: a documented exit code, never a traceback; and where the
answer is no, the registry is as it was."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from command_lines import call, contents, restore
from hypothesis import event, given
from hypothesis import strategies as st
from mutations import WEIRD_TEXTS, damaged_text

from bertmt.cli.app import app
from bertmt.registry.database import sqlite3
from bertmt.registry.file.opening import open_registry

# What works a queue, waits, needs a network or a terminal.
LEFT_OUT = {"worker", "tui", "predict", "fetch", "search"}
FORBIDDEN = {"--work", "--wait", "-f", "--follow", "--install-completion", "--show-completion", "--hub"}
GROUP: Any = typer.main.get_command(app)
ALL = dict(GROUP.commands)
ALL |= {f"task {name}": command for name, command in ALL.pop("task").commands.items()}
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    for name, command in ALL.items()
}
COMMANDS = {name: sorted(options - FORBIDDEN) for name, options in OPTIONS.items() if name not in LEFT_OUT}
RUNS = st.sampled_from(
    ["base", "better", "twins", "evil", "gone", "silent", "later", "held", "nobody", "b", "", "twin"]
)
ORDINARY = """
    0 1 3 -1 1e9 99999999999999999999 toy tiny baseline final sst para counts rows metrics predictions loss/* dev/*
    -overall epochs=2 lora.rank=4 lora.rank=4,8 seed=1,2 tasks=sst nonsense=1 missing.toml recipe.toml data ~nobody
    night runs.db nowhere/runs.db ~nobody/runs.db -- - --json --yes state:finished
"""
WORDS = st.sampled_from([*ORDINARY.split(), "state:finished lora>0"])
ARGUMENTS = RUNS | WORDS | WEIRD_TEXTS | damaged_text(WORDS, 1)
# What every command needs to come as far as its service.
USUAL = {
    "queue": "--preset baseline --data toy --encoder tiny",
    "init": "--data toy",
    "show": "base",
    "recipe": "--preset final",
    "logs": "base",
    "find": "line",
    "curves": "base",
    "confusion": "base",
    "baseline": "base",
    "compare": "base twins",
    "cancel": "later held",
    "requeue": "gone evil",
    "rm": "gone --yes",
    "hold": "later",
    "release": "held",
    "move": "held --first",
    "edit": "later --set epochs=3",
    "note": "base x",
    "tag": "base night",
    "export": "base",
    "wait": "base",
    "runs": "--sort sst",
    "task add": "mine --train train.csv --dev dev.csv",
    "task show": "sst",
    "task rm": "mine",
    "task audit": "sst --data toy --encoder tiny",
}

# The second run is one that cannot: then the first stays as it was.
ALL_OR_NONE = (
    "cancel later base", "hold later base", "release held base", "move later base --first", "requeue gone base",
    "edit later base --set epochs=3", "tag base gone --remove x",
)  # fmt: skip
STRANGE = (
    "runs --db ~nobody/runs.db", "queue --preset baseline --data toy --db ~nobody/runs.db", "note base \ud800",
    "tag base \ud800", "show \ud800", "curves base --width 1000000000", "confusion base --epoch 99999999999999999999",
)  # fmt: skip


@st.composite
def command_lines(draw: st.DrawFn) -> list[Any]:
    """A command with its usual arguments, most of them, and options and words of any kind."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    words = [word for word in USUAL.get(name, "").split() if draw(st.integers(0, 9))]
    for _ in range(draw(st.integers(0, 4))):
        has_option = bool(COMMANDS[name]) and bool(draw(st.booleans()))
        option = [draw(st.sampled_from(COMMANDS[name]))] if has_option else []
        words += [*option, *([draw(ARGUMENTS)] if draw(st.booleans()) else [])]
    if draw(st.integers(0, 9)) == 0:
        words = draw(st.permutations(words))
    if draw(st.integers(0, 9)) == 0:
        words += ["--db", draw(ARGUMENTS)]
    return [*([draw(ARGUMENTS)] if draw(st.integers(0, 30)) == 0 else name.split()), *words]


def is_left_out(words: Any) -> bool:
    """Whether it might work a queue, wait for runs that nobody works, or reach a command that is left out."""
    waits = words[0] == "wait" and any(word[:1] in ("l", "h", "s") or not word for word in words[1:])
    beginnings = ("--wo", "--wa", "--fo", "--inst", "--show-c", "-f", "--hu")  # an option may be cut short
    named = bool({*words} & {*LEFT_OUT, *FORBIDDEN})
    return waits or named or any(word.startswith(beginnings) for word in words)


@pytest.fixture
def template(place: Path) -> Path:
    """A copy of the current folder as it is before each command line."""
    (place / "recipe.toml").write_text('encoder = "tiny"\ndata = "toy"\nepochs = 2\n')
    with open_registry(place / "runs.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return shutil.copytree(place, place.with_name("template"))


def check(template: Path, place: Path, words: Any) -> int:
    """Run a command line in a fresh folder; its exit code."""
    restore(template, place)
    before = contents(sqlite3.connect(place / "runs.db"))
    code, _, _ = call(*words)
    with open_registry(place / "runs.db") as database:
        assert code == 0 or contents(database) == before, "an error changed the registry"
    return code


@given(words=command_lines().filter(lambda words: not is_left_out(words)))
def test_any_command_line_ends_with_its_exit_code_and_a_no_changes_nothing(
    template: Path, place: Path, words: Any
) -> None:
    event(f"exit code {check(template, place, words)}")


def test_a_command_on_several_runs_of_which_one_cannot_changes_none(template: Path, place: Path) -> None:
    assert all(check(template, place, line.split()) != 0 for line in ALL_OR_NONE)


def test_what_no_person_would_type_ends_with_an_exit_code(template: Path, place: Path) -> None:
    for line in STRANGE:
        check(template, place, line.split())
