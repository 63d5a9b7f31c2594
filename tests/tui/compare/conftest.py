"""The comparison over runs of the built registry."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from tui.screens.compare.screen import CompareScreen


@pytest.fixture
def runs(registry: Path) -> dict[str, Run]:
    """The runs of the registry by id."""
    database = open_registry(registry)
    found = {run.id: run for run in all_runs(database)}
    database.close()
    return found


@pytest.fixture
def opened(show: Show, runs: dict[str, Run], alive: Any) -> Callable[..., Coroutine[Any, Any, None]]:
    """Opens the screen over runs by their numbers."""

    async def open_over(shown: Any, *numbers: Any) -> None:
        shown.app.push_screen(CompareScreen([runs[f"run{number:03d}"] for number in numbers]))
        await shown.settle()

    return open_over
