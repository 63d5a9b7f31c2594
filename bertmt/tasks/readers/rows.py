"""What every format is read as: rows of values by the names of their columns."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bertmt.tasks.malformed import Malformed


class Record(NamedTuple):
    """One row: its values, or why there are none.

    Attributes:
        number: the line on which it begins, or of a Parquet file the row; from 1.
        values: by column: text, numbers or None as the format has them.
    """

    number: int
    values: Mapping[str, object] = {}
    problem: Malformed | None = None


class Rows(NamedTuple):
    """A file that is being read.

    Attributes:
        columns: their names in order; of JSON lines the keys of the first object.
        unit: what a record's number counts, "line" or "row".
        format: what people call it.
        names: of columns of classes, their names in order, where the file itself tells them.
    """

    columns: tuple[str, ...]
    records: Iterator[Record]
    unit: str = "line"
    format: str = ""
    names: Mapping[str, tuple[str, ...]] = {}
