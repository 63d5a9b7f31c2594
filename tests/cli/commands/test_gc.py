"""`bertmt gc`: it shows, asks, and deletes only then."""

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bertmt.registry.records import Run


@pytest.fixture
def removed(bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]) -> Path:
    """The folder of a run that was removed."""
    run = run_named("base")
    bertmt("rm", "base", "--yes")
    return registry.parent / "runs" / run.id


class Terminal(io.StringIO):
    """A stdin at which somebody sits."""

    def isatty(self) -> bool:
        return True


def test_without_yes_nothing_is_deleted_where_nobody_can_answer(
    bertmt: Callable[..., Outcome], removed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    outcome = bertmt("gc")
    assert outcome.code == 0 and "removed run" in outcome.out and "`bertmt gc --yes`" in outcome.err
    assert removed.is_dir()


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("n\n", True), ("", True)])
def test_it_asks_where_somebody_sits(
    bertmt: Callable[..., Outcome], removed: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    outcome = bertmt("gc")
    assert "[y/N]" in outcome.err
    assert removed.is_dir() is left
    assert ("Freed" in outcome.out) is not left


def test_with_yes_it_is_deleted_and_cannot_be_restored(bertmt: Callable[..., Outcome], removed: Path) -> None:
    document = json.loads(bertmt("gc", "--yes", "--json").out)
    assert document["dry_run"] is False and document["freed_bytes"] > 0
    assert [item["freed"] for item in document["items"]] == [True]
    assert not removed.exists()
    assert bertmt("restore", removed.name).code == 3
    assert bertmt("gc").out == "There is nothing to clean up.\n"


def test_folders_of_no_run_stay_unless_they_are_asked_for(
    bertmt: Callable[..., Outcome], registry: Path, tmp_path: Path
) -> None:
    runs = registry.parent / "runs"
    for path in registry.parent.glob("runs.db*"):
        path.unlink()
    bertmt("queue", "--preset", "sst-only", "--data", "toy", "--encoder", "tiny")  # makes a new registry
    for path in runs.rglob("*"):
        os.utime(path, (time.time() - 200_000,) * 2)
    before = sorted(runs.iterdir())
    outcome = bertmt("gc", "--yes")
    assert outcome.code == 0 and "bertmt import-run" in outcome.err
    assert sorted(runs.iterdir()) == before
    assert bertmt("gc", "--yes", "--folders").code == 0
    assert list(runs.iterdir()) == []
