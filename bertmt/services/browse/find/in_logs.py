"""The lines of a log that hold a text, piece by piece, so that whoever waits can stop in between."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bertmt.bounded_files import MEBIBYTE, open_plain

PIECE_BYTES = 1 << 18
MOST_BYTES = 64 * MEBIBYTE  # of a longer log its end alone is read


@dataclass(frozen=True)
class LogLine:
    """A line that holds the text.

    Attributes:
        offset: the byte at which it begins.
        number: from 1; 0 where the log's beginning was not read.
    """

    text: str
    offset: int
    number: int


def lines_with(path: Path, wanted: str) -> Iterator[LogLine | None]:
    """The lines of a log that hold a casefolded text; None behind each piece that was read.

    A line of which a progress bar wrote many versions is its last version, as on a terminal.

    Raises:
        OSError: it cannot be read.
    """
    with open_plain(path) as file:
        offset = max(0, os.fstat(file.fileno()).st_size - MOST_BYTES)
        file.seek(offset)
        number = 0 if offset else 1
        rest = b""
        while True:
            piece = file.read(PIECE_BYTES)
            block = rest + piece
            end = block.rfind(b"\n") + 1
            # A log of one endless line must not fill the memory.
            end = end if piece and (end or len(block) <= PIECE_BYTES) else len(block)
            block, rest = block[:end], block[end:]
            if wanted in block.decode("utf-8", "replace").casefold():
                yield from _lines_in(block, wanted, offset, number)
            offset += len(block)
            number += number and block.count(b"\n")
            yield None
            if not piece:
                return


def _lines_in(block: bytes, wanted: str, offset: int, number: int) -> Iterator[LogLine]:
    for each in _split(block):
        text = each.rstrip(b"\r\n").rpartition(b"\r")[2].decode("utf-8", "replace")
        if wanted in text.casefold():
            yield LogLine(text, offset, number)
        offset += len(each)
        number += number > 0


def _split(block: bytes) -> Iterator[bytes]:
    """At line feeds alone, which stay."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start) + 1 or len(block)
        yield block[start:end]
        start = end
