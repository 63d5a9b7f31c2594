"""Pictures in sentences: each figure counted by hand."""

import numpy as np
import pytest

from bertmt.drawing.charts.axes import XAxis
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.charts.series import Series
from bertmt.drawing.plain import words_are_wanted
from bertmt.drawing.sentences import (
    cell_sentence,
    cloud_sentences,
    curve_sentences,
    matrix_sentences,
    sentence_page,
)
from bertmt.drawing.styled import plain

STEPS = np.array([0, 1, 2, 3], dtype=float)
LOSS = Series("sst", STEPS, np.array([4.0, 1.0, np.nan, 2.0]))
MATRIX = np.array([[3, 1], [0, 4]])


def test_a_curve_is_its_first_last_lowest_and_highest_value() -> None:
    assert curve_sentences(Panel("loss", [LOSS])) == [
        "loss, sst: first 4 at step 0, last 2 at step 3, lowest 1 at step 1, highest 4 at step 0; 1 value is no number."
    ]


def test_a_part_of_a_curve_and_the_value_at_a_cursor() -> None:
    [said] = curve_sentences(Panel("", [LOSS]), window=(1.0, 3.0), cursor=1.0)
    assert said.startswith("sst: 1 at the cursor, step 1, first 1 at step 1, last 2 at step 3, lowest 1 at step 1")


def test_places_are_said_as_their_axis_has_them() -> None:
    hours = XAxis("hours", "training time", whole=False, least=0.0001)
    taken = Series("sst", np.array([0.1, 0.4]), np.array([4.0, 1.0]))
    [said] = curve_sentences(Panel("", [taken]), cursor=0.4, axis=hours)
    assert said.startswith("sst: 1 at the cursor, hours 0.4, first 4 at hours 0.1, last 1 at hours 0.4")


def test_what_is_smoothed_says_what_was_recorded() -> None:
    assert "first 4 at step 0, last 2 at step 3" in curve_sentences(Panel("", [LOSS.smoothed(0.9)]))[0]


def test_a_curve_without_values_says_so() -> None:
    assert curve_sentences(Panel("loss", [Series("para", STEPS[:0], STEPS[:0])])) == ["loss, para: no values."]


def test_a_matrix_is_a_sentence_per_true_class_without_its_zeros() -> None:
    assert matrix_sentences(MATRIX, ("no", "yes")) == [
        "True no, 4: 3 as no, 1 as yes; recall 75%; precision 100%.",
        "True yes, 4: 4 as yes; recall 100%; precision 80%.",
    ]


def test_a_change_is_what_differs_from_another_matrix() -> None:
    assert matrix_sentences(MATRIX, ("no", "yes"), other=np.array([[1, 3], [0, 4]])) == [
        "True no: +2 as no, -2 as yes.",
        "True yes: no change.",
    ]


def test_a_class_that_is_never_true_nor_predicted_has_no_rates() -> None:
    assert matrix_sentences(np.array([[2, 0], [0, 0]]), ("a", "b"))[1] == "True b, 0: none."


def test_a_cell_has_its_share_of_the_true_class() -> None:
    assert cell_sentence(MATRIX, ("no", "yes"), 0, 1) == (
        "At the cursor: true no, predicted yes: 1, 25% of the true class."
    )


def test_a_cloud_is_its_errors_its_fit_and_a_mean_per_part() -> None:
    cloud = Cloud(np.array([0.0, 5.0, 5.0]), np.array([1.0, 4.0, 5.0]), (0.7, 1.0), scale=(0.0, 5.0))
    assert cloud_sentences(cloud) == [
        "3 examples, predicted from 1.00 to 5.00.",
        "Mean distance from the true value 0.67, mean error +0.00.",
        "Line of best fit: predicted = 0.70 times true +1.00.",
        "True 0 to 1: 1 example, mean prediction 1.00, from 1.00 to 1.00.",
        "True 4 to 5: 2 examples, mean prediction 4.50, from 4.00 to 5.00.",
    ]
    assert cloud_sentences(Cloud(np.array([]), np.array([]))) == ["No values yet."]


def test_names_from_data_are_safe() -> None:
    assert "\x1b" not in matrix_sentences(np.array([[1]]), ("\x1b[2J",))[0]
    assert "\x1b" not in curve_sentences(Panel("\x1b[2J", [Series("\x1b]0;x", STEPS, STEPS)]))[0]


def test_sentences_are_wrapped_each_from_the_beginning_of_a_line() -> None:
    assert [plain(each) for each in sentence_page(["one two", "three"], 4)] == ["one", "two", "thre", "e"]


@pytest.mark.parametrize(("value", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_environment_asks_for_them(monkeypatch: pytest.MonkeyPatch, value: str, wanted: bool) -> None:
    monkeypatch.setenv("BERTMT_PLAIN", value)
    assert words_are_wanted() is wanted
