"""A registry that may only be read: every reading command works, and nothing is written, not even beside it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.registry.file.opening import open_registry

READING = (
    ["runs"],
    ["runs", "--filter", "state:running | lora>0", "--json"],
    ["show", "better"],
    ["show", "base"],
    ["logs", "better"],
    ["find", "line 3"],
    ["curves", "better"],
    ["confusion", "better"],
    ["compare", "twins", "better"],
    ["baseline"],
    ["workers"],
    ["searches"],
    ["doctor"],
    ["gc"],
)
WRITING = (
    ["tag", "better", "x"],
    ["note", "better", "seen"],
    ["baseline", "better"],
    ["rm", "better", "--yes"],
    ["restore", "better"],
    ["import-run", "elsewhere"],
    ["queue", "--preset", "sst-only", "--data", "toy", "--set", "encoder=tiny"],
)


@pytest.fixture
def unwritable(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry as one sees it who may not write it, with a run whose events nobody has imported."""
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'running', events_offset = 0 WHERE name = 'base'")
    monkeypatch.setattr("bertmt.registry.file.opening._is_writable", lambda path: False)
    return registry


@pytest.fixture(autouse=True)
def elsewhere(registry: Path) -> None:
    """A run folder of another registry."""
    builder = RegistryBuilder(registry.parent.parent / "other" / "runs.db")
    run = builder.finished("foreign")
    builder.database.close()
    shutil.copytree(registry.parent.parent / "other" / "runs" / run.id, registry.parent / "elsewhere")


def files(registry: Path) -> dict[Any, Any]:
    return {path: path.read_bytes() for path in registry.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_reading_command_works_and_writes_nothing(
    bertmt: Callable[..., Outcome], unwritable: Path, words: list[str]
) -> None:
    before = files(unwritable)
    outcome = bertmt(*words)
    assert outcome.code == 0, outcome.err
    assert files(unwritable) == before


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_a_writing_command_says_that_it_cannot(
    bertmt: Callable[..., Outcome], unwritable: Path, words: list[str]
) -> None:
    before = files(unwritable)
    outcome = bertmt(*words)
    assert outcome.code == 1
    assert "is read-only, so nothing can be changed" in outcome.err
    assert files(unwritable) == before
