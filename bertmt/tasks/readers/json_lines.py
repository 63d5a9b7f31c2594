"""JSON lines: an object per line, its keys the columns."""

import json
from collections.abc import Iterator
from itertools import chain

from bertmt.tasks.malformed import Malformed, decoded, shown
from bertmt.tasks.readers.lines import BYTE_ORDER_MARK
from bertmt.tasks.readers.rows import Record, Rows

MOST_BEFORE = 1_000  # lines without an object before a file is given up


def read_json_lines(lines: Iterator[tuple[int, bytes]]) -> Rows:
    """The rows of a file; the columns are the keys of the first line that is an object."""
    records = _records(lines)
    before = []
    for record in records:
        before.append(record)
        if not record.problem:
            return Rows(tuple(record.values), chain(before, records), format="JSON lines")
        if len(before) == MOST_BEFORE:
            break
    return Rows((), iter(before), format="JSON lines")


def _records(lines: Iterator[tuple[int, bytes]]) -> Iterator[Record]:
    for number, line in lines:
        content = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        if content.strip():
            try:
                yield Record(number, _object(content))
            except Malformed as problem:
                yield Record(number, problem=problem)


def _object(line: bytes) -> dict[str, object]:
    text = decoded(line)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(f"no JSON: {shown(text, 20)}") from None
    if not isinstance(found, dict):
        raise Malformed(f"no JSON object: {shown(text, 20)}")
    return found
