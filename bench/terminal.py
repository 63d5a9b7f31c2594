"""A pseudo-terminal with a program in it: what a person sees, and when."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.emulator import Emulator

READ_BYTES = 1 << 16
PATIENCE_SECONDS = 60.0
KEY_SECONDS = 0.3


class Terminal:
    """A running program; its output is read as it comes.

    Args:
        command: what runs in it.
        columns, lines: its size.
        environment: variables that are set there, or are not where the value is "".

    Attributes:
        output: what the program wrote since the start, or since the last `drain`.
        received: how many bytes have come in all.
        screen: what a person sees of it.
    """

    def __init__(
        self, command: Sequence[str | Path], columns: int, lines: int, environment: Mapping[str, str] | None = None
    ):
        self.started_at = time.perf_counter()
        self.pid, self._handle = pty.fork()
        if not self.pid:
            # The child: the size has to be there before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            wanted = {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | dict(environment or {})
            os.execve(
                str(command[0]),
                [str(word) for word in command],
                {name: value for name, value in (dict(os.environ) | wanted).items() if value or name not in wanted},
            )
        self.output = b""
        self.received = 0
        self.screen = Emulator(columns, lines)
        self._read_at = self.started_at

    def wait_for(self, text: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Read until a text comes; seconds that this took.

        Raises:
            TimeoutError: it did not come.
        """
        begun = time.perf_counter()
        wanted, since = text.encode(), len(self.output)
        while wanted not in self.output[since:]:
            if time.perf_counter() - begun > seconds:
                raise TimeoutError(f"{text!r} did not come within {seconds:.0f} s; there is {self.output[-500:]!r}")
            self.read(0.05)
        return time.perf_counter() - begun

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds at most, as soon as something does."""
        ready, _, _ = select.select([self._handle], [], [], seconds)
        added = os.read(self._handle, READ_BYTES) if ready else b""
        self.output += added
        self.received += len(added)
        self._read_at = time.perf_counter()
        self.screen.feed(added)
        return added

    def wait_to_show(self, text: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Read until a text stands on the screen, in one line; seconds until the bytes came that put it there, from the
        start of the program for the first, else from this call.

        Raises:
            TimeoutError: it did not come.
        """
        begun = time.perf_counter() if self.received else self.started_at
        while text not in self.screen.text():
            if time.perf_counter() - begun > seconds:
                raise TimeoutError(f"{text!r} did not come within {seconds:.0f} s; there is\n{self.screen.text()}")
            self.read(0.05)
        return self._read_at - begun

    def wait_for_answer(self) -> float:
        """Seconds until something comes: what a key changes is written at once."""
        begun = time.perf_counter()
        while not self.read(1.0):
            if time.perf_counter() - begun > PATIENCE_SECONDS:
                raise TimeoutError("The program wrote nothing.")
        return self._read_at - begun

    def show_for(self, seconds: float) -> None:
        """Read for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(min(left, 0.05))
        self.output = b""

    def drain(self, seconds: float) -> None:
        """Read, and forget, for so long."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.read(0.05)
        self.output = b""

    def type(self, keys: str) -> None:
        """Each key by itself: a burst would be taken for a paste."""
        for number, key in enumerate(keys):
            if number:
                self.read(KEY_SECONDS)
            os.write(self._handle, key.encode())

    def send(self, text: str) -> None:
        """Write at once, as a terminal does what a mouse did."""
        os.write(self._handle, text.encode())

    def resident_mib(self) -> float:
        """Memory of the program."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def hang_up(self) -> None:
        """The terminal goes, as where a connection breaks."""
        os.close(self._handle)
        self._handle = os.open(os.devnull, os.O_RDWR)

    def ends_within(self, seconds: float) -> bool:
        """Whether the program's process comes to its end in time."""
        late = time.monotonic() + seconds
        while time.monotonic() < late:
            # Left to be waited for, as `close` does.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
            time.sleep(0.05)
        return False

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._handle)
