"""A worker over one slot of the CPU, and what it says."""

from typing import Any

import pytest

from bertmt.devices.slots import DeviceSlot
from bertmt.registry.database import Database
from bertmt.worker.worker import Worker


@pytest.fixture
def said() -> list[Any]:
    return []


@pytest.fixture
def worker(database: Database, stand_in_child: tuple[str, ...], said: Any) -> Worker:
    return Worker(database, [DeviceSlot("cpu", "cpu", 1)], said.append, stand_in_child)
