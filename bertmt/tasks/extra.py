"""Extra paraphrase pairs for a training split (PARA's): `.jsonl` or `.jsonl.gz`, one `["title a", "title b"]` per line.

The format is that of the StackExchange duplicate questions (section 5.1): every pair is a paraphrase.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import IO, cast

from bertmt.bounded_files import open_plain
from bertmt.errors import DataError, reason_of
from bertmt.tasks.examples import Example, Split
from bertmt.tasks.malformed import Malformed, SkippedRows, decoded, is_encodable, shown
from bertmt.tasks.readers.lines import numbered_lines
from bertmt.tasks.task import Task

REMEDY = "repair it, or name another file with `bertmt init --extra-data FILE`"
# Lines without a pair, blank or not, before a file is given up: an archive may hold billions.
MOST_BESIDES = 1_000_000


def read_extra_file(file: Path, task: Task, limit: int) -> Split:
    """The first `limit` pairs of a file, or all where there are fewer, each labelled 1.

    The file is read only as far as needed, so an archive of millions of pairs costs no more than the pairs taken.

    Raises:
        DataError: the file is missing or damaged, holds no pair, or more than 1 % of its lines are malformed.
    """
    skipped = SkippedRows(file, REMEDY)
    pairs: list[Example] = []
    read = 0
    try:
        with open_plain(file) as opened, _opened(opened, file) as stream:
            for number, line in numbered_lines(stream, file):
                # A short excerpt may have its share of bad lines by chance: then the whole file decides.
                if len(pairs) >= limit and not skipped.too_many(read):
                    break
                if number - read + skipped.count > MOST_BESIDES:
                    raise ValueError(f"more than {MOST_BESIDES:,} of its lines are blank or hold no pair")
                if not line:
                    continue
                read += 1
                try:
                    first, second = _pair(line)
                except Malformed as problem:
                    skipped.add(number, problem)
                    continue
                if len(pairs) < limit:
                    pairs.append(Example(f"extra-{number}", first, second, 1))
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        raise DataError(f"The extra pairs in {file} cannot be read ({reason_of(problem)}): {REMEDY}.") from None
    warnings = skipped.warnings(read)
    if not pairs:
        raise DataError(f'{file} holds no pairs where each line should be ["title a", "title b"]: {REMEDY}.')
    return Split(task.name, "extra", tuple(pairs), warnings)


def _opened(opened: IO[bytes], file: Path) -> IO[bytes]:
    # An archive's content is read in pieces, and as far as needed: it may be any number of times as large.
    return opened if file.suffix != ".gz" else cast(IO[bytes], gzip.GzipFile(fileobj=opened))


def _pair(line: bytes) -> tuple[str, str]:
    """The two titles of a line.

    Raises:
        Malformed: it is no JSON list of two strings with something in them.
    """
    text = decoded(line)
    try:
        titles = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(f"no JSON: {shown(text, 20)}") from None
    if not isinstance(titles, list) or len(titles) != 2 or not all(isinstance(title, str) for title in titles):
        raise Malformed("no list of two strings")
    first, second = (title.strip() for title in titles)
    if not first or not second:
        raise Malformed("an empty title")
    if not is_encodable(first + second):
        raise Malformed("a character that no encoder can read")
    return first, second
