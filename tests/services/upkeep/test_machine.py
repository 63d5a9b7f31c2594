"""The machine at hand, for the strip of devices."""

import pytest
from present import present

from bertmt.devices.gpus import Gpu
from bertmt.services.upkeep import machine
from bertmt.services.upkeep.machine import read_machine


def test_a_machine_without_gpus_has_its_processor_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = read_machine()
    assert found.gpus == ()
    assert found.cpu.cores >= 1 and present(found.cpu.memory_total_mib) > 100


def test_the_gpus_are_those_that_nvml_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Gpu(
        uuid="GPU-1",
        index=0,
        name="NVIDIA Test",
        memory_total_mib=16384,
        memory_free_mib=15360,
        utilization=0.5,
        temperature_celsius=70,
        power_watts=200.0,
    )
    monkeypatch.setattr(machine, "list_gpus", lambda: (card,))
    assert read_machine().gpus == (card,)
