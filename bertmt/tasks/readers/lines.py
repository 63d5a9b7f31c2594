"""Lines of a file or of a gzip archive, of which an endless one is never held in memory as a whole."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from bertmt.bounded_files import MOST_DATA, too_large
from bertmt.tasks.malformed import MAX_ROW

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_LINES = 50  # of one row, where quotes let it go on


def inflating(opened: BufferedReader) -> IO[bytes]:
    """A file's content, or that of the archive that it is; read in pieces: it may be any number of times as large."""
    if opened.peek(2)[:2] != GZIP_MAGIC:
        return opened
    return cast(IO[bytes], gzip.GzipFile(fileobj=opened))


def numbered_lines(stream: IO[bytes], file: Path) -> Iterator[tuple[int, bytes]]:
    """Lines by their numbers from 1, without their ends; of a line that is too long for a row only the beginning.

    Args:
        file: named in what is raised.

    Raises:
        OSError: they take more than any data file may have.
        EOFError, zlib.error: the archive is damaged or cut off.
    """
    number = 0
    while line := stream.readline(MAX_ROW + 2):
        number += 1
        rest = line
        while not rest.endswith(b"\n") and stream.tell() <= MOST_DATA and (rest := stream.readline(MAX_ROW)):
            pass
        if stream.tell() > MOST_DATA:
            raise too_large(file, MOST_DATA)
        yield number, line.removesuffix(b"\n").removesuffix(b"\r")


def first_row(lines: Iterable[str], separator: str, strict: bool = False) -> tuple[list[str], int]:
    """The fields of the first row of separated lines, and the number of lines that it takes.

    Args:
        strict: something between a closing quote and the separator is an error, as in RFC 4180.

    Raises:
        csv.Error: it is no row.
    """
    reader = csv.reader(lines, delimiter=separator, strict=strict)
    return next(reader), reader.line_num
