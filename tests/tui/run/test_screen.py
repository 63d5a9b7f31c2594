"""The screen about one run: its tabs, its first lines, and what becomes of it when the run does."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from run_screen import open_run, said
from shown import Show, Shown

from bertmt.registry.runs import all_runs
from bertmt.run_folder.events import now
from bertmt.services.lifecycle.removal import delete
from tui.screens.run.one_run import PANES
from tui.widgets.tab_line import TabLine


def titles_line(shown: Shown) -> str:
    return shown.text.splitlines()[0]


def change(registry: Path, statement: str) -> None:
    builder = RegistryBuilder(registry)
    builder.database.execute(statement)
    builder.database.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize(
    ("state", "run_id"), [("finished", "run002"), ("failed", "run005"), ("running", "run006"), ("queued", "run007")]
)
async def test_a_run_opens_with_its_curves_or_says_why_there_are_none(
    show: Show, alive: Any, state: str, run_id: str, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, run_id)
        await shown.should_be(f"run-{state}")


async def test_a_lost_run_says_that_its_process_is_gone_and_what_to_press(show: Show, registry: Path) -> None:
    change(registry, "UPDATE runs SET recoveries = 1, started_at = '2020-01-01T00:00:00+00:00'")
    async with show() as shown:  # nobody holds the lock of run006
        await open_run(shown, "run006")
        assert "lost: its process died; r requeues it" in shown.text


async def test_numbers_open_the_tabs_and_escape_goes_back_to_the_list(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002")
        for number, pane in enumerate(PANES, 1):
            await shown.press(str(number))
            assert isinstance(shown.app.screen.pane, pane)
            assert [each.display for each in shown.app.screen.query("#place > *")].count(True) == 1
        await shown.press("escape")
        assert "bertmt   1 Runs" in shown.text


async def test_a_click_on_a_tab_opens_it(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002")
        await shown.pilot.click(TabLine, offset=(titles_line(shown).index("History"), 0))
        await shown.settle()
        assert "trained to its end" in shown.text


async def test_a_tab_is_made_when_it_is_opened_first_and_kept_afterwards(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002")
        assert len(shown.app.screen.query("#place > *")) == 1
        curves = shown.app.screen.pane
        await shown.press("plus", "7", "1")
        assert shown.app.screen.pane is curves
        assert "steps 1 to 5 of 6" in shown.text


async def test_a_run_that_starts_while_it_is_shown_gets_its_curves(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run007")
        assert "waits in the queue" in shown.text
        builder = RegistryBuilder(registry)
        builder.database.execute("UPDATE runs SET state = 'held' WHERE id = 'run007'")
        builder.database.close()
        await shown.look()
        assert "the run is held. `bertmt release run007`" in shown.text


async def test_a_queued_run_says_what_keeps_it_from_starting(show: Show, alive: Any, registry: Path) -> None:
    worker = (
        "INSERT INTO workers (key, host, pid, process_start, slots, started_at, heartbeat_at)"
        f" VALUES (1, 'elsewhere', 4241, '', '[\"cpu\"]', '{now()}', '{now()}')"
    )
    steps = [
        (worker, "It is next."),
        ("UPDATE workers SET guard = '3 died'", "The worker is halted after crashes: W on the queue screen"),
        ("UPDATE runs SET wants = 'gpu' WHERE id = 'run007'", "It will not start: it needs a GPU, which no worker"),
        ("INSERT INTO settings VALUES ('queue_held', '2026')", "The queue is held: Z on the queue screen releases it."),
    ]
    async with show() as shown:
        await open_run(shown, "run007")
        assert "No worker is running: `bertmt worker`, or w on the queue" in " ".join(shown.text.split())
        for statement, sentence in steps:
            change(registry, statement)
            await shown.look()
            assert sentence in " ".join(shown.text.split())


async def test_a_run_that_is_removed_is_left(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run003")
        builder = RegistryBuilder(registry)
        delete(builder.database, all_runs(builder.database, "runs.id = 'run003'")[0])
        builder.database.close()
        await shown.look()
        assert said(shown) == ["Run run003 was removed."]
        assert "bertmt   1 Runs" in shown.text


async def test_actions_are_about_this_run_also_where_others_are_marked(show: Show, alive: Any) -> None:
    async with show() as shown:
        shown.app.marked = {"run001", "run002"}
        await open_run(shown, "run007", "x")
        assert "Cancel later (run007, seed 0)?" in shown.text
        assert "run001" not in shown.text and "run002" not in shown.text


@pytest.mark.parametrize(
    ("run_id", "cancels", "requeues"),
    [("run002", False, False), ("run005", False, True), ("run006", True, False), ("run008", True, False)],
)
async def test_the_footer_has_the_keys_that_do_something_to_a_run_in_its_state(
    show: Show, alive: Any, run_id: str, cancels: bool, requeues: bool
) -> None:
    async with show() as shown:
        await open_run(shown, run_id, "5")
        footer = shown.text.splitlines()[-1]
        assert ("x cancel" in footer, "r requeue" in footer) == (cancels, requeues)


async def test_without_marks_or_a_baseline_comparing_says_what_is_missing(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "c")
        assert said(shown) == [
            "Run run001 is the baseline itself: mark other runs to compare it with, or choose another baseline with b."
        ]


async def test_a_run_is_compared_with_the_marked_ones_or_else_its_baseline(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    monkeypatch.setattr(
        "tui.screens.run.screen.RunScreen.open_comparison",
        lambda screen, runs: compared.append([run.id for run in runs]),
    )
    async with show() as shown:
        await open_run(shown, "run002", "c")
        shown.app.marked = {"run004", "run002", "run003"}
        await shown.press("c")
    assert compared == [["run002", "run001"], ["run002", "run003", "run004"]]


async def test_the_help_is_about_the_open_tab(show: Show, alive: Any) -> None:
    async with show(size=(120, 60)) as shown:
        await open_run(shown, "run002", "6", "question_mark")
        assert "this one is Log" in " ".join(shown.text.split())
        assert "Go to the next error." in shown.text and "Smooth the curves" not in shown.text
