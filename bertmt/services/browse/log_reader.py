"""Following a log file that grows, is cut or is replaced, within bounded memory."""

import os
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt.bounded_files import open_plain

# At most so much is read at once; of a log that grew by more only the end is shown.
TAIL_BYTES = 1 << 18
MOST_LINES = 5000
# A longer line comes in pieces: a log of one endless line must not fill the memory.
LONGEST_LINE_BYTES = 4096

_TRACEBACK = "Traceback (most recent call last)"
_ERROR = re.compile(
    rf"^{re.escape(_TRACEBACK)}"
    r"|\b\w*(?:[Ee]rror|Exception)(?=:|$)"
    r"|\b(?:ERROR|CRITICAL|FATAL)\b"
    r"|out of memory|\bKilled\b|\bSegmentation fault\b|\bAborted\b|\bcore dumped\b",
)


class LogReader:
    """The lines of a log as they come.

    Attributes:
        lines: the last whole lines that were read, at most `most`; those of the new file where it was replaced.
        skipped_bytes: how much of the file was never read, because it is too much to show.
    """

    def __init__(self, path: Path, most: int = MOST_LINES):
        self.path = path
        self.lines: deque[str] = deque(maxlen=most)
        self.skipped_bytes = 0
        self._file: tuple[int, int] | None = None
        self._position = 0
        self._unfinished = b""

    def poll(self) -> list[str]:
        """The whole lines that came since the last call; all from the start where the file was cut or replaced.

        A line of which a progress bar wrote many versions is its last version, as on a terminal.
        """
        try:
            with open_plain(self.path) as file:
                added, cut = self._read(file.fileno())
        except OSError:  # not there yet, or no longer: what was read stays
            return []
        *whole, self._unfinished = (self._unfinished + added).split(b"\n")
        if cut and whole:  # the reader jumped into the middle of a line
            whole = whole[1:]
        pieces = [piece for each in whole for piece in _pieces(each) or [b""]]
        while len(self._unfinished) >= LONGEST_LINE_BYTES:
            pieces.append(self._unfinished[:LONGEST_LINE_BYTES])
            self._unfinished = self._unfinished[LONGEST_LINE_BYTES:]
        found = [_shown(piece) for piece in pieces]
        self.lines.extend(found)
        return found

    @property
    def unfinished(self) -> str:
        """What stands behind the last whole line; a process that was killed leaves such an end."""
        return _shown(self._unfinished)

    def _read(self, handle: int) -> tuple[bytes, bool]:
        """What is new, and whether something before it was left out."""
        about = os.fstat(handle)
        file = about.st_dev, about.st_ino
        if file != self._file or about.st_size < self._position:
            self._file, self._position, self._unfinished, self.skipped_bytes = file, 0, b"", 0
            self.lines.clear()
        left_out = max(0, about.st_size - self._position - TAIL_BYTES)
        if left_out:
            self.skipped_bytes += left_out + len(self._unfinished)
            self._position += left_out
            self._unfinished = b""
        added = os.pread(handle, TAIL_BYTES, self._position)
        self._position += len(added)
        return added, bool(left_out)


@dataclass(frozen=True)
class Part:
    """The lines of a log about one of them.

    Attributes:
        place: of that line among them.
        is_whole: they are all that the log has.
    """

    lines: Sequence[str]
    place: int
    is_whole: bool


def lines_about(path: Path, offset: int) -> Part:
    """The lines of a log about the one that begins at a byte; none where it cannot be read."""
    start = max(0, offset - TAIL_BYTES // 2)
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            before = os.pread(file.fileno(), min(offset, size) - start, start) if offset > start else b""
            behind = os.pread(file.fileno(), TAIL_BYTES // 2, offset)
    except OSError:
        return Part((), 0, True)
    if start:  # in the middle of a line
        before = before.partition(b"\n")[2]
    is_whole = not start and offset + len(behind) >= size
    texts = [[_shown(piece) for each in _ended(part) for piece in _pieces(each) or [b""]] for part in (before, behind)]
    first = texts[0][-MOST_LINES // 2 :]
    return Part([*first, *texts[1][: MOST_LINES // 2]], len(first), is_whole)


def _ended(part: bytes) -> list[bytes]:
    """Its lines, without line feeds."""
    return part.removesuffix(b"\n").split(b"\n") if part else []


def _pieces(line: bytes) -> list[bytes]:
    return [line[start : start + LONGEST_LINE_BYTES] for start in range(0, len(line), LONGEST_LINE_BYTES)]


def _shown(line: bytes) -> str:
    return line.removesuffix(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")


def is_error_line(line: str) -> bool:
    """Whether a line of a log tells of an error: an exception, a killed process, memory that ran out."""
    return _ERROR.search(line) is not None


def error_blocks(lines: Sequence[str]) -> list[range]:
    """Where in a log its errors stand: a traceback with the exception that ends it is one, any other such line too."""
    found: list[range] = []
    index = 0
    while index < len(lines):
        end = index + 1
        if lines[index].startswith(_TRACEBACK):
            # What belongs to it is indented; notes of the exception and its further lines cannot be told from others.
            while end < len(lines) and (lines[end].startswith(" ") or not lines[end]):
                end += 1
            if end < len(lines) and not lines[end].startswith(_TRACEBACK):
                end += 1
        if is_error_line(lines[index]):
            found.append(range(index, end))
        index = end
    return found
