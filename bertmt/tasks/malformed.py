"""Rows that cannot be used: a few are skipped with one warning, many are an error."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bertmt.errors import DataError
from bertmt.tasks.examples import Example

MAX_ROW = 131_072  # bytes; in characters also the csv module's own limit for one field
SHARE = 100  # one row in so many may be malformed
NAMED = 5  # so many are named in a message


class Malformed(Exception):  # noqa: N818 - never leaves a reader
    """Why one row cannot be used, in words that fit between brackets."""


class SkippedRows:
    """Counts the malformed rows of one file.

    Args:
        file: named in the warning.
        remedy: what a person can do when there are too many; ends the sentence.
    """

    def __init__(self, file: Path, remedy: str):
        self.file = file
        self.remedy = remedy
        self.count = 0
        self._first: list[str] = []

    def add(self, line: int, problem: Malformed) -> None:
        """Count a row that begins on this line."""
        self.count += 1
        if len(self._first) < NAMED:
            self._first.append(f"line {line} ({problem})")

    def too_many(self, rows: int) -> bool:
        """Whether more than 1 % of so many rows are malformed."""
        return self.count * SHARE > rows

    def warnings(self, rows: int) -> tuple[str, ...]:
        """One sentence about the rows that were skipped among `rows`, or none.

        Raises:
            DataError: more than 1 % are malformed, so that this is hardly the file that was meant.
        """
        if not self.count:
            return ()
        left = self.count - len(self._first)
        which = ", ".join(self._first) + (f" and {left:,} more" if left else "")
        if self.too_many(rows):
            raise DataError(
                f"{self.file}: {self.count:,} of {rows:,} rows are malformed where at most 1 % may be, "
                f"{which}; {self.remedy}."
            )
        verb = "was" if self.count == 1 else "were"
        return (f"{self.file}: {self.count:,} of {rows:,} rows {verb} skipped as malformed, {which}.",)


def shown(text: str, length: int = 40) -> str:
    """Text from a file as a message may quote it: short, in quotes, control characters escaped."""
    return ascii(text) if len(text) <= length else ascii(text[:length]) + "…"


def decoded(raw: bytes) -> str:
    """One line of a file as text.

    Raises:
        Malformed: it is too long, no UTF-8, or holds a NUL or a stray carriage return.
    """
    if len(raw) > MAX_ROW:
        raise Malformed(f"longer than {MAX_ROW:,} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("no UTF-8") from None
    if "\0" in text:
        raise Malformed("a NUL byte")
    if "\r" in text:
        raise Malformed("a stray carriage return")
    return text


def is_encodable(text: str) -> bool:
    """JSON can spell NUL and lone surrogates, which UTF-8, and so every tokenizer and file of ours, cannot hold."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def renamed_ids(file: Path, renamed: Sequence[int], lines: Sequence[int], unique: Sequence[Example]) -> Iterable[str]:
    """One sentence about the examples (by their places) whose id an earlier row had, or none."""
    if renamed:
        which = ", ".join(f"line {lines[index]} (now {unique[index].id})" for index in renamed[:NAMED])
        left = len(renamed) - NAMED
        more = f" and {left:,} more" if left > 0 else ""
        ids = "1 id was" if len(renamed) == 1 else f"{len(renamed):,} ids were"
        yield f"{file}: {ids} in use by an earlier row and got a suffix, {which}{more}."
