"""The scatter of predicted against true values, and the confusion matrix with a cursor."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmt.drawing.charts.heatmap import (
    View,
    cell_at,
    draw_confusion,
    draw_confusion_difference,
    drawn_classes,
    with_rates,
)
from bertmt.drawing.charts.scatter import Cloud, draw_scatter
from bertmt.drawing.styled import STYLES, cells, plain

CLASSES = ("negative", "somewhat negative", "neutral", "somewhat positive", "positive")
MATRIX = np.array([[50, 30, 1, 2, 3], [21, 150, 7, 10, 0], [0, 0, 1234, 5, 6], [1, 2, 3, 90, 22], [0, 1, 2, 3, 99]])


def drawn(*args: Any, **options: Any) -> list[Any]:
    return [plain(each) for each in draw_scatter(*args, **options)]


def test_points_on_the_diagonal_lie_on_the_diagonal() -> None:
    values = np.linspace(0, 5, 200)
    lines = drawn(Cloud(values, values, scale=(0, 5)), 44, 23, ascii_only=True)
    rows = [text[text.index(mark) + 1 :] for text in lines[1:-2] for mark in "|+" if mark in text[:4]]
    for height, row in enumerate(reversed(rows)):
        for column, character in enumerate(row):
            if character != " ":
                assert column / (len(row) - 1) == pytest.approx(height / (len(rows) - 1), abs=0.06)


def test_the_line_of_best_fit_has_a_style_and_a_word_of_its_own() -> None:
    lines = draw_scatter(Cloud(np.array([0.0, 5.0]), np.array([1.0, 2.0]), (0.2, 1.0), scale=(0, 5)), 60, 20)
    assert any(span.style == "title" for each in lines[:-1] for span in each)
    assert plain(lines[-1]) == "─ line of best fit"
    without = draw_scatter(Cloud(np.array([0.0, 5.0]), np.array([1.0, 2.0])), 60, 20)
    assert not any(span.style == "title" for each in without for span in each)


def test_denser_cells_look_denser() -> None:
    true = np.array([1.0] + [3.0] * 2 + [5.0] * 9)
    lines = drawn(Cloud(true, np.full(12, 2.0), scale=(0, 5)), 60, 12, ascii_only=True)
    row = next(text for text in lines if "@" in text)
    assert row.index(".") < row.index("o") < row.index("@")


def test_pairs_without_a_number_are_left_out_and_counted() -> None:
    lines = drawn(Cloud(np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, np.inf])), 60, 12)
    assert lines[-1] == "2 pairs without a number are left out."


def test_a_cloud_without_points_says_so() -> None:
    assert drawn(Cloud(np.array([]), np.array([]), title="STS"), 60, 12) == ["STS", "No values to draw yet."]


def test_unequally_many_values_are_refused() -> None:
    with pytest.raises(ValueError, match="2 true values, but 3 predicted"):
        Cloud(np.zeros(2), np.zeros(3))


@settings(max_examples=80, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.floats(-9, 9), st.one_of(st.floats(-9, 9), st.just(np.nan))), max_size=30),
    fit=st.one_of(st.none(), st.tuples(st.floats(-50, 50), st.floats(-50, 50))),
    scale=st.one_of(st.none(), st.just((0.0, 5.0))),
    width=st.integers(0, 120),
    height=st.integers(0, 40),
    ascii_only=st.booleans(),
    title=st.text(max_size=9),
)
def test_a_scatter_always_fits_and_uses_known_styles(
    pairs: list[Any], fit: Any, scale: Any, width: int, height: int, ascii_only: bool, title: str
) -> None:
    true, predicted = np.array(pairs).reshape(-1, 2).T
    lines = draw_scatter(Cloud(true, predicted, fit, title, scale), width, height, ascii_only)
    assert len(lines) <= height
    assert all(cells(plain(each)) <= width for each in lines)
    assert {span.style for each in lines for span in each} <= STYLES
    assert not any(ord(character) < 32 for each in lines for character in plain(each))
    assert not ascii_only or all(plain(each).isascii() for each in lines)


@pytest.mark.parametrize("shown", ["counts", "rows", "columns"])
def test_a_matrix_of_five_classes_fits_into_38_cells(shown: Any) -> None:
    lines = draw_confusion(MATRIX, CLASSES, shown, (2, 2), width=38)
    assert max(cells(plain(each)) for each in lines) <= 38
    assert [plain(each).split()[0] for each in lines[1:6]] == list("01234")


def test_where_there_is_room_nothing_is_shortened() -> None:
    assert draw_confusion(MATRIX, CLASSES, width=80) == draw_confusion(MATRIX, CLASSES)


def test_the_cell_at_the_cursor_has_its_style_and_a_pointer() -> None:
    for lines in (
        draw_confusion(MATRIX, CLASSES, cell=(2, 3)),
        draw_confusion_difference(MATRIX, MATRIX.T, CLASSES, (2, 3), width=38),
    ):
        found = [(row, span.text.strip()) for row, each in enumerate(lines) for span in each if span.style == "cursor"]
        assert found in ([(3, "5◂")], [(3, "+2◂")])


@pytest.mark.parametrize("width", [None, 38])
def test_a_pointer_finds_the_cell_that_is_drawn_below_it(width: int | None) -> None:
    lines = draw_confusion(MATRIX, CLASSES, width=width)
    for row in range(5):
        for column in range(5):
            text = f"{MATRIX[row, column]:,} "
            start = sum(cells(span.text) for span in lines[row + 1][: column + 2]) - len(text)
            assert plain(lines[row + 1])[start : start + len(text)] == text
            assert cell_at(lines, 5, start, row + 1) == (row, column)
    assert cell_at(lines, 5, 2, 2) is None
    assert cell_at(lines, 5, 30, 0) is cell_at(lines, 5, 30, 6) is cell_at(lines, 5, 500, 2) is None


# Of a 3 of 4 are found, and 3 of the 4 taken for it are; b has no examples, and 3 were taken for it; none for c.
RATED = np.array([[3, 1, 0], [0, 0, 0], [1, 2, 0]])
RATES = ["recall  precision", "75.0 %     75.0 %", "–      0.0 %", "0.0 %          –"]


def test_recall_and_precision_stand_beside_their_class() -> None:
    lines = draw_confusion(RATED, ("a", "b", "c"))
    rated = with_rates(lines, RATED, 80)
    assert [plain(each)[cells(plain(own)) :].strip() for each, own in zip(rated[:4], lines, strict=False)] == RATES
    assert rated[4:] == lines[4:], "the line of totals has none"


def test_recall_and_precision_are_left_out_where_they_do_not_fit() -> None:
    lines = draw_confusion(RATED, ("a", "b", "c"))
    widest = max(cells(plain(each)) for each in with_rates(lines, RATED, 80))
    assert with_rates(lines, RATED, widest) != lines
    assert with_rates(lines, RATED, widest - 1) == lines


MANY = np.arange(400).reshape(20, 20)  # row i, column j: 20 i + j
NAMES = [f"class {number}" for number in range(20)]


def less_transposed(matrix: Any, names: Any, width: int) -> Any:
    return draw_confusion_difference(matrix, MANY.T, names, width=width)


@pytest.mark.parametrize("draw", [draw_confusion, less_transposed])
def test_twenty_classes_are_whole_at_80_columns_in_parts(draw: Any) -> None:
    lines = draw(MANY, NAMES, width=78)
    assert max(cells(plain(each)) for each in lines) <= 78
    heads = [place for place, each in enumerate(lines) if plain(each).startswith("true")]
    parts = [drawn_classes(lines[place : place + 21]) for place in heads]
    assert len(parts) > 1 and [number for _, predicted in parts for number in predicted] == list(range(20))
    assert all(true == list(range(20)) for true, _ in parts)


def test_a_view_is_the_part_about_its_cell_and_a_pointer_finds_it() -> None:
    for cell in ((0, 0), (7, 8), (19, 19), (13, 2)):
        lines = draw_confusion(MANY, NAMES, cell=cell, width=78, view=View(cell, 8))
        true, predicted = drawn_classes(lines)
        assert len(true) == 8 and cell[0] in true and cell[1] in predicted
        [(y, x)] = [
            (row, sum(cells(span.text) for span in each[: place + 1]) - 2)
            for row, each in enumerate(lines)
            for place, span in enumerate(each)
            if span.style == "cursor"
        ]
        assert cell_at(lines, 20, x, y) == cell
        assert f"{20 * cell[0] + cell[1]}◂" in plain(lines[y])
