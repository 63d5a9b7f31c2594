"""Rows of a tab-separated file, read as the csv module reads them, with a guard against runaway quotes.

The course reads its files by `csv.DictReader(file, delimiter="\\t")`, so a field that begins with a quote goes on to
the closing quote, over line ends too, and `""` stands for a quote. One quote without its partner then swallows all rows
up to the next quote in the file, without a word. Reading without quotes instead would keep the quotes that the
files' writer added (487 rows of our Quora subset). So quotes are followed, but a row may go on to the next line only
while that line does not look like a row of its own, which has a tab before any quote; otherwise the row is malformed
and reading goes on right after it.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bertmt.tasks.malformed import Malformed, decoded
from bertmt.tasks.readers.lines import BYTE_ORDER_MARK, MAX_LINES, first_row


class Row(NamedTuple):
    """One row of a file: its fields, or why there are none.

    Attributes:
        line: on which it begins, from 1.
    """

    line: int
    fields: Sequence[str] = ()
    problem: Malformed | None = None


def rows(content: bytes) -> Iterator[Row]:
    """All rows of a file, header included, blank lines left out; the first row tells how wide a row is."""
    lines = [line.removesuffix(b"\r") for line in content.removeprefix(BYTE_ORDER_MARK).split(b"\n")]
    width, at = 0, 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        try:
            fields, used = _row_at(lines, at, width)
            yield Row(at + 1, fields)
        except Malformed as problem:
            fields, used = [], 1
            yield Row(at + 1, problem=problem)
        width = width or len(fields)
        at += used


def _row_at(lines: list[bytes], at: int, width: int) -> tuple[list[str], int]:
    """The fields of the row that begins at `at`, and how many lines it takes."""
    text = decoded(lines[at])
    try:
        if '"' not in text:  # nearly every row; the csv module would give the same, later
            fields, used = text.split("\t"), 1
        else:
            fields, used = first_row([text + "\n", "\n"], "\t")  # `"a"b` is read as `ab` as in the course
        if used > 1:  # `strict`, for a quote that opens the next row must not pass for the one that closes this one
            fields, used = first_row(_quoted_lines(lines, at), "\t", strict=True)
    except csv.Error as problem:
        raise Malformed(str(problem)) from None
    if width and len(fields) != width:
        raise Malformed(f"{len(fields)} fields instead of {width}")
    return fields, used


def _quoted_lines(lines: list[bytes], at: int) -> Iterator[str]:
    """The line at `at`, then the next ones for as long as an open quote may claim them."""
    yield decoded(lines[at]) + "\n"
    for line in lines[at + 1 : at + MAX_LINES]:
        text = decoded(line)
        if "\t" in text.partition('"')[0]:
            break
        yield text + "\n"
    raise Malformed("a quote that is not closed")
