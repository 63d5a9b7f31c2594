"""Training children: in process sessions of their own, so that they outlive the worker; stopped politely first."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from bertmt.errors import BusyError
from bertmt.launchers.training import TRAINING_COMMAND, order_of, start_training
from bertmt.registry.records import Run
from bertmt.run_folder.event_files import tail_lines
from bertmt.run_folder.layout import RunFolder, is_alive, living_pid
from bertmt.run_folder.processes import Process
from bertmt.services.ingest.reconcile import NO_LAST_WORD

# Writing a checkpoint of a large model to a slow disk takes most of it.
STOP_GRACE_SECONDS = 60.0
# Another process holds the run's lock, or the attempt is over: see `bertmt/training/__main__.py`.
BUSY_CODE = 4
# It failed and could not write its last event, nor perhaps its log.
CANNOT_WRITE_CODE = 5
# Its folder was moved, or became another's: its run is lost, and goes on from a checkpoint.
DISPLACED_CODE = 6


class Child(Protocol):
    """A process that works a run, started by this worker or by one that is gone."""

    def has_ended(self) -> bool:
        """Whether it is gone; what it wrote before is then complete."""

    def exit_code(self) -> int | None:
        """As subprocess tells it; None while it is there, or where nobody knows."""

    def signal(self, number: int) -> None:
        """Send a signal; nothing where it is gone."""


class StartedChild:
    """A child of this process."""

    def __init__(self, process: "subprocess.Popen[bytes]"):
        self.process = process

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def exit_code(self) -> int | None:
        return self.process.returncode

    def signal(self, number: int) -> None:
        if not self.has_ended():
            self.process.send_signal(number)


class AdoptedChild:
    """The child of a worker that is gone.

    Args:
        folder: where its locks are.
        known: the living process that the registry knows; it counts where the folder is gone.
    """

    def __init__(self, folder: RunFolder, known: Callable[[], Process | None] = lambda: None):
        self._folder = folder
        self._known = known

    def has_ended(self) -> bool:
        return not is_alive(self._folder) and self._known() is None

    def exit_code(self) -> int | None:
        return None

    def signal(self, number: int) -> None:
        known = self._known()
        pid = living_pid(self._folder) or (known.pid if known else None)
        # Where it ended in this very moment there is nothing to stop.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if pid is not None:
                os.kill(pid, number)


class Stopping:
    """Asks a child to stop: SIGTERM at first, SIGKILL once the grace time is over; safe to call again and again."""

    def __init__(self) -> None:
        self._asked_at: float | None = None

    def ask(self, child: Child) -> None:
        """Ask once more."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            child.signal(signal.SIGTERM)
        elif time.monotonic() - self._asked_at > STOP_GRACE_SECONDS:
            child.signal(signal.SIGKILL)

    def obeyed(self, child: Child) -> str | None:
        """The signal by which a child died as it was asked to, before it could catch it; None: it died otherwise."""
        asked = self._asked_at is not None and child.exit_code() == -signal.SIGTERM
        return signal.SIGTERM.name if asked else None


def how_it_ended(child: Child) -> str:
    """The end of a child, for people."""
    code = child.exit_code()
    if code is None:
        return NO_LAST_WORD
    if code < 0:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    if code == CANNOT_WRITE_CODE:
        return "it could not write its events: the disk of its run folder is full, or fails"
    if code == DISPLACED_CODE:
        return "its folder was moved or replaced while it worked there"
    return f"ended with exit code {code}"


NO_SOURCES: Mapping[str, str] = MappingProxyType({})


def start_child(
    run: Run,
    folder: RunFolder,
    device: str,
    threads: int,
    sources: Mapping[str, str] = NO_SOURCES,
    command: Sequence[str] = TRAINING_COMMAND,
) -> StartedChild:
    """Start the child of a claimed run.

    Args:
        device: "cpu", or the UUID of a GPU.
        sources: of losses and heads of a user's own, by digest.
        command: what is started, with the run folder and the attempt as its last arguments.

    Raises:
        BusyError: a process holds the run's lock.
        OSError: the folder cannot be written or the process not be started.
    """
    if is_alive(folder):
        raise BusyError(f"The run in {folder.path} is still worked by another process.")
    order = order_of(run, device, threads)
    return StartedChild(start_training(folder, order, run.submission, sources, command))


def has_stepped(run: Run) -> bool:
    """Whether this attempt has done a step, and so holds the memory that it will need."""
    step, kept = run.progress.step, run.progress.checkpoint_step or 0
    return run.imported.events_attempt == run.attempt and step is not None and step >= kept


def last_line(folder: RunFolder, attempt: int) -> str | None:
    """What an attempt logged last; None: nothing."""
    lines = tail_lines(folder.log(attempt), 40)
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), None)
