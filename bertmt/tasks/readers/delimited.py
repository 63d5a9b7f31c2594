"""CSV and TSV: a header, then a row per line, or over several lines within quotes.

What separates the fields is read from the header: a tab, else a comma, else a semicolon (as some spreadsheets write
CSV). Quotes are those of RFC 4180. One quote without its partner must not swallow the rows behind it, so a row that is
not closed within 50 lines, or not as strictly as the RFC has it, is malformed, and reading goes on with the very next
line. In TSV many files have quotes that are plain characters: there a line that begins one and closes none is read as
it stands.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence

from bertmt.tasks.malformed import Malformed, decoded
from bertmt.tasks.readers.lines import BYTE_ORDER_MARK, MAX_LINES, first_row
from bertmt.tasks.readers.rows import Record, Rows

SEPARATORS = ("\t", ",", ";")


def read_delimited(lines: Iterator[tuple[int, bytes]]) -> Rows:
    """The rows of a file.

    Raises:
        Malformed: the header cannot be read; one of a file without lines has no columns.
    """
    ahead = _Ahead(lines)
    found = _next_row(ahead, None, 0)
    if found is None:
        return Rows((), iter(()))
    _, header, problem = found
    if problem:
        raise problem
    separator = next((each for each in SEPARATORS if each in header[0]), ",")
    columns = tuple(name.strip() for name in first_row([header[0] + "\n"], separator)[0])
    return Rows(columns, _records(ahead, separator, columns), format="TSV" if separator == "\t" else "CSV")


def _records(ahead: "_Ahead", separator: str, columns: Sequence[str]) -> Iterator[Record]:
    while (found := _next_row(ahead, separator, len(columns))) is not None:
        number, fields, problem = found
        yield Record(number, problem=problem) if problem else Record(number, dict(zip(columns, fields, strict=True)))


class _Ahead:
    """Lines that can be looked at before they are taken."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]):
        self._lines = lines
        self._seen: deque[tuple[int, bytes]] = deque()

    def at(self, place: int) -> tuple[int, bytes] | None:
        """The line so many behind the next one; None where there is none."""
        while len(self._seen) <= place:
            following = next(self._lines, None)
            if following is None:
                return None
            self._seen.append(following)
        return self._seen[place]

    def take(self, count: int) -> None:
        """Leave lines behind."""
        for _ in range(count):
            self._seen.popleft()


def _next_row(ahead: _Ahead, separator: str | None, width: int) -> tuple[int, list[str], Malformed | None] | None:
    """The next line that is not blank: its number, and its fields or why there are none; without a separator, as it
    stands."""
    while (line := ahead.at(0)) is not None and not line[1].strip():
        ahead.take(1)
    if line is None:
        return None
    number, used = line[0], 1
    try:
        if separator is None:
            fields = [decoded(line[1].removeprefix(BYTE_ORDER_MARK))]
        else:
            fields, used = _fields(ahead, separator, width)
        return number, fields, None
    except Malformed as problem:
        return number, [], problem
    finally:
        ahead.take(used)


def _fields(ahead: _Ahead, separator: str, width: int) -> tuple[list[str], int]:
    """The fields of the next row, and how many lines it takes."""
    text = decoded(_line(ahead, 0) or b"")
    try:
        if '"' not in text:  # nearly every row; the csv module would give the same, later
            fields, used = text.split(separator), 1
        else:
            fields, used = first_row([text + "\n", "\n"], separator)
        if used > 1:  # `strict`, for a quote that opens the next row must not pass for the one that closes this one
            fields, used = first_row(_quoted_lines(ahead, separator), separator, strict=True)
    except (csv.Error, Malformed) as problem:
        plain = text.split(separator)
        if separator == "\t" and len(plain) == width:
            return plain, 1
        raise Malformed(str(problem)) from None
    if len(fields) != width:
        raise Malformed(f"{len(fields)} fields instead of {width}")
    return fields, used


def _quoted_lines(ahead: _Ahead, separator: str) -> Iterator[str]:
    """The next line, then those behind it for as long as an open quote may claim them."""
    for place in range(MAX_LINES):
        line = _line(ahead, place)
        text = "" if line is None else decoded(line)
        if line is None or (place and separator == "\t" and "\t" in text.partition('"')[0]):
            break
        yield text + "\n"
    raise Malformed("a quote that is not closed")


def _line(ahead: _Ahead, place: int) -> bytes | None:
    found = ahead.at(place)
    return None if found is None else found[1]
