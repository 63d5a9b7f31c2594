"""How much energy was drawn since a moment, by a card (NVML's counter) and by the processor (RAPL).

Both count what the device drew, whoever used it. RAPL is Linux' power capping framework
(docs.kernel.org/power/powercap), of Intel and AMD; since CVE-2020-8694 most systems let root alone read it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.devices.gpus import Gpu, list_gpus, read_gpus

POWERCAP = Path("sys/class/powercap")
TRAINING = b"bertmt.training"  # an argument of each child that trains


@dataclass(frozen=True)
class Drawn:
    """Joules since a moment; None: not known.

    Attributes:
        cpu: of all processors and, where they tell it, their memory.
        shared: whether others computed there meanwhile, whose energy is in it.
    """

    gpu: float | None
    cpu: float | None
    shared: bool


class EnergyMeter:
    """Measures from its making on. It must be read every few minutes: RAPL's counters begin anew.

    Args:
        device: "cpu", "cuda:<uuid>", or "cuda": the first that this process may use, as in a scheduler's job.
        root: stands for the root of the file system in tests.
        nvml: the `pynvml` module or a stand-in; imported if None.
    """

    def __init__(self, device: str, root: Path = Path("/"), nvml: Any = None):
        self._uuid = None if device == "cpu" else device.removeprefix("cuda:")
        self._root, self._nvml = root, nvml
        card = self._card()
        self._card_before = card.energy_joules if card else None
        self._gpu = None if self._card_before is None else 0.0
        self._counters = {zone: before for zone in _zones(root) if (before := _number(zone / "energy_uj")) is not None}
        self._cpu = 0.0 if self._counters and len(self._counters) == len(list(_zones(root))) else None
        self._shared = False

    def read(self) -> Drawn | None:
        """What was drawn since; None where nobody knows it: of a run on a card that does not count, too."""
        if self._gpu is None and (self._uuid is not None or self._cpu is None):
            return None
        card = self._card() if self._gpu is not None else None
        if card is not None:
            self._shared |= len(card.processes) > 1
            if card.energy_joules is not None:
                self._add_card(card.energy_joules)
        if self._cpu is not None:
            self._cpu += sum(self._since(zone) for zone in self._counters)
            self._shared |= _others_train(self._root)
        return Drawn(self._gpu, self._cpu, self._shared)

    def _card(self) -> Gpu | None:
        """The card, as long as it answers."""
        if self._uuid is None:
            return None
        is_first = self._uuid == "cuda"
        found = list_gpus(self._nvml)[:1] if is_first else read_gpus([self._uuid], self._nvml)
        return found[0] if found else None

    def _add_card(self, joules: float) -> None:
        assert self._gpu is not None and self._card_before is not None
        self._gpu += max(joules - self._card_before, 0.0)  # it begins anew with the driver
        self._card_before = joules

    def _since(self, zone: Path) -> float:
        """Joules of a zone since the last look; none where it does not answer now, and then all at the next."""
        after = _number(zone / "energy_uj")
        if after is None:
            return 0.0
        before, self._counters[zone] = self._counters[zone], after
        most = _number(zone / "max_energy_range_uj") or 0
        return max(after - before + (most if after < before else 0), 0) / 1e6


def is_measured(root: Path = Path("/"), nvml: Any = None) -> bool:
    """Whether a card or the processor of this machine tells what it draws."""
    return EnergyMeter("cpu", root).read() is not None or any(gpu.energy_joules is not None for gpu in list_gpus(nvml))


def _zones(root: Path) -> Iterator[Path]:
    """What is counted: each package, which has its cores in it, and its memory, which it has not."""
    for zone in sorted((root / POWERCAP).glob("intel-rapl:*")):
        if _text(zone / "name").startswith(("package", "dram")):
            yield zone


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _others_train(root: Path) -> bool:
    """Whether another process of this machine trains, as far as one sees them."""
    try:
        pids = [name for name in os.listdir(root / "proc") if name.isdigit() and int(name) != os.getpid()]  # noqa: PTH208
    except OSError:
        return False
    return any(TRAINING in _arguments(root / "proc" / pid / "cmdline") for pid in pids)


def _arguments(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []
