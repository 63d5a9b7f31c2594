"""What a launcher is: it starts attempts somewhere, hears how they stand, and stops them.

The worker knows nothing else of it. `local` starts a process of this machine, whose locks and exit code tell; any other
hands the attempt to a scheduler, whose word decides: see "Launchers" in docs/architecture.md for how to write one.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from bertmt.devices.slots import DeviceSlot
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.processes import Process

LOCAL = "local"
NO_SOURCES: Mapping[str, str] = MappingProxyType({})  # of users' own code
STOP, KILL = signal.SIGTERM, signal.SIGKILL  # write a checkpoint and end; end at once


def launcher_of(run: Run) -> str:
    """The name of the launcher that started a run's attempt."""
    job = run.execution.job
    return job.launcher if job else LOCAL


class RefusedError(BertmtError):
    """The scheduler does not take an attempt now."""


class Phase(StrEnum):
    """Where a scheduler has an attempt."""

    ASKED = ""  # it has not answered yet
    PENDING = "pending"
    RUNNING = "running"
    ENDED = "ended"


class Cause(StrEnum):
    """What ended an attempt, by the scheduler's word."""

    ITSELF = "itself"  # its exit code tells
    ASKED = "asked"  # the worker had asked for it
    PERSON = "person"  # somebody cancelled it in the scheduler
    PREEMPTION = "preemption"
    TIME = "time limit"
    MEMORY = "memory"
    MACHINE = "machine"
    GONE = "gone"  # the scheduler no longer knows it
    NEVER = "never"  # it did not reach the scheduler


@dataclass(frozen=True)
class Word:
    """What a scheduler says of an attempt.

    Attributes:
        handle: what it calls it; "": it has not answered yet.
        reason: why it waits, or how it ended, in its own words.
        exit_code: as subprocess tells it; None where nobody knows.
        time_limit: as the scheduler writes it.
    """

    handle: str = ""
    phase: Phase = Phase.ASKED
    reason: str = ""
    node: str = ""
    time_limit: str = ""
    cause: Cause = Cause.ITSELF
    exit_code: int | None = None


class Child(Protocol):
    """An attempt that was launched, by this worker or by one that is gone.

    Attributes:
        by_lock_alone: nothing but the run's lock tells whether it is there, and the next attempt may hold that.
        besides: how lines of its log begin that a scheduler wrote there.
    """

    by_lock_alone: bool
    besides: tuple[str, ...]

    def has_ended(self) -> bool:
        """Whether it is gone; what it wrote before is then complete."""

    def exit_code(self) -> int | None:
        """As subprocess tells it; None while it is there, or where nobody knows."""

    def signal(self, number: int) -> None:
        """Send STOP or KILL; nothing where it is gone. Safe to call again and again."""

    def word(self) -> Word | None:
        """What its scheduler says; None where there is none: then locks and the exit code tell."""


@dataclass(frozen=True)
class Attempt:
    """A claimed run, as a launcher needs to know it.

    Attributes:
        slot: of the launcher's own.
        sources: of losses and heads of a user's own, by digest.
        living: the living process of this machine that the registry knows, if there is one.
    """

    run: Run
    folder: RunFolder
    slot: DeviceSlot
    sources: Mapping[str, str]
    living: Callable[[], Process | None] = lambda: None


class Finding(NamedTuple):
    """One thing that a launcher looked at for `bertmt doctor`.

    Attributes:
        state: "ok", "warning" or "problem".
        found: what is the case.
        advice: what to do; "": nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


class Launcher(Protocol):
    """A way to start attempts.

    Attributes:
        name: as people write it, and as the registry keeps it with an attempt.
        round_seconds: how long its worker pauses between two looks.
        outlive_worker: attempts go on where their worker is asked to stop.
    """

    name: str
    round_seconds: float
    outlive_worker: bool

    def is_ready(self) -> bool:
        """Whether it can take an attempt now; what keeps it is said by `trouble`."""

    def trouble(self) -> str:
        """What is wrong with the scheduler for now, a sentence; "": nothing."""

    def launch(self, attempt: Attempt) -> Child:
        """Start an attempt.

        Raises:
            BusyError: a process works the run.
            RefusedError: the scheduler does not take it.
            DataError, OSError: it cannot be started.
        """

    def adopt(self, attempt: Attempt) -> Child:
        """Take over an attempt that a worker started which is gone."""

    def poll(self, children: Sequence[Child]) -> None:
        """Hear how all of its children stand, in one question at most; called in each round, must not wait."""

    def checks(self, folder: str) -> Iterator[Finding]:
        """What works and what does not.

        Args:
            folder: the one of all runs.
        """
