"""The course's prediction files, byte for byte as its own script writes them.

A header line, then per example the id and the prediction with ` , ` between them and a space before the line end. The
third header's spelling is the course's. A paraphrase is written as `1.0` or `0.0`, since the course rounds a float.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import DataError
from bertmt.tasks.examples import is_plain_id
from bertmt.tasks.malformed import shown
from bertmt.tasks.task import SPLITS, TASKS

HEADERS = {
    "sst": "id \t Predicted_Sentiment ",
    "para": "id \t Predicted_Is_Paraphrase ",
    "sts": "id \t Predicted_Similiary ",
}


def course_file_name(task: str, split: str) -> str:
    """`sst-dev-output.csv` and so on; the course asks for dev and test."""
    if task not in TASKS or split not in SPLITS:
        raise ValueError(f"no course file for {task}/{split}")
    return f"{task}-{split}-output.csv"


def course_file_content(task: str, rows: Iterable[tuple[str, float]]) -> str:
    """The text of a prediction file.

    Args:
        rows: id and predicted label: a class for SST and PARA, a similarity on any linear scale for STS.

    Raises:
        DataError: an id would break its line, or a prediction is no finite number or no class.
    """
    lines = [HEADERS[task]]
    for name, value in rows:
        if not is_plain_id(name):
            raise DataError(f"The id {shown(name)} cannot stand in a prediction file: an id is one word, no comma.")
        lines.append(f"{name} , {_written(task, name, float(value))} ")
    return "\n".join(lines) + "\n"


def write_course_file(path: Path, task: str, rows: Iterable[tuple[str, float]]) -> None:
    """Write a prediction file, whole or not at all; Raises as `course_file_content`, and OSError."""
    atomic_files.write_text(path, course_file_content(task, rows))


def _written(task: str, name: str, value: float) -> str:
    about = TASKS[task]
    if not math.isfinite(value) or (about.classes and value not in range(len(about.classes))):
        raise DataError(
            f"The prediction for {name} is {value}, no label of {about.title}: look for NaN in the run's curves."
        )
    if task == "sst":
        return str(int(value))
    if task == "para":
        return f"{value:.1f}"
    return f"{value:.7g}"  # as many digits as float32 holds
