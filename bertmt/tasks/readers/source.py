"""A split of a user's own task, from the file and the columns that its definition names."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from bertmt import paths
from bertmt.bounded_files import MEBIBYTE, open_plain
from bertmt.errors import DataError, reason_of
from bertmt.tasks.examples import Example, Split, is_plain_id, with_unique_ids
from bertmt.tasks.malformed import MAX_ROW, Malformed, SkippedRows, is_encodable, renamed_ids, shown
from bertmt.tasks.readers.labels import label_of
from bertmt.tasks.readers.rows import Record, Rows
from bertmt.tasks.readers.table import REMEDY, opened_rows
from bertmt.tasks.task import SPLITS, Source, Task

ID_COLUMNS = ("id", "idx")
MOST_ROWS = 10_000_000


def source_file(task: Task, split: str) -> Path:
    """The file of a split.

    Raises:
        DataError: the task has no such split.
    """
    source = _source(task)
    if not source.file(split):
        raise DataError(f"{task.title} has no {split} split: name its file as `{split}` in tasks/{task.name}.toml.")
    return paths.expanded(source.file(split))


def read_source_split(task: Task, split: str) -> Split:
    """The examples of one split.

    Test examples may have no label. An example is called by its column `id` or `idx` where there is one, else by the
    line (of Parquet: the row) on which it begins.

    Raises:
        DataError: the file is missing, unusable, other than what was brought from the hub, lacks a column, has no
            usable row, more than 1 % malformed rows, or a label out of range.
    """
    source, file = _source(task), source_file(task, split)
    if not file.exists():
        place = f"tasks/{task.name}.toml"
        raise DataError(f"{file} is not there: put it back, or name its new place as `{split}` in {place}.")
    _refuse_changed(source, file, split)
    skipped = SkippedRows(file, REMEDY)
    examples: list[Example] = []
    numbers: list[int] = []
    with opened_rows(file) as rows:
        parse = _parser(rows, file, task, split)
        for record in rows.records:
            try:
                examples.append(parse(record))
                numbers.append(record.number)
            except Malformed as problem:
                skipped.add(record.number, problem)
            if len(examples) + skipped.count > MOST_ROWS:
                raise DataError(f"{file} cannot be read: it has more than {MOST_ROWS:,} rows; {REMEDY}.")
    warnings = skipped.warnings(skipped.count + len(examples))
    if not examples:
        raise DataError(f"{file} has columns but no rows: {REMEDY}.")
    unique, renamed = with_unique_ids(examples)
    return Split(task.name, split, unique, (*warnings, *renamed_ids(file, renamed, numbers, unique)))


def read_source_column(task: Task, split: str, column: str) -> list[str]:
    """What stands in a column beside each example of a split, in their order; "" where there is nothing.

    Raises:
        DataError: as `read_source_split`, or there is no such column.
    """
    file = source_file(task, split)
    found = []
    with opened_rows(file) as rows:
        refuse_missing(rows, file, [column])
        parse = _parser(rows, file, task, split)
        for record in rows.records:
            try:
                parse(record)
            except Malformed:
                continue
            value = record.values.get(column)
            found.append("" if value is None else str(value).strip())
    return found


def _source(task: Task) -> Source:
    assert task.source is not None  # the paper's tasks have the course's files
    return task.source


def _refuse_changed(source: Source, file: Path, split: str) -> None:
    """Raise a DataError where a file is not the one that was brought from the hub."""
    present = [each for each in SPLITS if source.file(each)]
    expected = dict(zip(present, source.sha256, strict=False)).get(split)
    if expected and sha256_of(file) != expected:
        raise DataError(
            f"{file} is not what was brought from {source.hub}: bring it again with `bertmt task add --hub … --force`."
        )


def sha256_of(file: Path) -> str:
    """SHA-256 of a file in hex digits.

    Raises:
        DataError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open_plain(file) as opened:
            while piece := opened.read(MEBIBYTE):
                digest.update(piece)
    except OSError as problem:
        raise DataError(f"{file} cannot be read: {reason_of(problem)}; {REMEDY}.") from None
    return digest.hexdigest()


def _parser(rows: Rows, file: Path, task: Task, split: str) -> Callable[[Record], Example]:
    """What makes an example of a record; it raises Malformed, and DataError for a label out of range."""
    source = _source(task)
    labelled = split != "test" or source.label in rows.columns
    refuse_missing(rows, file, [source.text, *filter(None, [source.pair]), *([source.label] if labelled else [])])
    named = next((name for name in rows.columns if name.lower() in ID_COLUMNS), "")

    def example(record: Record) -> Example:
        if record.problem:
            raise record.problem
        first = text_of(record.values, source.text)
        second = text_of(record.values, source.pair) if task.pair else None
        place = f"{file}, {rows.unit} {record.number}"
        value = record.values.get(source.label) if labelled else None
        label = label_of(task, value, place, optional=split == "test")
        return Example(_id(record, named), first, second, label)

    return example


def refuse_missing(rows: Rows, file: Path, needed: list[str]) -> None:
    """Raise a DataError unless each of the columns is there once."""
    for name in needed:
        if rows.columns.count(name) != 1:
            found = ", ".join(shown(each) for each in rows.columns[:8])
            there = f"no column {shown(name)}" if name not in rows.columns else f"several columns {shown(name)}"
            raise DataError(f"{file} has {there}; it has {found}: {REMEDY}.")


def text_of(values: Mapping[str, object], column: str) -> str:
    """A sentence.

    Raises:
        Malformed: it is empty, no text, too long, or what no encoder can read.
    """
    value = values.get(column)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"`{column}` is {type(value).__name__}, not text")
    text = (value or "").strip()
    if not text:
        raise Malformed(f"no `{column}`")
    if len(text) > MAX_ROW:
        raise Malformed(f"`{column}` longer than {MAX_ROW:,} characters")
    if not is_encodable(text):
        raise Malformed("a character that no encoder can read")
    return text


def _id(record: Record, column: str) -> str:
    value = record.values.get(column) if column else None
    name = str(value).strip() if isinstance(value, str | int) else ""
    return name if is_plain_id(name) and len(name) <= 200 and is_encodable(name) else str(record.number)
