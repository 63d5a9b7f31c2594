"""Names of a sweep begin alike: where there is no room for all of one, its end is seen, in every list."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show

RATES = ("1e-3", "1e-4", "1e-5")
NAME = "baseline-with_a_long_beginning-learning_rate{}"


@pytest.fixture
def sweep(registry: Path) -> Path:
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    for rate in RATES:
        builder.finished(NAME.format(rate))
    for rate in RATES:
        builder.add(NAME.format(rate))
    builder.database.close()
    return registry


async def test_the_ends_of_names_are_seen_in_lists_and_in_a_comparison(show: Show, alive: Any, sweep: Path) -> None:
    ends = [f"e{rate} " for rate in RATES]
    async with show(first="queue") as shown:
        assert all(end in shown.text for end in ends)
        await shown.press("1")
        assert all(end in shown.text for end in ends)
        listed = [row.run for row in shown.app.screen.table.rows if row.run.name.startswith("baseline-with")]
        shown.app.push_screen(shown.app.comparison_screen([run for run in listed if run.state == "finished"]))
        await shown.press("a")
        assert all(end in shown.text for end in ends)
        await shown.press("2")
        assert all(end in shown.text for end in ends)
