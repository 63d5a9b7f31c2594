"""Energy by the counters of a card and of the processor, both made up."""

import os
from pathlib import Path
from typing import Any

import pytest
from fake_nvml import FakeNvml

from bertmt.devices.energy import Drawn, EnergyMeter

CARD = {"uuid": "GPU-1", "millijoules": 5_000_000, "processes": [(1, None)]}
MOST = 262_143_328_850  # what a package of Intel's counts to


def zone(root: Path, name: str, called: str, microjoules: int | None) -> Path:
    folder = root / "sys/class/powercap" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{called}\n")
    (folder / "max_energy_range_uj").write_text(f"{MOST}\n")
    if microjoules is not None:
        (folder / "energy_uj").write_text(f"{microjoules}\n")
    return folder / "energy_uj"


def process(root: Path, pid: int, *arguments: str) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cmdline").write_bytes(b"\0".join(each.encode() for each in (*arguments, "")))


def on_a_card(**said: Any) -> tuple[FakeNvml, dict[str, Any]]:
    card = {**CARD, **said}
    return FakeNvml([card]), card


def test_where_nobody_measures_it_nothing_is_said(tmp_path: Path) -> None:
    assert EnergyMeter("cpu", tmp_path, FakeNvml([], driver=False)).read() is None
    assert EnergyMeter("cuda:GPU-1", tmp_path, FakeNvml([], driver=False)).read() is None


def test_a_card_drew_what_its_counter_says_since_the_beginning(tmp_path: Path) -> None:
    nvml, card = on_a_card()
    meter = EnergyMeter("cuda:GPU-1", tmp_path, nvml)
    assert meter.read() == Drawn(0.0, None, False)
    card["millijoules"] += 1_500_000
    assert meter.read() == Drawn(1500.0, None, False)
    card["millijoules"] += 500_000
    assert meter.read() == Drawn(2000.0, None, False)
    assert nvml.open == 0, "NVML is closed again"


def test_a_job_has_the_card_that_its_scheduler_lets_it_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card: dict[str, Any] = {**CARD, "uuid": "GPU-2"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-2")
    meter = EnergyMeter("cuda", tmp_path, FakeNvml([{**CARD}, card]))
    card["millijoules"] += 1_500_000
    assert meter.read() == Drawn(1500.0, None, False)


def test_a_job_on_a_card_that_does_not_count_is_none_of_the_processors(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    assert EnergyMeter("cuda", tmp_path, FakeNvml([], driver=False)).read() is None


def test_a_card_that_others_computed_on_is_shared_from_then_on(tmp_path: Path) -> None:
    nvml, card = on_a_card()
    meter = EnergyMeter("cuda:GPU-1", tmp_path, nvml)
    card["processes"] = [(1, None), (2, None)]
    assert meter.read() == Drawn(0.0, None, True)
    card["processes"] = [(1, None)]
    assert meter.read() == Drawn(0.0, None, True)


def test_a_card_that_does_not_count_is_not_known_though_the_processor_is(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    nvml, _ = on_a_card(millijoules=None)
    assert EnergyMeter("cuda:GPU-1", tmp_path, nvml).read() is None


def test_a_counter_that_begins_anew_takes_nothing_away(tmp_path: Path) -> None:
    nvml, card = on_a_card()
    meter = EnergyMeter("cuda:GPU-1", tmp_path, nvml)
    card["millijoules"] += 2_000_000
    meter.read()
    card["millijoules"] = 1_000  # the driver was loaded anew
    meter.read()
    card["millijoules"] = 501_000
    assert meter.read() == Drawn(2500.0, None, False)


def test_a_card_that_is_silent_for_a_while_is_counted_whole_afterwards(tmp_path: Path) -> None:
    nvml, card = on_a_card()
    meter = EnergyMeter("cuda:GPU-1", tmp_path, nvml)
    nvml.driver = False
    assert meter.read() == Drawn(0.0, None, False)
    nvml.driver, card["millijoules"] = True, 6_000_000
    assert meter.read() == Drawn(1000.0, None, False)


def test_the_processor_is_its_packages_and_their_memory(tmp_path: Path) -> None:
    packages = [zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000), zone(tmp_path, "intel-rapl:1", "package-1", 0)]
    memory = zone(tmp_path, "intel-rapl:0:1", "dram", 0)
    cores = zone(tmp_path, "intel-rapl:0:0", "core", 0)  # in its package already
    meter = EnergyMeter("cpu", tmp_path, FakeNvml([]))
    packages[0].write_text("3000000\n")
    packages[1].write_text("500000\n")
    memory.write_text("250000\n")
    cores.write_text("9000000\n")
    assert meter.read() == Drawn(None, 2.75, False)


def test_a_counter_that_is_full_begins_at_nothing(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", MOST - 1_000_000)
    meter = EnergyMeter("cpu", tmp_path, FakeNvml([]))
    package.write_text("2000000\n")
    drawn = meter.read()
    assert drawn is not None and drawn.cpu == pytest.approx(3.0)


@pytest.mark.parametrize("microjoules", [None, 5])
def test_of_a_processor_that_one_may_not_read_whole_nothing_is_known(tmp_path: Path, microjoules: int | None) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", microjoules)
    zone(tmp_path, "intel-rapl:1", "package-1", None)
    assert EnergyMeter("cpu", tmp_path, FakeNvml([])).read() is None


def test_a_processor_on_which_another_trains_is_shared(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 0)
    process(tmp_path, os.getpid(), "python", "-m", "bertmt.training", "here")
    process(tmp_path, 7, "vim", "bertmt.training.txt")
    meter = EnergyMeter("cpu", tmp_path, FakeNvml([]))
    assert meter.read() == Drawn(None, 0.0, False)
    process(tmp_path, 8, "python", "-P", "-m", "bertmt.training", "there", "1")
    assert meter.read() == Drawn(None, 0.0, True)


def test_a_card_and_the_processor_beside_it_are_told_apart(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    nvml, card = on_a_card()
    meter = EnergyMeter("cuda:GPU-1", tmp_path, nvml)
    card["millijoules"] += 1_000
    package.write_text("4000000\n")
    assert meter.read() == Drawn(1.0, 4.0, False)
