"""Dots as characters, beside the slow and obvious way; moving averages beside their recursion."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmt.drawing.charts.canvas import Canvas, column_ranges
from bertmt.drawing.charts.smoothing import smooth
from bertmt.drawing.looks import Look, look_of
from bertmt.drawing.styled import STYLES, plain

# Dots of a braille cell from the top left, row by row, and their numbers in Unicode's names: "⠁" is DOTS-1.
BRAILLE_NUMBERS = ((1, 4), (2, 5), (3, 6), (7, 8))


def dots_of(character: str) -> set[Any]:
    """The dots of one character as (row, column)."""
    pattern = ord(character) - 0x2800
    return {
        (row, column)
        for row, numbers in enumerate(BRAILLE_NUMBERS)
        for column, number in enumerate(numbers)
        if character != " " and pattern >> (number - 1) & 1
    }


def covered(low: Any, high: Any, bottom: Any, top: Any, rows: Any) -> set[tuple[int, int]]:
    """Which dots (row, column) the ranges cover, one at a time."""
    found = set()
    for column, (least, most) in enumerate(zip(low, high, strict=True)):
        if not math.isnan(least):
            upper, lower = (round((top - value) * (rows - 1) / (top - bottom)) for value in (most, least))
            found |= {(row, column) for row in range(upper, lower + 1)}
    return found


ranges = st.lists(
    st.one_of(st.just((np.nan, np.nan)), st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).map(tuple)),
    min_size=12,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(curves=st.lists(ranges, min_size=1, max_size=5))
def test_a_cell_has_the_dots_of_all_curves_and_the_style_of_the_one_with_most(curves: list[Any]) -> None:
    canvas = Canvas(4, 6, ascii_only=False)
    values = np.array(curves)
    canvas.draw(values[:, :, 0], values[:, :, 1], 0, 1, [look_of(index, False) for index in range(len(curves))])
    per_curve = [covered(low, high, 0, 1, 16) for low, high in (zip(*curve, strict=True) for curve in curves)]
    lines = canvas.lines()
    styles = [[span.style for span in each for _ in span.text] for each in lines]
    for row in range(4):
        for column in range(6):
            in_cell = [{(r % 4, c % 2) for r, c in dots if (r // 4, c // 2) == (row, column)} for dots in per_curve]
            counts = [len(dots) for dots in in_cell]
            assert dots_of(plain(lines[row])[column]) == set.union(*in_cell)
            assert styles[row][column] == (f"series{counts.index(max(counts))}" if any(counts) else "")


def test_ascii_cells_show_the_mark_of_their_curve() -> None:
    canvas = Canvas(3, 4, ascii_only=True)
    low = np.array([[0.0] * 4, [1.0] * 4])
    canvas.draw(low, low, 0, 1, [look_of(0, True), look_of(1, True)])
    assert [plain(each) for each in canvas.lines()] == ["++++", "    ", "****"]


def test_what_is_drawn_later_goes_behind() -> None:
    canvas = Canvas(1, 2, ascii_only=False)
    canvas.draw(
        np.array([[0.0, 0.0, np.nan, np.nan]]), np.array([[0.0, 0.0, np.nan, np.nan]]), 0, 1, [Look("title", "x")]
    )
    full = np.array([[0.0] * 4]), np.array([[1.0] * 4])
    canvas.draw(*full, 0, 1, [Look("faint", ".")])
    canvas.rule(0, "axis")
    assert [(span.text, span.style) for span in canvas.lines()[0]] == [("⣀", "title"), ("⣿", "faint")]


def test_a_rule_stands_where_nothing_else_is() -> None:
    canvas = Canvas(3, 3, ascii_only=False)
    canvas.put(1, 1, "●", "series0")
    canvas.rule(1, "axis")
    assert [plain(each) for each in canvas.lines()] == [" │ ", " ● ", " │ "]


def test_the_first_64_series_have_looks_of_their_own_with_a_mark_each() -> None:
    for ascii_only in (False, True):
        looks = [look_of(index, ascii_only) for index in range(64)]
        assert len(set(looks)) == 64
        assert {look.style for look in looks} <= STYLES
        assert len({look.mark for look in looks[:8]}) == len({look.style for look in looks[:8]}) == 8


def test_a_window_cuts_the_curve_where_it_enters_and_leaves() -> None:
    rng = np.random.default_rng(3)
    steps, values = np.arange(11.0), rng.normal(size=11)
    low, high = column_ranges(steps, values, 2.3, 6.9, 23)
    fine = np.linspace(2.3, 6.9, 230_001)
    curve, column = np.interp(fine, steps, values), np.minimum(((fine - 2.3) / 0.2).astype(int), 22)
    assert low == pytest.approx([curve[column == index].min() for index in range(23)], abs=1e-3)
    assert high == pytest.approx([curve[column == index].max() for index in range(23)], abs=1e-3)


def test_a_window_between_two_points_shows_the_line_between_them() -> None:
    low, high = column_ranges(np.array([0.0, 10.0]), np.array([0.0, 1.0]), 4, 6, 4)
    assert low == pytest.approx([0.4, 0.45, 0.5, 0.55])
    assert high == pytest.approx([0.45, 0.5, 0.55, 0.6])


def test_a_window_beside_the_curve_shows_nothing() -> None:
    low, _ = column_ranges(np.arange(5.0), np.arange(5.0), 7, 9, 10)
    assert np.isnan(low).all()


def recursive_average(values: Any, weight: Any) -> list[float]:
    """Adam's moving average without its bias, value by value."""
    smoothed, average, forgotten = [], 0.0, 1.0
    for value in values:
        if not math.isfinite(value):
            average, forgotten = 0.0, 1.0
            smoothed.append(math.nan)
            continue
        average = weight * average + (1 - weight) * value
        forgotten *= weight
        smoothed.append(average / (1 - forgotten))
    return smoothed


@settings(deadline=None)
@given(
    values=st.lists(st.one_of(st.floats(-10, 10), st.sampled_from([np.nan, np.inf, 0.0])), max_size=300),
    weight=st.sampled_from([0.0, 0.1, 0.6, 0.9, 0.98, 0.999]),
)
def test_smoothing_equals_its_recursion_also_around_gaps(values: list[Any], weight: Any) -> None:
    assert smooth(np.array(values), weight) == pytest.approx(recursive_average(values, weight), abs=1e-9, nan_ok=True)


def test_a_long_curve_is_smoothed_like_its_recursion() -> None:
    values = np.random.default_rng(5).normal(size=20_000)
    values[7_000:7_003] = np.nan
    assert smooth(values, 0.98) == pytest.approx(recursive_average(values, 0.98), abs=1e-9, nan_ok=True)
