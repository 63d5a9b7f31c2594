"""The files of events and logs in a run folder: appended to by one process, read by any.

One event is one line is one unbuffered `write`, so an event whose call returned survives the death of the process; a
torn last line has no newline and is not read.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bertmt.bounded_files import MEBIBYTE, MOST_JSON, open_plain
from bertmt.errors import BusyError
from bertmt.run_folder.events import Event, parse_event, to_json
from bertmt.run_folder.locks import lock
from bertmt.run_folder.unreadable import unreadable_as_sentence


class EventWriter:
    """Appends events to one attempt's file.

    Args:
        fresh: the file must not be there yet: an attempt has one writer, and none once somebody declared it dead. It is
            locked until it is closed or the process dies: a second proof of life, should `alive` be deleted.

    Raises:
        BusyError: `fresh`, and the file is there.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, fresh: bool = False):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_EXCL if fresh else 0)
        try:
            self._handle = os.open(path, flags, 0o600)
        except FileExistsError:
            raise BusyError(f"Another process has begun this attempt, or declared it dead: {path} is there.") from None
        if fresh:
            lock(self._handle)
        self._torn = False

    def write(self, event: Event) -> None:
        """Append one event; when this returns, the kernel has it.

        Raises:
            OSError: the disk is full or gone. Half a line may then stand at the end: readers skip it, and the
                next event starts on a new line.
        """
        data = b"\n" * self._torn + to_json(event) + b"\n"
        self._torn = True
        while data:
            data = data[os.write(self._handle, data) :]
        self._torn = False

    def flush(self) -> None:
        """When this returns, the disk has all that was written.

        Done before each checkpoint: a power cut could otherwise leave a checkpoint that is ahead of its events, and the
        resumed attempt would never measure those steps again.

        Raises:
            OSError: the disk is full or fails.
        """
        os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def read_events(path: Path, offset: int = 0, limit_bytes: int = 1 << 24) -> tuple[list[Event], int, int]:
    """The complete events from byte `offset` on.

    Returns:
        the events, the offset behind the last complete line read, and how many lines were no event (a torn
        line of a dead attempt, a flipped byte, more than 64 MiB): these are skipped.

    Raises:
        DataError: the file is there and cannot be read.
    """
    try:
        with unreadable_as_sentence(path), open_plain(path) as file:
            file.seek(offset)
            content = file.read(limit_bytes)
            if len(content) == limit_bytes:
                content += file.readline(MOST_JSON)  # a line longer than the limit must not stop the reader for good
            end = content.rfind(b"\n") + 1
            if not end and len(content) == limit_bytes + MOST_JSON:  # nor one that no memory holds
                behind = _behind_line(file)
                return [], behind or offset, int(behind is not None)
    except FileNotFoundError:
        return [], offset, 0
    events, broken = [], 0
    for line in filter(None, content[:end].split(b"\n")):
        event = parse_event(line)
        if event is None:
            broken += 1
        else:
            events.append(event)
    return events, offset + end, broken


def _behind_line(file: IO[bytes]) -> int | None:
    """Where the line ends that is being read; None where it has no end yet."""
    while piece := file.readline(MEBIBYTE):
        if piece.endswith(b"\n"):
            return file.tell()
    return None


def tail_lines(path: Path, count: int, limit_bytes: int = 1 << 18) -> list[str]:
    """The last `count` lines of a log, without reading more than `limit_bytes` of it; none where there is no log.

    Raises:
        DataError: it is there and cannot be read.
    """
    try:
        with unreadable_as_sentence(path), open_plain(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit_bytes))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-count:] if count > 0 else []


def attempts(folder: Path) -> Iterator[int]:
    """The attempts that left an event file, ascending."""
    found = []
    for path in folder.glob("events-*.jsonl"):
        number = path.stem.removeprefix("events-")
        if number.isascii() and number.isdigit():
            found.append(int(number))
    return iter(sorted(found))
