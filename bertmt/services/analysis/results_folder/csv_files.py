"""Tables as CSV (RFC 4180 with plain newlines, UTF-8), which the csv module, pandas and spreadsheets read."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.spreadsheets import spreadsheet_text
from bertmt.services.analysis.results_folder.measured import Measured
from bertmt.services.analysis.results_folder.private_files import new_file
from bertmt.services.analysis.results_folder.tables import Table


def write_csv(folder: Path, tables: Sequence[Table], runs: Iterable[Measured]) -> None:
    """A file per table.

    Raises:
        OSError: one cannot be written.
    """
    with ExitStack() as opened:
        writers = []
        for table in tables:
            file = new_file(folder / f"{table.name}.csv")
            lines = opened.enter_context(io.TextIOWrapper(file, encoding="utf-8", newline=""))
            writers.append(csv.writer(lines, lineterminator="\n"))
            writers[-1].writerow(table.columns)
        for measured in runs:
            for table, writer in zip(tables, writers, strict=True):
                writer.writerows(_cells(table, measured))


def _cells(table: Table, measured: Measured) -> Iterator[list[Any]]:
    for row in table.rows(measured):
        yield [_cell(row[name]) for name in table.columns]


def _cell(value: Any) -> Any:
    """A value; a text must neither steer a terminal that shows it, nor be run by a spreadsheet."""
    if isinstance(value, bool):
        return str(value).lower()
    return spreadsheet_text(safe_text(value, keep_newlines=True)) if isinstance(value, str) else value
