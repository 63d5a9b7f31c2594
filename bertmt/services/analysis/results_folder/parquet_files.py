"""Tables as Parquet, by pyarrow (`pip install "bertmt[parquet]"`): times are times, and texts stay as they are."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bertmt.errors import BertmtError
from bertmt.services.analysis.results_folder.measured import Measured
from bertmt.services.analysis.results_folder.private_files import new_file
from bertmt.services.analysis.results_folder.tables import FLAG, INTEGER, NUMBER, TEXT, TIME, Record, Table

ROWS = 100_000  # of a group, which is what is in memory at once


def write_parquet(folder: Path, tables: Sequence[Table], runs: Iterable[Measured]) -> None:
    """A file per table.

    Raises:
        BertmtError: pyarrow is missing.
        OSError: one cannot be written.
    """
    arrow = _pyarrow()
    schemas = [_schema(arrow, table) for table in tables]
    with ExitStack() as opened:
        writers = []
        for table, schema in zip(tables, schemas, strict=True):
            file = opened.enter_context(new_file(folder / f"{table.name}.parquet"))
            writers.append(opened.enter_context(arrow.parquet.ParquetWriter(file, schema)))
        for measured in runs:
            for table, schema, writer in zip(tables, schemas, writers, strict=True):
                for rows in _groups(table.rows(measured)):
                    columns = [[_value(row[name], kind) for row in rows] for name, kind in table.columns.items()]
                    arrays = [arrow.array(*each) for each in zip(columns, schema.types, strict=True)]
                    writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _groups(rows: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(rows)
    while found := list(islice(left, ROWS)):
        yield found


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet  # noqa: PLC0415 - of an extra, and 0.1 s
    except ImportError:
        raise BertmtError('Parquet needs pyarrow: `pip install "bertmt[parquet]"`, or use --to csv.') from None
    return pyarrow


def _schema(arrow: Any, table: Table) -> Any:
    kinds = {
        TEXT: arrow.string(), INTEGER: arrow.int64(), NUMBER: arrow.float64(), FLAG: arrow.bool_(),
        TIME: arrow.timestamp("ms", "UTC"),
    }  # fmt: skip
    return arrow.schema([(name, kinds[kind]) for name, kind in table.columns.items()])


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == TIME:
        return datetime.fromisoformat(value)
    if kind == TEXT:
        return str(value).encode("utf-8", "replace").decode("utf-8")  # half a character cannot be written
    return value
