"""The processor and the memory that this process may use."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bertmt.devices.cgroup import read_limits

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class CpuTimes:
    """What the hardware threads of this process did since the machine was started, in seconds summed over them.

    Attributes:
        busy: neither idle nor waiting for a disk, for whichever process.
        threads: the same of each hardware thread, by its number.
    """

    busy: float
    passed: float
    threads: Mapping[int, "CpuTimes"] = field(default_factory=dict)


@dataclass(frozen=True)
class Cpu:
    """What there is to compute on without a GPU; None: the system does not say.

    Attributes:
        name: the processor's model, "" if unknown.
        logical: hardware threads that this process may run on.
        cores: physical cores among them, less where a quota is tighter; at least 1. Matrix products gain nothing
            from a second thread on the same core, so runs share these.
        quota: processors' worth of time that a container or batch system grants.
        times: two of them, some time apart, tell how busy the threads were in between; see `utilization`.
    """

    name: str
    logical: int
    cores: int
    quota: float | None
    memory_total_mib: int | None
    memory_free_mib: int | None
    times: CpuTimes | None


def utilization(cpu: Cpu, before: CpuTimes) -> float | None:
    """The share of what this process may use that was busy since an earlier look, as htop reckons it.

    None where no time passed. Under a quota the whole is the quota, and what others run on the same threads counts too.
    """
    busy = None if cpu.times is None else busy_share(cpu.times, before)
    if busy is None:
        return None
    if cpu.quota is not None and cpu.quota < cpu.logical:
        busy *= cpu.logical / cpu.quota
    return min(busy, 1.0)


def busy_share(now: CpuTimes, before: CpuTimes) -> float | None:
    """The share of the time between two looks that was busy; None where no time passed."""
    passed = now.passed - before.passed
    return min(max(now.busy - before.busy, 0.0) / passed, 1.0) if passed > 0 else None


def read_cpu(root: Path = Path("/"), allowed: Collection[int] | None = None) -> Cpu:
    """The processor as this process sees it.

    Args:
        root: stands for the root of the file system in tests.
        allowed: numbers of the hardware threads to use; those of the affinity mask if None.
    """
    threads = allowed_threads() if allowed is None else allowed
    limits = read_limits(root)
    cores = physical_cores(threads, root)
    if limits.cpus is not None:
        cores = min(cores, int(limits.cpus))
    total, free = _memory(root)
    return Cpu(
        name=_model_name(root),
        logical=len(threads),
        cores=max(1, cores),
        quota=limits.cpus,
        memory_total_mib=min((each for each in (total, limits.memory_mib) if each is not None), default=None),
        memory_free_mib=min((each for each in (free, limits.memory_free_mib) if each is not None), default=None),
        times=_times(threads, root),
    )


def allowed_threads() -> frozenset[int]:
    """Numbers of the hardware threads that this process may run on (taskset, Slurm, cpusets)."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def physical_cores(threads: Collection[int], root: Path = Path("/")) -> int:
    """How many different cores the hardware threads belong to; without a word from Linux, one each."""
    cores = set()
    for thread in threads:
        siblings = root / f"sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list"
        try:
            cores.add(siblings.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            cores.add(str(thread))
    return len(cores)


def _memory(root: Path) -> tuple[int | None, int | None]:
    """Total and available memory of the machine in MiB."""
    found: dict[str, int] = {}
    try:
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if rest.split():
                found[name] = int(rest.split()[0]) // 1024
    except (OSError, ValueError):
        return _memory_elsewhere(), None
    return found.get("MemTotal"), found.get("MemAvailable")


def _memory_elsewhere() -> int | None:
    """Total memory where there is no /proc (macOS)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1024 * 1024)
    except (AttributeError, ValueError, OSError):
        return None


def _model_name(root: Path) -> str:
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Hardware")))
    return next(names, "")


def _times(threads: Collection[int], root: Path) -> CpuTimes | None:
    """From /proc/stat (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already."""
    found: dict[int, CpuTimes] = {}
    try:
        for line in (root / "proc/stat").read_text(encoding="ascii").splitlines():
            name, *words = line.split()
            if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in threads:
                ticks = [int(word) for word in words[:8]]
                passed, idle = sum(ticks), sum(ticks[3:5])
                found[int(name[3:])] = CpuTimes((passed - idle) / TICKS_PER_SECOND, passed / TICKS_PER_SECOND)
    except (OSError, ValueError):
        return None
    busy, passed_by_all = (sum(getattr(each, name) for each in found.values()) for name in ("busy", "passed"))
    return CpuTimes(busy, passed_by_all, found) if passed_by_all else None
