"""The local launcher: a process of this machine in a session of its own, so that it outlives the worker."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from bertmt.errors import BusyError
from bertmt.launchers.protocol import LOCAL, NO_SOURCES, Attempt, Child, Finding, Word
from bertmt.launchers.training import TRAINING_COMMAND, order_of, start_training
from bertmt.registry.records import Run
from bertmt.run_folder.layout import RunFolder, is_alive, living_pid
from bertmt.run_folder.processes import Process


class StartedChild:
    """A child of this process."""

    by_lock_alone = False
    besides: tuple[str, ...] = ()

    def __init__(self, process: "subprocess.Popen[bytes]"):
        self.process = process

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def exit_code(self) -> int | None:
        return self.process.returncode

    def signal(self, number: int) -> None:
        if not self.has_ended():
            self.process.send_signal(number)

    def word(self) -> Word | None:
        return None


class AdoptedChild:
    """The child of a worker that is gone.

    Args:
        folder: where its locks are.
        known: the living process that the registry knows; it counts where the folder is gone.
    """

    by_lock_alone = True
    besides: tuple[str, ...] = ()

    def __init__(self, folder: RunFolder, known: Callable[[], Process | None] = lambda: None):
        self._folder = folder
        self._known = known

    def has_ended(self) -> bool:
        return not is_alive(self._folder) and self._known() is None

    def exit_code(self) -> int | None:
        return None

    def signal(self, number: int) -> None:
        signal_worker_of(self._folder, self._known(), number)

    def word(self) -> Word | None:
        return None


def signal_worker_of(folder: RunFolder, known: Process | None, number: int = signal.SIGTERM) -> None:
    """Send a signal to the process of this machine that works a run; nothing where there is none.

    Args:
        known: the living process that the registry knows.

    Raises:
        DataError: a lock's file cannot be opened, or is not one.
    """
    pid = living_pid(folder) or (known.pid if known else None)
    # Where it ended in this very moment there is nothing to stop.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if pid is not None:
            os.kill(pid, number)


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


class LocalLauncher:
    """Starts processes of this machine.

    Args:
        command: what a child is started with.
    """

    name = LOCAL
    round_seconds = 0.5
    outlive_worker = False

    def __init__(self, command: Sequence[str] = TRAINING_COMMAND):
        self._command = command

    def is_ready(self) -> bool:
        return True

    def trouble(self) -> str:
        return ""

    def launch(self, attempt: Attempt) -> Child:
        slot = attempt.slot
        return start_child(attempt.run, attempt.folder, slot.device, slot.threads, attempt.sources, self._command)

    def adopt(self, attempt: Attempt) -> Child:
        return AdoptedChild(attempt.folder, attempt.living)

    def poll(self, children: Sequence[Child]) -> None:
        """The kernel tells whenever it is asked."""

    def checks(self, folder: str) -> Iterator[Finding]:
        return iter(())
