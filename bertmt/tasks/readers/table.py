"""A user's file as rows; its format is told by what is in it: Parquet by its first bytes, JSON lines by their brace."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from bertmt.bounded_files import open_plain
from bertmt.errors import DataError, reason_of
from bertmt.tasks.malformed import Malformed
from bertmt.tasks.readers.delimited import read_delimited
from bertmt.tasks.readers.json_lines import read_json_lines
from bertmt.tasks.readers.lines import BYTE_ORDER_MARK, inflating, numbered_lines
from bertmt.tasks.readers.parquet import MAGIC, read_parquet
from bertmt.tasks.readers.rows import Rows

REMEDY = "repair it, or name another file with `bertmt task add --force`"
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")


@contextmanager
def opened_rows(file: Path) -> Iterator[Rows]:
    """The rows of a CSV, TSV, JSON lines (each also gzipped) or Parquet file, read as they are asked for.

    Raises:
        DataError: it is missing, empty, damaged, too large, or its header cannot be read; also while rows are read.
    """
    try:
        with open_plain(file) as opened:
            if opened.peek(4)[:4] == MAGIC:
                yield _not_empty(read_parquet(opened, file), file)
                return
            with inflating(opened) as stream:
                lines = numbered_lines(stream, file)
                yield _not_empty(_text_rows(lines, file), file)
    except Malformed as problem:
        raise DataError(f"{file}, line 1: the header cannot be read ({problem}); {REMEDY}.") from None
    except FileNotFoundError:
        raise DataError(f"{file} is not there: name another file, or put it there.") from None
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        raise DataError(f"{file} cannot be read: {reason_of(problem)}; {REMEDY}.") from None


def _text_rows(lines: Iterator[tuple[int, bytes]], file: Path) -> Rows:
    before = []
    first = b""
    for line in lines:
        before.append(line)
        first = line[1].removeprefix(BYTE_ORDER_MARK).strip()
        if first:
            break
    names = file.name.lower().removesuffix(".gz")
    is_json = first.startswith(b"{") or (first and names.endswith(JSON_ENDINGS))
    return (read_json_lines if is_json else read_delimited)(chain(before[-1:], lines))


def _not_empty(rows: Rows, file: Path) -> Rows:
    if rows.columns:
        return rows
    problem = next((each.problem for each in rows.records if each.problem), None)
    if problem:
        raise DataError(f"{file}: no line is a JSON object ({problem}); {REMEDY}.")
    raise DataError(f"{file} is empty: {REMEDY}.")
