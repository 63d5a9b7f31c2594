"""When and where new runs are started, as the form's queueing section asks it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from present import present
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs


@pytest.fixture(autouse=True)
def nothing_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `bertmt.toml` of whoever runs the tests; times are read as they are."""
    monkeypatch.chdir(tmp_path)


async def fill(shown: Shown, **texts: Any) -> None:
    """Type into lines of the form."""
    form = shown.app.screen.query_one("#form")
    for name, text in texts.items():
        assert form.table.go_to(name)
        await shown.press("enter", *["backspace"] * 12, *text, "enter")


def newest(path: Path) -> Run:
    with open_registry(path) as database:
        return all_runs(database)[-1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_section_says_what_may_be_asked(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press("n")
        shown.app.screen.query_one("#form").table.go_to("priority")
        await shown.settle()
        await shown.press("j", "j", "j", "j", "j", "k")
        await shown.should_be("new-run-queueing")


async def test_what_is_asked_is_stored_with_the_run(show: Show, alive: Any, registry: Path, tmp_path: Path) -> None:
    async with show() as shown:
        await shown.press("n", "ctrl+y")
        await fill(shown, priority="7", after="base", after_ok="twins", start="+2h", checkpoint_dir=str(tmp_path / "c"))
        form = shown.app.screen.query_one("#form")
        form.table.go_to("device")
        await shown.press("right", "right", "tab")
        assert "after run001" in " ".join(shown.text.split())
        await shown.press("ctrl+s", "n")
    run = newest(registry)
    assert (run.queueing.priority, run.queueing.wants, run.submission.checkpoint_dir) == (7, "gpu", str(tmp_path / "c"))
    assert run.queueing.awaits == (("run001", False), ("run003", True), ("run004", True))
    begins = datetime.fromisoformat(present(run.queueing.not_before_at)) - datetime.now(UTC)
    assert timedelta(hours=1) < begins <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("start", "soon", "`start` expects 22:00"),
        ("start", "2001-01-01 08:00", "lies in the past"),
        ("priority", "1.5", "must be a whole number"),
    ],
)
async def test_what_cannot_be_says_so_while_it_is_typed(
    show: Show, alive: Any, name: str, text: str, sentence: str
) -> None:
    async with show() as shown:
        await shown.press("n")
        assert shown.app.screen.query_one("#form").table.go_to(name)
        await shown.press("enter", *["backspace"] * 2, *text)
        assert sentence in " ".join(shown.text.split())
        await shown.press("enter")
        assert shown.app.screen.query_one("#form").is_typing


async def test_a_run_that_is_not_there_cannot_be_waited_for(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await shown.press("n", "ctrl+y")
        await fill(shown, after="nobody")
        assert "No run named 'nobody'" in shown.text
        await shown.press("ctrl+s")
        assert newest(registry).name == "held", "nothing was queued"


async def test_what_finished_before_is_said_and_queued_again_by_ctrl_s(
    show: Show, alive: Any, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(registry) as database:
        base = all_runs(database, "runs.name = 'base'")[0]
    monkeypatch.setattr("bertmt.services.plan.preview.already_finished", lambda database, run: base)
    async with show() as shown:
        await shown.press("n", "ctrl+y")
        assert "It finished before." in shown.text
        await shown.press("ctrl+s", "n")
    assert newest(registry).key > 8
