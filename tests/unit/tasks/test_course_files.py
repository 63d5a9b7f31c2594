"""The course's prediction files, to the byte."""

import math
from pathlib import Path

import numpy as np
import pytest

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.course_files import course_file_name, write_course_file
from bertmt.tasks.task import Task


def test_files_are_named_as_the_course_names_them() -> None:
    names = [course_file_name(BUILTIN[task], split) for task in BUILTIN for split in ("dev", "test")]
    assert names == [
        *("sst-dev-output.csv", "sst-test-output.csv", "para-dev-output.csv"),
        *("para-test-output.csv", "sts-dev-output.csv", "sts-test-output.csv"),
    ]


@pytest.mark.parametrize(
    ("task", "rows", "expected"),
    [
        ("sst", [("a7", 3), ("b8", 0)], b"id \t Predicted_Sentiment \na7 , 3 \nb8 , 0 \n"),
        ("para", [("a7", 1), ("b8", 0)], b"id \t Predicted_Is_Paraphrase \na7 , 1.0 \nb8 , 0.0 \n"),
        ("sts", [("a7", 0.25), ("b8", -1)], b"id \t Predicted_Similiary \na7 , 0.25 \nb8 , -1 \n"),
        ("sst", [], b"id \t Predicted_Sentiment \n"),
    ],
)
def test_a_file_has_exactly_the_courses_bytes(
    tmp_path: Path, task: str, rows: list[tuple[str, int]] | list[tuple[str, float]], expected: bytes
) -> None:
    file = tmp_path / "out.csv"
    write_course_file(file, BUILTIN[task], rows)
    assert file.read_bytes() == expected


def test_predictions_may_be_numpy_numbers(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    write_course_file(file, BUILTIN["sts"], [("a7", float(np.float32(0.1)))])
    assert file.read_bytes().endswith(b"\na7 , 0.1 \n")
    write_course_file(file, BUILTIN["sst"], zip(["a7"], np.array([4]), strict=True))
    assert file.read_bytes().endswith(b"\na7 , 4 \n")


@pytest.mark.parametrize("name", ["a\nb", "a,b", "", "a b"])
def test_an_id_that_would_break_a_line_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot stand in a prediction file"):
        write_course_file(tmp_path / "out.csv", BUILTIN["sst"], [(name, 1)])


@pytest.mark.parametrize(
    ("task", "value"), [("sst", 5), ("sst", 1.5), ("para", 2), ("sts", math.nan), ("sst", math.inf)]
)
def test_a_prediction_that_is_no_label_leaves_the_old_file_alone(tmp_path: Path, task: str, value: float) -> None:
    file = tmp_path / "out.csv"
    file.write_text("old")
    with pytest.raises(DataError, match="prediction for a7"):
        write_course_file(file, BUILTIN[task], [("a7", value)])
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_other_splits_have_no_file() -> None:
    with pytest.raises(ValueError, match="no course file"):
        course_file_name(BUILTIN["sst"], "validation")


def test_a_users_own_task_is_written_alike(tmp_path: Path) -> None:
    cola = Task(name="cola", title="CoLA", inputs="single", classes=("no", "yes"), metrics=("matthews",))
    assert course_file_name(cola, "dev") == "cola-dev-output.csv"
    write_course_file(tmp_path / "out.csv", cola, [("a7", 1)])
    assert (tmp_path / "out.csv").read_bytes() == b"id \t Predicted_CoLA \na7 , 1 \n"
