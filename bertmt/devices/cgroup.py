"""The limits that a container or a batch system puts on this process, from both versions of cgroups.

Source: Linux Documentation/admin-guide/cgroup-v2.rst (cpu.max, memory.max) and cgroup-v1/ (cpu.cfs_quota_us,
memory.limit_in_bytes). A limit may stand on any ancestor of the own group, so the tightest one counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNLIMITED = 1 << 60  # version 1 writes "no limit" as a number near 2^63
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """None: not limited.

    Attributes:
        cpus: processors' worth of time, may be a fraction.
        memory_mib: that this group may use; memory_free_mib: that is left of it, reclaimable file cache included.
    """

    cpus: float | None
    memory_mib: int | None
    memory_free_mib: int | None


def read_limits(root: Path = Path("/")) -> Limits:
    """The tightest limits on this process; `root` stands for the root of the file system in tests."""
    cpus: list[float] = []
    memory: list[tuple[int, int]] = []  # (limit, free) in bytes
    for folder in _groups(root, ""):
        cpus += _cpu_limit(folder / "cpu.max", None)
        memory += _memory_limit(folder, "memory.max", "memory.current", "inactive_file")
    for folder in _groups(root, "cpu"):
        cpus += _cpu_limit(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
    for folder in _groups(root, "memory"):
        memory += _memory_limit(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    return Limits(
        cpus=min(cpus, default=None),
        memory_mib=min(limit for limit, _ in memory) // MIB if memory else None,
        memory_free_mib=min(free for _, free in memory) // MIB if memory else None,
    )


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The own group and its ancestors that are visible here, for one controller ("" is version 2)."""
    mount = root / "sys/fs/cgroup" / controller
    for text in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = text.partition(":")
        controllers, _, group = rest.partition(":")
        if controller in controllers.split(","):
            # Inside a container the group's own path may not be mounted; the mount's root is then its limit.
            folder = mount / group.strip("/")
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(mount) and each.is_dir())


def _cpu_limit(quota: Path, period: Path | None) -> list[float]:
    """Quota over period; version 2 keeps both in one file, "max" or −1 is no quota."""
    words = [*_read(quota).split(), *(_read(period).split() if period else ())]
    try:
        amount, per = float(words[0]), float(words[1])
    except (IndexError, ValueError):
        return []
    return [amount / per] if amount > 0 and per > 0 else []


def _memory_limit(folder: Path, limit: str, usage: str, reclaimable: str) -> list[tuple[int, int]]:
    try:
        allowed, used = int(_read(folder / limit)), int(_read(folder / usage))
    except ValueError:
        return []
    if allowed >= UNLIMITED:
        return []
    for text in _read(folder / "memory.stat").splitlines():
        name, _, value = text.partition(" ")
        if name == reclaimable and value.isdigit():
            used -= int(value)
    return [(allowed, max(0, allowed - max(0, used)))]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
