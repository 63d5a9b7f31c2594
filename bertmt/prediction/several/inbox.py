"""What was asked last: whoever types is ahead of any model, and only the newest question is worth an answer."""

import threading
from typing import BinaryIO

LONGEST_LINE = 64 * 1024  # bytes; two texts of `MOST_CHARACTERS` are less, however they are escaped


class Inbox:
    """Reads lines on a thread of its own, so that nobody who writes them waits; keeps the newest alone."""

    def __init__(self, lines: BinaryIO):
        self._lines = lines
        self._newest: bytes | None = None
        self._has_ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._read, name="questions", daemon=True).start()

    def _read(self) -> None:
        while line := self._lines.readline(LONGEST_LINE):
            with self._changed:
                self._newest = line
                self._changed.notify()
        with self._changed:
            self._has_ended = True
            self._changed.notify()

    def take(self) -> bytes | None:
        """The newest line, once there is one; None at the end of the input."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._has_ended)
            line, self._newest = self._newest, None
            return line

    @property
    def has_newer(self) -> bool:
        """Whether something was asked since `take`."""
        return self._newest is not None
