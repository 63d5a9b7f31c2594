"""Predictions of any other program, from files such as the course's: a header, then an id and a prediction per line."""

from collections.abc import Sequence
from pathlib import Path

from bertmt.bounded_files import MEBIBYTE, read_bytes
from bertmt.errors import DataError, reason_of
from bertmt.tasks.examples import Example
from bertmt.tasks.malformed import shown
from bertmt.tasks.task import Task

MOST_PREDICTIONS = 64 * MEBIBYTE
NAMED = 3  # ids that a message names


def read_prediction_file(file: Path, task: Task, examples: Sequence[Example]) -> list[float]:
    """What a file predicts for these examples, in their order: classes by their number, or numbers on any scale.

    Lines are `id , prediction`, as in the course's files, or separated by a tab; a class may stand by its name. The
    first line is a header where its second field is no prediction.

    Raises:
        DataError: the file cannot be read, a line is no prediction, or its ids are not those of the examples.
    """
    try:
        text = read_bytes(file, MOST_PREDICTIONS).decode("utf-8-sig")
    except (OSError, ValueError) as problem:
        raise DataError(f"{file} cannot be read: {reason_of(problem)}.") from None
    found: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t" if "," not in line else ",")]
        value = _prediction(task, fields[1]) if len(fields) == 2 else None
        if value is None:
            if number == 1:
                continue
            raise DataError(
                f"{file}, line {number}: expected `id , prediction` with {_expected(task)}, found {shown(line)}."
            )
        name = fields[0].lower() if task.course else fields[0]  # ids of the course's files are read in small letters
        if name in found:
            raise DataError(f"{file}, line {number}: {shown(name)} is predicted twice.")
        found[name] = value
    return _in_order(file, task, examples, found)


def _in_order(file: Path, task: Task, examples: Sequence[Example], found: dict[str, float]) -> list[float]:
    missing = [each.id for each in examples if each.id not in found]
    unknown = sorted(set(found) - {each.id for each in examples})
    for ids, what in ((missing, "lacks {} of {}'s examples"), (unknown, "has {} ids that are none of {}'s")):
        if ids:
            named = ", ".join(map(shown, ids[:NAMED])) + (", …" if len(ids) > NAMED else "")
            raise DataError(f"{file} {what.format(f'{len(ids):,}', task.title)} ({named}): is it of another split?")
    return [found[each.id] for each in examples]


def _prediction(task: Task, text: str) -> float | None:
    """A prediction; None: it is none."""
    if text in task.classes:
        return float(task.classes.index(text))
    try:
        value = float(text)
    except ValueError:
        return None
    if task.classes:
        return value if value in range(len(task.classes)) else None
    return value if abs(value) < 1e6 else None


def _expected(task: Task) -> str:
    return f"a class from 0 to {len(task.classes) - 1}" if task.classes else "a number"
