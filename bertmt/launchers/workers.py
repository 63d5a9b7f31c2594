"""Starting workers by their module's name: in the background, in front of this process, or in its place."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn


def worker_command(
    registry: Path, drain: bool = False, slots: int = 1, device: str = "auto", elsewhere: Sequence[str] = ()
) -> list[str]:
    """The command line of a worker.

    Args:
        elsewhere: options that name another launcher than this machine's, and its settings.
    """
    command = [sys.executable, "-m", "bertmt.worker", "--db", str(registry), "--slots", str(slots), "--device", device]
    command += elsewhere
    return [*command, "--drain"] if drain else command


def start_in_background(command: Sequence[str], log: Path) -> int:
    """Start a worker in its own session, which survives the terminal, and return its pid.

    Args:
        log: what it writes is put behind what is there; its folder is there.

    Raises:
        OSError: the log cannot be opened or the process not be started.
    """
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    return process.pid


def run_in_front(command: Sequence[str]) -> int:
    """Run a worker as a child of this process, which only passes signals on; its exit code."""
    child = subprocess.Popen(command)
    # Ctrl-C reaches the whole process group, so the worker hears it too and puts its runs back; we wait for that.
    handlers = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        return child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def become(command: Sequence[str]) -> NoReturn:
    """Let a worker take this process' place: signals and exit code are its own."""
    os.execv(command[0], list(command))


@contextmanager
def running_beside(command: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as a child of this process, which goes on meanwhile; at the end it is stopped, and puts its runs back.

    What it writes goes to stderr: stdout is for the answer of this process.
    """
    child = subprocess.Popen(command, stdout=2)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait()
