"""A run that goes wrong is told from the others in the list, beside it, and in its own head."""

from pathlib import Path
from typing import Any

from shown import Show

from bertmt.registry import metrics
from bertmt.registry.file.opening import open_registry
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
