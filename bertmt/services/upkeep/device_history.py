"""What the machine's parts did lately, as whoever looked at it noted: a bounded history in memory, lost with it."""

import math
import time
from array import array
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bertmt.devices.cpu import Cpu, CpuTimes, busy_share, utilization
from bertmt.devices.gpus import Gpu
from bertmt.devices.processes import MachineProcess
from bertmt.services.upkeep.machine import Machine

if TYPE_CHECKING:
    import numpy as np

MOST_MOMENTS = 900  # of 256 hardware threads and 8 GPUs, 1.5 MiB
LEAST_SECONDS = 0.9  # between two moments: shorter ones flicker, and would shorten the history
COLUMN_SECONDS = 2.0  # what a column of a graph stands for; the dashboard looks that often, wherever it is
OLDEST_SECONDS = 5.0  # what was noted stands for the columns behind it that long, where nobody looked


@dataclass(frozen=True)
class _Moment:
    """One look; shares are 0 to 1, NaN where nobody says.

    Attributes:
        cores: of each hardware thread, in the order of their numbers.
        gpus: how busy and how full each is, by UUID.
    """

    at: float
    cpu: float
    memory: float
    cores: "array[float]"
    gpus: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Graph:
    """Shares in columns of `COLUMN_SECONDS`, the newest last; NaN where nothing is known."""

    cpu: "np.ndarray"
    memory: "np.ndarray"
    cores: "Mapping[int, np.ndarray]"
    gpus: "Mapping[str, tuple[np.ndarray, np.ndarray]]"


@dataclass
class DeviceHistory:
    """Notes each look at the machine; of a look that comes too soon it notes nothing.

    Attributes:
        clock: seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    _moments: deque[_Moment] = field(default_factory=lambda: deque(maxlen=MOST_MOMENTS))
    _cpu_before: CpuTimes | None = None
    _processes_before: tuple[float, dict[tuple[int, int], float]] = (0.0, {})
    _shares: dict[tuple[int, int], float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._moments)

    def note(self, machine: Machine) -> None:
        """A look at the machine, just now."""
        now, before = self.clock(), self._cpu_before
        if self._moments and now - self._moments[-1].at < LEAST_SECONDS:
            return
        cpu = machine.cpu
        threads, others = threads_of(cpu), {} if before is None else before.threads
        cores = [_busy(threads[each], others.get(each)) for each in sorted(threads)]
        total = None if before is None else utilization(cpu, before)
        gpus = {gpu.uuid: (_known(gpu.utilization), memory_share(gpu)) for gpu in machine.gpus}
        self._cpu_before = cpu.times
        self._moments.append(_Moment(now, _known(total), memory_share(cpu), array("f", cores), gpus))

    def busy_shares(self, processes: Sequence[MachineProcess]) -> Mapping[tuple[int, int], float]:
        """How busy each process kept the cores since the look before, by pid and begin: 1 is one hardware thread."""
        now, (at, before) = self.clock(), self._processes_before
        if not before or now - at >= LEAST_SECONDS:
            found = {(each.pid, each.began): each.busy_seconds for each in processes}
            if before:
                shares = {who: (busy - before[who]) / (now - at) for who, busy in found.items() if who in before}
                self._shares = {who: max(share, 0.0) for who, share in shares.items()}
            self._processes_before = (now, found)
        return self._shares

    def graph(self, columns: int, threads: Collection[int], uuids: Collection[str]) -> Graph:
        """The last columns of everything.

        Args:
            threads: the numbers of the hardware threads.
            uuids: of the GPUs.
        """
        import numpy as np  # noqa: PLC0415 - 0.1 s: whoever only notes a look does without

        last = int(self.clock() // COLUMN_SECONDS)
        moments = [each for each in self._moments if each.at // COLUMN_SECONDS > last - columns - OLDEST_SECONDS]
        place = np.array([int(each.at // COLUMN_SECONDS) - last + columns - 1 for each in moments], dtype=np.intp)
        numbers = sorted(threads)
        nothing = [math.nan] * len(numbers)
        nowhere = (math.nan, math.nan)
        rows = [
            [each.cpu, each.memory, *(each.cores if len(each.cores) == len(numbers) else nothing),
             *(share for uuid in uuids for share in each.gpus.get(uuid, nowhere))]
            for each in moments
        ]  # fmt: skip
        width = 2 + len(numbers) + 2 * len(uuids)
        drawn = _in_columns(np.array(rows, np.float64).reshape(-1, width), place, columns)
        behind = 2 + len(numbers)
        cores = {number: drawn[:, 2 + index] for index, number in enumerate(numbers)}
        gpus = {
            uuid: (drawn[:, behind + 2 * index], drawn[:, behind + 2 * index + 1]) for index, uuid in enumerate(uuids)
        }
        return Graph(drawn[:, 0], drawn[:, 1], cores, gpus)


def threads_of(cpu: Cpu) -> Mapping[int, CpuTimes]:
    """What each hardware thread did, by its number; empty where the system does not say."""
    return {} if cpu.times is None else cpu.times.threads


def memory_share(device: Cpu | Gpu) -> float:
    """How full the memory is; NaN where nobody says."""
    total, free = device.memory_total_mib, device.memory_free_mib
    return (total - free) / total if total and free is not None else math.nan


def _busy(now: CpuTimes, before: CpuTimes | None) -> float:
    return _known(None if before is None else busy_share(now, before))


def _known(share: float | None) -> float:
    return math.nan if share is None else share


def _in_columns(rows: "np.ndarray", place: "np.ndarray", columns: int) -> "np.ndarray":
    """The mean of what was noted in each column, else what was noted last, while that is young.

    Args:
        rows: shape (moments, series); place: the column of each moment, ascending, below 0 for those before the first.
    """
    import numpy as np  # noqa: PLC0415

    drawn = np.full((columns, rows.shape[1]), np.nan)
    lasts = int(OLDEST_SECONDS // COLUMN_SECONDS)
    for column in range(columns):
        first, end = np.searchsorted(place, (column, column + 1))
        if first < end:
            part = rows[first:end]
            known = np.isfinite(part)
            total = np.where(known, part, 0).sum(axis=0)
            np.divide(total, known.sum(axis=0), out=drawn[column], where=known.any(axis=0))
        elif first and place[first - 1] >= column - lasts:
            drawn[column] = rows[first - 1]
    return drawn
