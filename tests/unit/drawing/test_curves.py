"""The line chart: what must never be lost, and that it always fits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmt.drawing.charts import canvas
from bertmt.drawing.charts.axes import XAxis
from bertmt.drawing.charts.curves import Panel, View, draw_curves, draw_panel
from bertmt.drawing.charts.legend import legend
from bertmt.drawing.charts.series import Series, looks_of
from bertmt.drawing.charts.smoothing import smooth
from bertmt.drawing.charts.ticks import covering_step, linear_ticks, log_ticks, multiples, tick_texts, value_text
from bertmt.drawing.sentences import curve_sentences
from bertmt.drawing.styled import STYLES, cells, plain


def series(values: Any, name: str = "loss", steps: Any = None) -> Any:
    values = np.array(values, dtype=float)
    return Series(name, np.arange(len(values)) if steps is None else np.array(steps), values)


def drawn(*args: Any, **options: Any) -> list[Any]:
    return [plain(each) for each in draw_curves(*args, **options)]


def plot_of(lines: Any) -> list[Any]:
    """The cells right of the y axis."""
    return [text[text.index(mark) + 1 :] for text in lines for mark in "│┤|+" if mark in text[:12]]


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    plot = plot_of(drawn([series([0, 1])], 40, 12, ascii_only=True))[:-1]  # less the axis
    first = [row.index("*") for row in plot]
    assert first == sorted(first, reverse=True)
    assert (plot[-1][0], plot[0].rstrip()[-1]) == ("*", "*")


def test_one_spike_among_100000_points_is_drawn() -> None:
    values = np.zeros(100_000)
    values[51_234] = 1.0
    top = plot_of(drawn([series(values)], 80, 20))[0]
    assert top.strip(" \u2800") != ""


def test_column_ranges_equal_those_of_a_finely_sampled_polyline() -> None:
    rng = np.random.default_rng(0)
    steps = np.sort(rng.uniform(0, 10, size=40))
    values = rng.normal(size=40)
    low, high = canvas.column_ranges(steps, values, 0, 10, 16)
    fine = np.linspace(steps[0], steps[-1], 200_001)
    curve, column = np.interp(fine, steps, values), np.minimum((fine * 1.6).astype(int), 15)
    for index in np.unique(column):
        assert low[index] == pytest.approx(curve[column == index].min(), abs=1e-2)
        assert high[index] == pytest.approx(curve[column == index].max(), abs=1e-2)


def test_few_points_are_joined_by_a_line() -> None:
    low, _ = canvas.column_ranges(np.array([0.0, 1.0]), np.array([5.0, 6.0]), 0, 1, 50)
    assert np.isfinite(low).all()


def test_a_missing_value_breaks_the_line_and_is_marked() -> None:
    values = np.ones(100)
    values[40:60] = np.nan
    lines = drawn([series(values)], 60, 10)
    flat = next(row for row in plot_of(lines) if row.strip(" \u2800┈"))
    assert "┈┈┈┈" in flat.strip("┈"), "through a gap one sees the grid"
    axis = next(text for text in lines if "└" in text)
    assert axis.count("×") >= 8
    assert any("20 values are not numbers" in text for text in lines)


def test_a_lone_value_between_gaps_is_still_a_dot() -> None:
    low, high = canvas.column_ranges(np.arange(3.0), np.array([np.nan, 7.0, np.nan]), 0, 2, 30)
    assert np.isfinite(low).sum() == 1
    assert np.nanmax(high) == 7


def test_a_log_scale_says_how_many_values_it_cannot_show() -> None:
    lines = drawn([series([1, 10, 0, -1, 100])], 60, 12, log_y=True)
    assert "2 values of 0 or less are not shown on a log scale." in lines
    assert "(log scale)" in lines[0]


def test_decades_are_equally_far_apart_on_a_log_scale() -> None:
    lines = drawn([series(10.0 ** np.arange(-2, 3))], 60, 26, log_y=True)
    rows = [index for index, text in enumerate(lines) if "┤" in text]
    assert len(rows) == 5
    assert max(np.diff(rows)) - min(np.diff(rows)) <= 1


def test_a_log_scale_without_positive_values_draws_nothing_and_says_so() -> None:
    lines = drawn([series([0, -1])], 60, 12, log_y=True)
    assert lines[0] == "No values to draw yet."
    assert "2 values of 0 or less are not shown on a log scale." in lines


def test_a_resumed_run_may_bring_its_steps_out_of_order() -> None:
    shuffled = Series("loss", np.array([3, 0, 2, 1]), np.array([3.0, 0.0, 2.0, 1.0]))
    assert drawn([shuffled], 50, 12) == drawn([series([0, 1, 2, 3])], 50, 12)


def test_a_chart_without_values_says_so() -> None:
    assert drawn([], 60, 12) == ["No values to draw yet."]
    assert drawn([series([np.nan])], 60, 12)[0] == "No values to draw yet."


def test_a_constant_and_a_single_point_are_drawn_in_the_middle() -> None:
    for values in ([0.5] * 20, [0.5]):
        rows = plot_of(drawn([series(values)], 50, 13))
        filled = [
            index
            for index, row in enumerate(rows)
            if any(0x2801 <= ord(character) <= 0x28FF or character == "●" for character in row)
        ]
        assert filled == [len(rows) // 2 - 1] or filled == [len(rows) // 2]


def test_every_series_has_its_style_in_the_plot_and_in_the_legend() -> None:
    lines = draw_curves([series([0, 1], "a"), series([1, 0], "b")], 60, 15)
    assert {span.style for span in lines[-1]} >= {"series0", "series1"}
    assert {span.style for line in lines[:-3] for span in line} >= {"series0", "series1"}


def test_series_have_symbols_of_their_own_in_ascii() -> None:
    text = "\n".join(drawn([series([0, 1], "a"), series([1, 0], "b")], 60, 15, ascii_only=True))
    assert text.isascii()
    assert "* a 1" in text and "+ b 0" in text


def test_a_legend_too_long_for_the_chart_counts_what_it_leaves_out() -> None:
    lines = drawn([series([0, i], f"a series with a long name {i}") for i in range(1, 31)], 80, 12)
    assert len(lines) <= 12
    assert "… and" in lines[-1] and "more" in lines[-1]


def test_names_cannot_reach_the_terminal_as_escape_sequences() -> None:
    hostile = XAxis("\u202estep", "steps", whole=True, least=4.0)
    text = "".join(drawn([series([0, 1], "\x1b]0;pwned\x07")], 60, 12, y_label="\x1b[2J", axis=hostile))
    assert not any(ord(character) < 32 or character == "\u202e" for character in text)


numbers_in_a_run = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(-10, 10), st.sampled_from([0.0, 1.0, np.nan])
)


@settings(max_examples=150, deadline=None)
@given(
    data=st.lists(st.lists(numbers_in_a_run, max_size=30), max_size=4),
    width=st.integers(0, 120),
    height=st.integers(0, 40),
    log_y=st.booleans(),
    ascii_only=st.booleans(),
    name=st.text(max_size=12),
)
def test_a_chart_always_fits_and_uses_known_styles(
    data: list[Any], width: int, height: int, log_y: bool, ascii_only: bool, name: str
) -> None:
    lines = draw_curves(
        [series(values, name) for values in data], width, height, log_y=log_y, y_label=name, ascii_only=ascii_only
    )
    assert len(lines) <= height
    assert all(cells(plain(each)) <= width for each in lines)
    assert {span.style for each in lines for span in each} <= STYLES
    if ascii_only:
        assert all(plain(each).isascii() for each in lines)


def test_a_series_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="2 steps, but 3 values"):
        Series("loss", np.arange(2), np.arange(3))


def test_smoothing_is_the_weighted_mean_of_the_past() -> None:
    values = np.array([1.0, 5.0, 2.0, 8.0])
    weights = 0.6 ** np.arange(4)[::-1]
    assert smooth(values, 0.6)[-1] == pytest.approx((weights @ values) / weights.sum())


def test_smoothing_starts_at_the_first_value_and_leaves_a_constant_alone() -> None:
    assert smooth(np.array([3.0, 9.0]), 0.99)[0] == pytest.approx(3.0)
    assert smooth(np.full(50, 0.7), 0.9) == pytest.approx(np.full(50, 0.7))


def test_smoothing_does_not_bridge_gaps() -> None:
    smoothed = smooth(np.array([1.0, 1.0, np.nan, 5.0, np.inf, 2.0]), 0.9)
    assert np.isnan(smoothed[[2, 4]]).all()
    assert smoothed[[3, 5]] == pytest.approx([5.0, 2.0])


def test_a_weight_of_nothing_changes_nothing() -> None:
    values = np.random.default_rng(1).normal(size=9)
    assert smooth(values, 0.0) == pytest.approx(values)
    with pytest.raises(ValueError, match="below 1"):
        smooth(values, 1.0)


@given(low=st.floats(-1e6, 1e6), length=st.floats(1e-3, 1e6), most=st.integers(2, 20), whole=st.booleans())
def test_ticks_are_evenly_spaced_inside_the_range_and_not_too_many(
    low: float, length: float, most: int, whole: bool
) -> None:
    ticks = linear_ticks(low, low + length, most, whole=whole)
    assert len(ticks) <= most
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)
    assert np.ptp(np.diff(ticks)) <= 1e-6 * length if len(ticks) > 2 else True
    assert not whole or all(float(tick).is_integer() for tick in ticks)


def test_tick_texts_tell_neighbours_apart() -> None:
    assert tick_texts([0.0, 0.05, 0.1]) == ["0.00", "0.05", "0.10"]
    assert tick_texts([0.0, 2000.0, 4000.0]) == ["0", "2,000", "4,000"]
    assert tick_texts([-1e-5, 0.0, 1e-5]) == ["−1e−5", "0", "1e−5"]


def test_log_ticks_between_two_decades_are_1_2_5() -> None:
    assert 10 ** np.array(log_ticks(np.log10(1.5e-5), np.log10(9e-5), 5)) == pytest.approx([2e-5, 5e-5])


def test_an_exact_series_is_never_smoothed() -> None:
    steps = np.arange(4)
    scores = Series("dev/sst", steps, np.array([0.1, 0.9, 0.2, 0.8]), exact=True)
    assert scores.smoothed(0.9) is scores


SCORES = Series("dev/sst", np.array([0, 60, 100]), np.array([0.2, 0.4, 0.3]), exact=True)


def test_between_two_measurements_nothing_is_drawn_that_was_not_measured() -> None:
    trace = SCORES.trace(log_y=False)
    low, high = canvas.column_ranges(trace.steps, trace.values, 0, 100, 50)
    np.testing.assert_allclose(low[:30], 0.2)
    np.testing.assert_allclose(high[:29], 0.2)
    np.testing.assert_allclose([low[45], high[45]], 0.4)
    assert set(np.unique(np.concatenate([low, high]))) <= {0.2, 0.3, 0.4}


def test_each_measurement_has_its_mark_and_noisy_samples_only_their_end() -> None:
    sampled = Series("loss", SCORES.steps, SCORES.values)
    marks = [sum(row.count("●") for row in plot_of(drawn([each], 60, 12))) for each in (SCORES, sampled)]
    assert marks == [3, 1]
    many = Series("dev", np.arange(100), np.linspace(0, 1, 100), exact=True)
    assert sum(row.count("●") for row in plot_of(drawn([many], 60, 12))) == 1, "marks would hide the curve"


def test_a_mark_of_a_measurement_stands_nowhere_else_where_one_looks_closer() -> None:
    view = View(window=(0.0, 90.0))
    rows = [plain(each) for each in draw_panel(Panel("", [SCORES]), 60, 14, view).lines]
    plot = [row for row in plot_of(rows) if "●" in row]
    assert sorted(row.index("●") for row in plot)[-1] < 40, "at step 60 of 90, not where the curve leaves the frame"


def test_a_mark_that_another_curve_has_no_room_for_stands_midway_and_not_beside_the_end() -> None:
    steps = np.array([0, 100])
    other = Series("two", steps, np.array([0.2, 0.3]), exact=True)
    rows = plot_of(drawn([Series("one", steps, np.array([0.2, 0.3]), exact=True), other], 60, 12))
    [place] = [row.index("▲") for row in rows if "▲" in row]
    assert 20 < place < 35


@pytest.mark.parametrize(
    ("cursor", "said"), [(0, "dev/sst 0.2"), (59, "dev/sst 0.2 at step 0"), (60, "dev/sst 0.4"), (101, "dev/sst –")]
)
def test_a_legend_tells_the_last_measurement_and_nothing_beyond_the_end(cursor: float, said: str) -> None:
    longer = Series("loss", np.array([0, 200]), np.array([0.5, 0.6]))
    lines = [plain(each) for each in legend([SCORES, longer], looks_of([SCORES, longer], False), 80, 3, step=cursor)]
    assert f"● {said}" in [part.strip() for part in lines[0].split("  ")], lines
    [sentence] = curve_sentences(Panel("", [SCORES]), cursor=cursor)
    assert ("no value at the cursor" in sentence) == (cursor == 101)
    assert ("0.2, of step 0, at the cursor" in sentence) == (cursor == 59)


def test_a_legend_tells_the_smoothed_value_that_is_drawn_and_the_last_one_in_brackets() -> None:
    smoothed = series([1.0, 1.0, 0.0]).smoothed(0.5)
    drawn_value = float(smoothed.values[-1])
    assert drawn_value > 0.4, "far from the last batch"
    for step, word in ((None, "last"), (2.0, "recorded")):
        [text] = [plain(each) for each in legend([smoothed], looks_of([smoothed], False), 80, 3, step=step)]
        assert text == f"● loss {value_text(drawn_value)} ({word} 0)"


def test_a_dotted_curve_leaves_out_every_other_dot_but_none_of_its_points() -> None:
    steps, values = np.array([0, 33, 100]), np.array([1.0, 1.0, 1.0])
    full, dotted = (
        plot_of(drawn([Series("dev", steps, values, dotted=each)], 80, 10, ascii_only=True)) for each in (False, True)
    )
    [line] = [row for row in full if "*" in row and "─" not in row and "-" not in row]
    [dots] = [row for row in dotted if row.count("*") > 1]
    assert len(line.rstrip()) == line.count("*") and 0.45 < dots.count("*") / line.count("*") < 0.6
    at = [min(len(line.rstrip()) - 1, int(step / 100 * len(line.rstrip()))) for step in steps]
    assert [dots[place] for place in at] == ["*"] * 3


@given(low=st.floats(-1e6, 1e6), length=st.floats(1e-3, 1e6), most=st.integers(3, 5))
def test_ticks_that_cover_a_range_are_few_round_and_reach_little_beyond(low: float, length: float, most: int) -> None:
    step = covering_step(low, low + length, 3, most)
    ticks = multiples(low, low + length, step, covering=True)
    assert 3 <= len(ticks) <= (5 if most == 5 else 6)
    assert ticks[0] <= low + 1e-6 * length and ticks[-1] >= low + length * (1 - 1e-6)
    assert ticks[1] > low - 1e-6 * length and ticks[-2] < low + length * (1 + 1e-6)
    assert f"{step:.0e}"[0] in "125"


@pytest.mark.parametrize("height", [8, 12, 20, 40])
def test_a_chart_has_three_to_five_ticks_on_each_axis_the_last_step_and_a_light_grid(height: int) -> None:
    lines = draw_curves([series(np.linspace(1.7, 0.4, 328), "sst")], 80, height)
    texts = [plain(each) for each in lines]
    labels = [text.split("┤")[0].strip() for text in texts if "┤" in text]
    assert 3 <= len(labels) <= 5 and float(labels[0]) >= 1.7 and float(labels[-1]) <= 0.4
    [rule, below] = texts[-3:-1]
    assert 3 <= rule.count("┬") <= 5 and rule.endswith("┬")
    assert below.split()[-2:] == ["step", "327"]
    grid = [span for each in lines for span in each if span.style == "grid"]
    assert grid and {character for span in grid for character in span.text} == {"┈"}
