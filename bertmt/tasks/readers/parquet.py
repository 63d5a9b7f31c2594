"""Parquet, by pyarrow (`pip install "bertmt[parquet]"`), a batch of rows at a time, without columns of lists or bytes.

Labels of a data set of the hub are numbers whose names stand in the file's metadata: they are read as the names.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from bertmt.bounded_files import MOST_DATA, too_large
from bertmt.errors import DataError
from bertmt.tasks.readers.rows import Record, Rows

MAGIC = b"PAR1"
BATCH = 1_000


def read_parquet(stream: IO[bytes], file: Path) -> Rows:
    """The rows of a file.

    Raises:
        DataError: pyarrow is missing.
        OSError: there is more in it than any data file may have.
        ValueError: it is damaged.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415 - of an extra, and 0.1 s
    except ImportError:
        raise DataError(
            f'{file} is a Parquet file, which needs pyarrow: `pip install "bertmt[parquet]"`, or save it as CSV or '
            "JSON lines."
        ) from None
    try:
        opened = pyarrow.parquet.ParquetFile(stream)
        groups = range(opened.metadata.num_row_groups)
        if sum(opened.metadata.row_group(each).total_byte_size for each in groups) > MOST_DATA:
            raise too_large(file, MOST_DATA)
        schema = opened.schema_arrow
        columns = [field.name for field in schema if _is_plain(field.type)]
        names = _class_names(schema.metadata or {})
    except OSError:
        raise
    except Exception as problem:  # errors of several kinds, those of Python included
        raise ValueError(f"damaged Parquet: {str(problem)[:100]}") from None
    return Rows(tuple(columns), _records(opened, columns, names), "row", "Parquet", names)


def _is_plain(kind: Any) -> bool:
    import pyarrow.types as types  # noqa: PLC0415 - of an extra

    kind = kind.value_type if types.is_dictionary(kind) else kind
    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return any(test(kind) for test in tests)


def _records(opened: Any, columns: list[str], names: Mapping[str, tuple[str, ...]]) -> Iterator[Record]:
    number = 0
    batches = opened.iter_batches(batch_size=BATCH, columns=columns)
    while True:
        try:
            rows = next(batches).to_pylist()
        except StopIteration:
            return
        except Exception as problem:
            raise ValueError(f"damaged Parquet: {str(problem)[:100]}") from None
        for row in rows:
            number += 1
            yield Record(number, {column: _named(names.get(column), value) for column, value in row.items()})


def _named(names: tuple[str, ...] | None, value: object) -> object:
    """A label by its name; −1 is the hub's word for none."""
    if names is None or not isinstance(value, int):
        return value
    if value == -1:
        return None
    return names[value] if 0 <= value < len(names) else value


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """What the hub's library left in a file about columns of classes; nothing where it left nothing."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {column: about.get("names") for column, about in features.items()}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {
        column: tuple(names)
        for column, names in found.items()
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    }
