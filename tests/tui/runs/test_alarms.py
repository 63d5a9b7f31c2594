"""A run that goes wrong is told from the others in the list, beside it, and in its own head."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.registry import metrics
from bertmt.registry.file.opening import open_registry
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.browse.alarms.settings import alarm_rules
from bertmt.services.ingest.reconcile import ingest_running


async def test_a_running_run_that_diverges_has_the_sign_in_the_list_and_the_sentence_beside_it_and_in_its_head(
    show: Show, registry: Path, alive: Any
) -> None:
    with open_registry(registry) as database:
        ingest_running(database, silent_only=False)
        (key, run_id), *_ = database.execute("SELECT key, id FROM runs WHERE state = 'running'").fetchall()
        points = [("loss/sst", step, 1.0 - step / 500 if step < 200 else 3.0) for step in range(300)]
        with database.immediate():
            metrics.append(database, key, points)
    async with show(registry, size=(120, 40)) as shown:
        shown.app.screen.table.go_to(run_id)
        await shown.settle()
        row = next(each for each in shown.text.splitlines() if run_id in each)
        assert row.strip(" │◆").startswith("!")
        assert "loss/sst diverges: 3.000" in shown.text
        await shown.press("enter")
        assert "! loss/sst diverges: 3.000" in shown.text


async def test_the_rules_are_shown_and_changed_by_a_command_of_the_palette(
    show: Show, registry: Path, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registry.parent)
    async with show(registry, size=(120, 40)) as shown:
        assert "Alarms" in {each.title for each in shown.app.get_system_commands(shown.app.screen)}
        shown.app.edit_alarms()
        await shown.settle()
        assert "on=true diverges=1.5 stalls=200 behind=0.05" in shown.text
        shown.app.screen.query_one("#text").value = "stalls=soon"
        await shown.press("enter")
        assert "alarms.stalls expects a number from 0" in shown.text
        shown.app.screen.query_one("#text").value = "stalls=1000 behind=0"
        await shown.press("enter")
        assert alarm_rules(registry.parent) == Rules(stalls=1000, behind=0)
        await shown.press("question_mark")
        assert "diverges 1.5, stalls 1000, behind off" in " ".join(shown.app.screen_stack[-2].GUIDE)


async def test_where_nothing_may_be_written_the_rules_are_not_asked_for(show: Show, registry: Path) -> None:
    async with show(registry, read_only=True) as shown:
        shown.app.edit_alarms()
        await shown.settle()
        assert "read-only" in shown.said and type(shown.app.screen).__name__ == "RunsScreen"
