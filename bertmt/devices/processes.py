"""The processes of this machine: whose they are, and how much memory and processor time each has, as top reads them.

Source: proc_pid_stat(5). Linux gives a process's folder to its user, and shows both to everybody unless /proc is
mounted with hidepid, where one sees one's own.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bertmt.devices.cpu import TICKS_PER_SECOND
from bertmt.devices.user_names import user_name

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
MIB = 1024 * 1024
# Fields of `stat` behind the name, from 0: the state is the third of all.
_PARENT, _USER_TICKS, _SYSTEM_TICKS, _BEGAN, _PAGES = 1, 11, 12, 19, 21


@dataclass(frozen=True)
class MachineProcess:
    """A process with memory of its own; kernel threads have none.

    Attributes:
        began: in clock ticks since the boot: with the pid it tells a process from any later one.
        command: its name as Linux keeps it, at most 15 bytes; a process chooses it freely.
        memory_mib: resident; what it shares with others is counted for each of them.
        busy_seconds: processor time of all its threads since it began.
    """

    pid: int
    parent: int
    began: int
    user: str
    command: str
    memory_mib: int
    busy_seconds: float


def read_processes(root: Path = Path("/")) -> tuple[MachineProcess, ...]:
    """All that can be seen now, those with most memory first; none where there is no /proc.

    Args:
        root: stands for the root of the file system in tests.
    """
    try:
        names = [name for name in os.listdir(root / "proc") if name.isdigit()]  # noqa: PTH208 - no object per process
    except OSError:
        return ()
    named = lru_cache(user_name)  # a directory of users may be far away
    found = (_read(root / "proc" / name, int(name), named) for name in names)
    return tuple(sorted((each for each in found if each is not None), key=lambda each: -each.memory_mib))


def _read(folder: Path, pid: int, named: Callable[[int], str]) -> MachineProcess | None:
    """None where the process has just ended, has no memory, or cannot be seen."""
    try:
        said = (folder / "stat").read_bytes()
        uid = folder.stat().st_uid
        # The name, in parentheses, may hold anything, parentheses too.
        command, fields = said[said.index(b"(") + 1 : said.rindex(b")")], said[said.rindex(b")") + 2 :].split()
        pages = int(fields[_PAGES])
        ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
        parent, began = int(fields[_PARENT]), int(fields[_BEGAN])
    except (OSError, ValueError, IndexError):
        return None
    if pages <= 0:
        return None
    name, memory = command.decode("utf-8", "replace"), pages * PAGE // MIB
    return MachineProcess(pid, parent, began, named(uid), name, memory, ticks / TICKS_PER_SECOND)
