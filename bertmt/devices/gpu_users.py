"""Who else uses a GPU: the people and programs behind the processes that NVML names."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt.devices.gpus import Gpu, GpuProcess
from bertmt.devices.user_names import user_name

NAMED = 3


@dataclass(frozen=True)
class GpuUser:
    """A process that holds memory of a GPU; None: the system or NVML does not say.

    Attributes:
        command: its name as Linux keeps it, at most 15 bytes; a process chooses it freely.
        uid: its user's number.
        seconds_old: since it began.
    """

    pid: int
    user: str | None
    command: str | None
    memory_mib: int | None
    uid: int | None = None
    seconds_old: float | None = None

    def name(self) -> str:
        """Such as "pid 4711 (alice, python)"."""
        known = ", ".join(each for each in (self.user, self.command) if each)
        return f"pid {self.pid}{f' ({known})' if known else ''}"

    def words(self) -> str:
        """Such as "pid 4711 (alice, python) holds 70,000 MiB"."""
        held = "an unknown amount" if self.memory_mib is None else f"{self.memory_mib:,} MiB"
        return f"{self.name()} holds {held}"


def gpu_users(gpu: Gpu, root: Path = Path("/")) -> tuple[GpuUser, ...]:
    """The processes on a GPU, those that hold most first.

    A process of another pid namespace, outside a container say, has a number alone; where the same number means
    another process in here, that one is named.

    Args:
        root: stands for the root of the file system in tests.
    """
    users = (_user(process, root / "proc" / str(process.pid)) for process in gpu.processes)
    return tuple(sorted(users, key=lambda each: -1 if each.memory_mib is None else each.memory_mib, reverse=True))


def users_sentence(users: Sequence[GpuUser]) -> str:
    """Who holds how much, at most three by name; empty where nobody is seen."""
    named = "; ".join(each.words() for each in users[:NAMED])
    return f"{named}; and {len(users) - NAMED} more" if len(users) > NAMED else named


def _user(process: GpuProcess, folder: Path) -> GpuUser:
    try:
        # Linux gives the folder itself to the process's user even where it hides what is in it.
        uid = folder.stat().st_uid
        command = (folder / "comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return GpuUser(process.pid, None, None, process.memory_mib)
    return GpuUser(process.pid, user_name(uid), command, process.memory_mib, uid, _seconds_old(folder))


def _seconds_old(folder: Path) -> float | None:
    """How long ago a process began, by proc_pid_stat(5); its name, the second field, may hold anything."""
    try:
        ticks = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[19])
        up = float((folder.parent / "uptime").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return up - ticks / os.sysconf("SC_CLK_TCK")
