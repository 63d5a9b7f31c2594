"""Which process it is, beyond its number, and when something was, beyond a clock that people set."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bertmt.run_folder.events import Started

UNKNOWN = "unknown"  # the start of a process where the system does not tell: it proves nothing


@dataclass(frozen=True)
class Process:
    """A process of this machine.

    Attributes:
        start: as `process_start` tells it.
    """

    pid: int
    start: str

    def lives(self) -> bool:
        """Whether this very process is there; false where that cannot be known."""
        return self.start not in ("", UNKNOWN) and process_start(self.pid) == self.start


def process_of(event: Started) -> Process | None:
    """Who wrote an event; None where it does not say so, as those of older versions."""
    return Process(event.pid, event.process_start) if event.pid is not None and event.process_start else None


def process_start(pid: int) -> str:
    """When a process began, in the kernel's own clock ticks, with the boot it belongs to; "" where it is gone.

    A pid alone may name a later process. One that has ended and that its parent has not asked about is gone too: a
    worker that was killed stays such a zombie under the dashboard that started it.
    """
    try:
        # The command's name, in parentheses, may hold spaces: count the fields behind it.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        if fields[0] in "ZX":
            return ""
        return f"{boot()}:{fields[19]}"
    except (OSError, IndexError):
        return UNKNOWN if not Path("/proc/self/stat").exists() and _pid_exists(pid) else ""


def boot() -> str:
    """The boot of this machine; UNKNOWN where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return UNKNOWN


def moment() -> str:
    """Now, by the machine's own clock: its boot, and seconds that are the same in all of its processes."""
    return f"{boot()} {time.monotonic()}"


def is_recent(then: str, seconds: float) -> bool:
    """Whether a `moment` lies less than so many seconds back; one of another boot or machine does not."""
    its_boot, _, at = then.rpartition(" ")
    try:
        return its_boot == boot() and 0 <= time.monotonic() - float(at) < seconds
    except ValueError:
        return False


def _pid_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
