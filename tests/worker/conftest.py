"""A worker over one slot of the CPU, and what it says."""

import pytest

from bertmt.devices.slots import DeviceSlot
from bertmt.worker.worker import Worker


@pytest.fixture
def said():
    return []


@pytest.fixture
def worker(database, stand_in_child, said):
    return Worker(database, [DeviceSlot("cpu", "cpu", 1)], said.append, stand_in_child)
