"""Where examples come from, by the words that a recipe uses for its data."""

from dataclasses import replace
from pathlib import Path

from bertmt import paths
from bertmt.errors import DataError
from bertmt.tasks.cs224n import read_cs224n_split
from bertmt.tasks.embedded.toy import toy_extra_pairs, toy_split
from bertmt.tasks.examples import Split, with_unique_ids
from bertmt.tasks.extra import read_extra_file
from bertmt.tasks.readers.source import read_source_split
from bertmt.tasks.task import Task

TOY = "toy"


def read_split(data: str, task: Task, split: str) -> Split:
    """The examples of one task's train, dev or test split.

    Args:
        data: `toy` for the embedded data, else a folder in the CS224N format (`./toy` is a folder of that name); a task
            with a source of its own does not ask.

    Raises:
        DataError: the data are missing or unusable; see `read_cs224n_split` and `read_source_split`.
    """
    if task.source:
        return read_source_split(task, split)
    if data == TOY:
        return toy_split(task, split)
    if not data:
        raise DataError(
            "No data are named: name a folder in the CS224N format with `bertmt init --data DIR`, or use the embedded "
            "data with `--data toy`."
        )
    return read_cs224n_split(_path(data), task, split)


def read_extra_pairs(file: str, task: Task, limit: int) -> Split:
    """The first `limit` extra paraphrase pairs, each labelled 1.

    Args:
        file: `toy` for the embedded pairs, else a `.jsonl` or `.jsonl.gz` file.

    Raises:
        DataError: the file is missing or unusable; see `read_extra_file`.
    """
    if file == TOY:
        return toy_extra_pairs(task).first(limit)
    if not file:
        raise DataError(
            "No file of extra pairs is named: name one with `bertmt init --extra-data FILE`, or use the embedded ones "
            "with `--set extra_data_file=toy`."
        )
    return read_extra_file(_path(file), task, limit)


def with_extra_pairs(split: Split, extra: Split) -> Split:
    """A training split with the extra pairs behind it."""
    examples, _ = with_unique_ids([*split.examples, *extra.examples])
    return replace(split, examples=examples, warnings=split.warnings + extra.warnings)


def _path(name: str) -> Path:
    return paths.expanded(name)
