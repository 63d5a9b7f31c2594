"""`bertmt import-run`: what it says, and its exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.registry.database import SCHEMA_VERSION
from bertmt.registry.file.opening import open_registry


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The run folders of another registry."""
    builder = RegistryBuilder(tmp_path / "elsewhere" / "runs.db")
    for name in ("one", "two"):
        builder.finished(name)
    builder.database.close()
    folder = tmp_path / "elsewhere" / "runs"
    (folder / "worker.log").write_text("not a run")
    return folder


def test_all_of_a_folder_come_into_a_registry_that_is_made_for_them(
    bertmt: Callable[..., Outcome], folder: Path, elsewhere: Path
) -> None:
    outcome = bertmt("import-run", *map(str, elsewhere.iterdir()))
    assert outcome.code == 0, outcome.err
    assert [line.split()[1:] for line in outcome.out.splitlines()] == [
        ["one", "(seed", "0):", "finished"], ["two", "(seed", "0):", "finished"],
    ]  # fmt: skip
    assert {each["name"] for each in json.loads(bertmt("runs", "--json").out)["runs"]} == {"one", "two"}


def test_what_is_there_already_is_said_and_the_others_come_in(
    bertmt: Callable[..., Outcome], folder: Path, elsewhere: Path
) -> None:
    first, second = sorted(each for each in elsewhere.iterdir() if each.is_dir())
    assert bertmt("import-run", str(first)).code == 0
    outcome = bertmt("import-run", str(first), str(second))
    assert outcome.code == 4 and f"Run {first.name} is already here" in outcome.err
    assert outcome.out.startswith(second.name)


@pytest.mark.parametrize("place", ["nowhere", "runs.db", "."])
def test_what_is_no_run_folder_is_not_found(bertmt: Callable[..., Outcome], registry: Path, place: str) -> None:
    outcome = bertmt("import-run", place)
    assert outcome.code == 3 and "is not a run folder" in outcome.err and outcome.out == ""


@pytest.mark.parametrize("words", [["nowhere"], ["nowhere", "neither"], ["a", "b"]], ids=" ".join)
def test_no_registry_is_made_for_what_cannot_come_in(
    bertmt: Callable[..., Outcome], folder: Path, words: list[str]
) -> None:
    (folder / "a").write_text("a file")
    (folder / "b").write_text("another")
    assert bertmt("import-run", *words).code == 3
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]


def test_hostile_text_of_a_folder_reaches_no_terminal(
    bertmt: Callable[..., Outcome], folder: Path, elsewhere: Path
) -> None:
    first = next(each for each in elsewhere.iterdir() if each.is_dir())
    order = json.loads((first / "run.json").read_text())
    (first / "run.json").write_text(json.dumps(order | {"name": HOSTILE}))
    outcome = bertmt("import-run", str(first))
    assert outcome.code == 2 and "\x1b" not in outcome.err + outcome.out
    first = first.rename(first.with_name("\x1b[2J"))
    assert "\x1b" not in bertmt("import-run", str(first)).err


@pytest.mark.parametrize("command", ["backup", "import-run elsewhere", "restore base", "gc --yes"])
def test_a_registry_of_a_newer_version_is_a_sentence(
    bertmt: Callable[..., Outcome], registry: Path, command: str
) -> None:
    with open_registry(registry) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    outcome = bertmt(*command.split())
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1 and "newer bertmt" in outcome.err
