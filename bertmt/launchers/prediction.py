"""Starting the children that predict, by their modules' names."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PREDICTION_COMMAND = (sys.executable, "-P", "-m", "bertmt.prediction")
EXPORT_COMMAND = (sys.executable, "-P", "-m", "bertmt.prediction.export")
TRYING_COMMAND = (sys.executable, "-P", "-m", "bertmt.prediction.several")
LONGEST_COMPLAINT = 16 * 1024  # bytes of what a child complained of last


class Ended(NamedTuple):
    """What a child wrote, as bytes, and its exit code."""

    said: bytes
    complaints: bytes
    code: int


def ask_prediction(run_folder: Path, allowed: Iterable[str], asked: bytes) -> Ended:
    """Start the child with a run's folder, write all that is asked, and wait for its end.

    Args:
        allowed: digests of a user's own code that the child may run.

    Raises:
        OSError: it cannot be started.
    """
    return _ask([*PREDICTION_COMMAND, str(run_folder), *allowed], asked)


def ask_export(run_folder: Path, allowed: Iterable[str], asked: bytes) -> Ended:
    """Start the child that writes a run's model for another library; arguments as of `ask_prediction`."""
    return _ask([*EXPORT_COMMAND, str(run_folder), *allowed], asked)


def _ask(command: Sequence[str], asked: bytes) -> Ended:
    # `communicate` reads while it writes, so neither side waits for the other over a full pipe.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            said, complaints = child.communicate(asked)
        except BaseException:
            child.kill()
            raise
    return Ended(said, complaints, child.returncode)


class TryingChild:
    """The child that keeps several models, see `bertmt.prediction.several`.

    It ends where its input ends, so also where this process dies. What libraries complain of goes to a file without a
    name: a pipe that nobody reads would stop it.
    """

    def __init__(self, command: Sequence[str]):
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, start_new_session=True
            )
        except BaseException:
            self._complaints.close()
            raise

    def write(self, line: bytes) -> None:
        """Write a line; to a child that is gone, nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):  # ValueError: it was closed
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def lines(self) -> Iterator[bytes]:
        """What it says, until it ends."""
        assert self._process.stdout is not None
        yield from self._process.stdout

    def why_it_ended(self) -> str:
        """A sentence, once it says nothing more: its own last one, or what ended it."""
        code = self._process.wait()
        if code < 0:
            return f"The child that answers was ended by signal {-code}."
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - LONGEST_COMPLAINT))
        said = [line for line in self._complaints.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return said[-1].strip() if code and said else f"The child that answers ended with exit code {code}."

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def end(self) -> None:
        """Wait for its end and close what is open."""
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._complaints):
            with contextlib.suppress(OSError):
                if file is not None:
                    file.close()


def start_trying() -> TryingChild:
    """Start the child that keeps several models.

    Raises:
        OSError: it cannot be started.
    """
    return TryingChild(TRYING_COMMAND)
