"""The course's prediction files, byte for byte as its own script writes them.

A header line, then per example the id and the prediction with ` , ` between them and a space before the line end. The
headers' spelling is the course's. A paraphrase is written as `1.0` or `0.0`, since the course rounds a float. A user's
own tasks are written alike.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import DataError
from bertmt.tasks.examples import is_plain_id
from bertmt.tasks.malformed import shown
from bertmt.tasks.task import SPLITS, Task


def course_file_name(task: Task, split: str) -> str:
    """`sst-dev-output.csv` and so on; the course asks for dev and test."""
    if split not in SPLITS:
        raise ValueError(f"no course file for {task.name}/{split}")
    return f"{task.name}-{split}-output.csv"


def course_file_content(task: Task, rows: Iterable[tuple[str, float]]) -> str:
    """The text of a prediction file.

    Args:
        rows: id and predicted label: a class, or a number on any linear scale.

    Raises:
        DataError: an id would break its line, or a prediction is no finite number or no class.
    """
    lines = [task.course.header if task.course else f"id \t Predicted_{task.title} "]
    for name, value in rows:
        if not is_plain_id(name):
            raise DataError(f"The id {shown(name)} cannot stand in a prediction file: an id is one word, no comma.")
        lines.append(f"{name} , {_written(task, name, float(value))} ")
    return "\n".join(lines) + "\n"


def write_course_file(path: Path, task: Task, rows: Iterable[tuple[str, float]]) -> None:
    """Write a prediction file, whole or not at all; Raises as `course_file_content`, and OSError."""
    atomic_files.write_text(path, course_file_content(task, rows))


def _written(task: Task, name: str, value: float) -> str:
    if not math.isfinite(value) or (task.classes and value not in range(len(task.classes))):
        raise DataError(
            f"The prediction for {name} is {value}, no label of {task.title}: look for NaN in the run's curves."
        )
    if task.classes:
        return f"{value:.{task.course.decimals if task.course else 0}f}"
    return f"{value:.7g}"  # as many digits as float32 holds
