"""What the shell offers on Tab."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bertmt.cli import completion
from bertmt.registry.file import quick_look
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.browse.suggestions import run_words, tag_words


def complete(folder: Path, line: str) -> list[str]:
    """What bash offers at the end of the line."""
    words = line.split(" ")
    environment = os.environ | {
        "_BERTMT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1),
    }  # fmt: skip
    program = "import sys; from bertmt.cli.main import main; sys.argv[0] = 'bertmt'; main()"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("bertmt show bet", ["better"]),
        ("bertmt compare base be", ["better"]),
        ("bertmt queue --preset lora-r2", ["lora-r20", "lora-r200", "lora-r20-all", "lora-r200-all"]),
        ("bertmt queue --set epo", ["epochs=", "epoch=", "epoch_steps="]),
        ("bertmt queue --encoder ti", ["tiny"]),
        ("bertmt queue --from lat", ["later"]),
        ("bertmt can", ["cancel"]),
        ("bertmt task au", ["audit"]),
        ("bertmt task show p", ["para"]),
        ("bertmt queue --set tasks=sst,", ["tasks=sst,para", "tasks=sst,sts"]),
    ],
)
def test_the_shell_is_offered_what_there_is(registry: Path, line: str, offered: list[str]) -> None:
    with open_registry(registry) as database:
        ids = {run.id for run in all_runs(database)}  # random: one may begin with what is typed here
    assert set(complete(registry.parent, line)) - ids == set(offered)


def test_completion_makes_no_registry(folder: Path) -> None:
    assert complete(folder, "bertmt show x") == []
    assert list(folder.iterdir()) == []


def test_ids_and_names_are_offered_newest_first_and_never_what_a_shell_would_read(
    registry: Path, run_named: Callable[..., Run]
) -> None:
    words = run_words(registry)
    assert words.index("held") < words.index("base")
    assert run_named("base").id in words
    assert not any("evil" in word for word in words)


def test_tags_are_offered(registry: Path, bertmt: Callable[..., Outcome]) -> None:
    bertmt("tag", "base", "keep")
    assert tag_words(registry) == ["keep"]


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 5000])
def test_a_file_that_is_no_registry_offers_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "runs.db").write_bytes(content)
    assert run_words(tmp_path / "runs.db") == []
    assert run_words(tmp_path / "missing.db") == []


def test_a_registry_of_another_version_is_left_alone(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_look, "SCHEMA_VERSION", 99)
    assert run_words(registry) == []


def test_a_locked_registry_is_not_waited_for(registry: Path) -> None:
    other = sqlite3.connect(registry, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert isinstance(run_words(registry), list)
    other.close()


def test_an_error_while_completing_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.recipe.encoders.KNOWN_ENCODERS", 0)
    assert completion.encoders("x") == []
