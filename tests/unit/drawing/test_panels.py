"""Panels: windows, cursors, faint curves, legends, grids, and which steps come next."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from present import present

from bertmt.drawing.charts.curves import Chart, Panel, View, draw_panel
from bertmt.drawing.charts.panels import arranged, draw_panels, shown_at_once, whole_range
from bertmt.drawing.charts.series import Series, looks_of
from bertmt.drawing.charts.step_window import nearest_step, next_step, panned, zoomed
from bertmt.drawing.looks import look_of
from bertmt.drawing.styled import STYLES, cells, plain


def series(values: Any, name: str = "base", steps: list[Any] | None = None) -> Series:
    values = np.array(values, dtype=float)
    return Series(name, np.arange(len(values)) if steps is None else np.array(steps), values)


def panel(*curves: Any, title: Any = "loss", **options: Any) -> Panel:
    return Panel(title, curves or (series(range(101)),), **options)


def texts(chart: Chart) -> list[Any]:
    return [plain(each) for each in chart.lines]


def plot_of(chart: Chart, index: int = 0) -> list[Any]:
    plot = chart.plots[index]
    lines = texts(chart)[plot.top : plot.top + plot.rows]
    return [text[plot.left : plot.left + plot.columns] for text in lines]


def in_cell(text: Any, column: int) -> Any:
    """The character in a cell; what stands before it may take two of them, or none."""
    ends = np.cumsum([cells(character) for character in text])
    return text[int(np.searchsorted(ends, column, side="right"))]


def y_labels(chart: Chart) -> list[Any]:
    return [text.split(" ┤")[0].strip() for text in texts(chart) if " ┤" in text]


def test_a_window_shows_the_range_of_values_that_is_in_it() -> None:
    chart = draw_panel(panel(series(np.arange(1001.0))), 80, 20, View(window=(200, 300)))
    assert all(200 <= float(label) <= 300 for label in y_labels(chart))
    assert (chart.plots[0].first, chart.plots[0].last) == (200, 300)


def test_a_window_without_values_says_so() -> None:
    chart = draw_panel(panel(), 60, 12, View(window=(200, 300)))
    assert "No values between these steps." in texts(chart)


def test_the_cursor_is_a_rule_in_the_column_of_its_step() -> None:
    chart = draw_panels([panel()], 60, 14, View(cursor=25))
    [plot] = chart.plots
    columns = {row.index("│") for row in plot_of(chart) if "│" in row}
    assert columns == {plot.columns * 25 // 100}
    assert plot.step_at(plot.left + columns.pop()) == pytest.approx(25, abs=100 / plot.columns)


def test_the_legend_reads_the_values_recorded_last_at_the_cursor() -> None:
    curves = (
        series([1, 2, 3], "early", [0, 10, 20]),
        series([5, np.nan, 7], "gap", [0, 10, 20]),
        series([9], "late", [15]),
    )
    legend = texts(draw_panels([panel(*curves)], 60, 14, View(cursor=14)))[-1]
    assert legend.split() == ["●", "early", "2", "▲", "gap", "–", "■", "late", "–"]


def test_without_a_cursor_the_legend_has_each_last_value() -> None:
    assert texts(draw_panel(panel(series([1, 2, np.nan])), 60, 14, View()))[-1].split() == ["●", "base", "2"]


def test_each_curve_ends_in_its_mark() -> None:
    chart = draw_panel(panel(series([0, 0, 0]), series([1, 1, 1])), 60, 14, View())
    assert [row[-1] for row in plot_of(chart) if row[-1] in "●▲"] == ["▲", "●"]


def test_marks_of_curves_that_end_together_stand_one_before_the_other() -> None:
    chart = draw_panel(panel(series([0, 0]), series([0, 0]), series([0, 0])), 60, 14, View())
    assert any(row.endswith("■▲●") for row in plot_of(chart))


def test_a_mark_stands_at_the_last_value_and_not_in_the_middle_of_its_column() -> None:
    noisy = series([0, 1] * 500)  # some ten values in each column of dots, from 0 to 1
    for last, row in ((1.0, 0), (0.0, -1), (0.5, None)):
        curve = series([*noisy.values, last])
        rows = [place for place, text in enumerate(plot_of(draw_panel(panel(curve), 60, 15, View()))) if "●" in text]
        count = len(plot_of(draw_panel(panel(curve), 60, 15, View())))
        assert rows == [count // 2 if row is None else row % count]


def test_a_mark_stands_where_its_curve_leaves_the_window() -> None:
    curve = series([0, 10, 10], steps=[0, 80, 160])  # of which no point lies at the edge
    plot = plot_of(draw_panel(panel(curve, series([0, 10], steps=[100, 101])), 60, 15, View(window=(0, 100))))
    assert plot[0].rstrip().endswith("●") and plot[-1].rstrip().endswith("▲")


def test_a_curve_keeps_its_look_whatever_else_is_there() -> None:
    later = Series("sst", np.arange(3), np.ones(3), place=0)
    first = Series("mnr", np.arange(3), np.zeros(3), place=4)
    for curves in ([first], [later, first], [first, later]):
        legend = {span.style: span.text for span in draw_panel(Panel("loss", curves), 60, 14, View()).lines[-1]}
        assert legend["series4"] == look_of(4, False).mark
        assert later not in curves or legend["series0"] == look_of(0, False).mark


def test_two_curves_that_claim_one_look_differ_in_their_marks() -> None:
    curves = [Series(name, np.arange(3), np.ones(3), place=2) for name in "abc"]
    looks = looks_of(curves, ascii_only=False)
    assert looks[0] == look_of(2, False) and len(set(looks)) == 3 and {each.style for each in looks} == {"series2"}


def test_a_faint_curve_stays_behind_and_out_of_the_legend() -> None:
    noisy = series([0, 4, 0, 4], "raw")
    chart = draw_panel(panel(series([2, 2, 2, 2]), faint=[noisy]), 60, 14, View())
    styles = [span.style for row in chart.lines[1:-3] for span in row]
    assert {"faint", "series0"} <= set(styles)
    assert not any("raw" in text for text in texts(chart))
    alone = draw_panel(panel(series([2, 2, 2, 2]), faint=[series([0, 4], "raw", [0, 0])]), 60, 14, View())
    own = [[span.text for span in row if span.style == "series0"] for row in chart.lines[:-1]]
    assert own == [[span.text for span in row if span.style == "series0"] for row in alone.lines[:-1]]


def test_panels_have_one_range_of_steps() -> None:
    chart = draw_panels([panel(series([1, 2], steps=[0, 50])), panel(series([3, 4], steps=[100, 200]))], 80, 24, View())
    assert {(plot.first, plot.last) for plot in chart.plots} == {(0, 200)}


def test_panels_of_the_same_series_share_one_legend_of_names() -> None:
    same = [panel(series([1, 2], "one"), series([3, 4], "two"), title=title) for title in ("sst", "sts")]
    lines = texts(draw_panels(same, 80, 24, View()))
    assert [text.split() for text in lines if "one" in text] == [["●", "one", "▲", "two"]]
    assert [text.split() for text in lines if text.startswith("● ") and "one" not in text] == [["●", "2", "▲", "4"]] * 2
    other = [panel(series([1, 2], "one"), title="sst"), panel(series([1, 2], "two"), title="sts")]
    legends = [text.split() for text in texts(draw_panels(other, 80, 24, View())) if text.startswith("●")]
    assert legends == [["●", "one", "2"], ["●", "two", "2"]]


@pytest.mark.parametrize(("size", "count"), [((80, 24), 2), ((120, 40), 6), ((200, 60), 6), ((60, 12), 1)])
def test_so_many_of_seven_panels_are_shown_at_a_size(size: tuple[int, int], count: int) -> None:
    chart = draw_panels([panel(title=f"series {index}") for index in range(7)], *size, View())
    assert len(chart.plots) == shown_at_once(7, *size) == count
    assert any("of 7" in text for text in texts(chart))


def test_the_panels_behind_can_be_turned_to() -> None:
    panels = [panel(title=f"series {index}") for index in range(5)]
    titles = [text.strip() for text in texts(draw_panels(panels, 80, 24, View(), start=3)) if "series" in text]
    assert titles == ["series 3", "series 4"]
    assert "Panels 4–5 of 5; [ and ] turn" in texts(draw_panels(panels, 80, 24, View(), start=9))


numbers = st.lists(st.one_of(st.floats(-5, 5), st.just(np.nan)), max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    data=st.lists(st.lists(numbers, max_size=3), max_size=7),
    width=st.integers(0, 210),
    height=st.integers(0, 60),
    cursor=st.one_of(st.none(), st.floats(-2, 12)),
    window=st.one_of(st.none(), st.tuples(st.floats(-3, 4), st.floats(4.5, 20))),
    log_y=st.booleans(),
    ascii_only=st.booleans(),
    title=st.text(max_size=9),
)
@example([[[]], [[], [0.0]]], 94, 6, None, None, False, False, "\u2427")  # not assigned
@example([[[]], [[], [0.0]]], 94, 6, None, None, False, False, "\u754c")  # two cells wide
def test_panels_always_fit_and_use_known_styles(
    data: list[Any], width: int, height: int, cursor: Any, window: Any, log_y: bool, ascii_only: bool, title: str
) -> None:
    panels = [
        Panel(title, [series(values, title) for values in curves], [series([1, 3])] * log_y, log_y) for curves in data
    ]
    chart = draw_panels(panels, width, height, View(window, cursor, ascii_only=ascii_only))
    assert len(chart.lines) <= height
    assert all(cells(plain(each)) <= width for each in chart.lines)
    assert {span.style for each in chart.lines for span in each} <= STYLES
    assert not any(ord(character) < 32 for text in texts(chart) for character in text)
    assert not ascii_only or all(text.isascii() for text in texts(chart))
    for plot in chart.plots:
        edges = {in_cell(text, plot.left - 1) for text in texts(chart)[plot.top : plot.top + plot.rows]}
        assert edges <= set("|+" if ascii_only else "│┤")


def test_a_hostile_title_reaches_no_screen_as_it_is() -> None:
    chart = draw_panels([panel(title="\x1b[2J\u202e")] * 2, 80, 24, View())
    assert not any(ord(character) < 32 or character == "\u202e" for text in texts(chart) for character in text)


def test_the_whole_range_leaves_out_what_has_no_number() -> None:
    assert whole_range([panel(series([1, 2], steps=[5, 9]), series([np.nan], steps=[99]))]) == (5, 9)
    assert whole_range([panel(series([]))]) is None


def test_zooming_keeps_the_pointed_step_in_its_place() -> None:
    first, last = present(zoomed((0, 1000), None, 0.5, 250))
    assert (last - first, (250 - first) / (last - first)) == (pytest.approx(500), pytest.approx(0.25))


def test_zooming_out_ends_at_the_whole_and_zooming_in_at_four_steps() -> None:
    assert zoomed((0, 1000), (400, 900), 2) is None
    first, last = present(zoomed((0, 1000), (10, 15), 0.1))
    assert (first, last) == (10.5, 14.5)


@given(
    first=st.floats(0, 50),
    length=st.floats(5, 40),
    steps=st.floats(-200, 200),
    factor=st.floats(0.2, 3),
    about=st.floats(-10, 110),
)
def test_a_window_stays_inside_the_whole(
    first: float, length: float, steps: float, factor: float, about: float
) -> None:
    whole, window = (0.0, 100.0), (first, first + length)
    for moved in (panned(whole, window, steps), zoomed(whole, window, factor, about)):
        assert moved is None or (moved[0] >= 0 and moved[1] <= 100 + 1e-9)
    assert panned(whole, None, steps) is None


def test_the_cursor_goes_from_one_recorded_step_to_another() -> None:
    panels = [panel(series([1] * 3, steps=[0, 10, 50])), panel(series([1] * 2, steps=[12, 40]))]
    assert [next_step(panels, 10, distance) for distance in (1, 5, 45, -1, -100)] == [12, 40, 50, 0, 0]
    assert [nearest_step(panels, step) for step in (-5, 11, 39, 1000)] == [0, 10, 12, 50]
    assert nearest_step([panel(series([]))], 5) is None


def losses(*levels: float) -> Panel:
    """Losses of so many tasks about these levels, each of which falls by one, with a panel for each."""
    curves = [series(level - np.arange(101) / 100, f"task{place}") for place, level in enumerate(levels)]
    return Panel("training loss", curves, instead=[Panel(f"loss of {each.name}", [each]) for each in curves])


def test_losses_of_unlike_scale_have_a_panel_each_where_there_is_room() -> None:
    other, tall = panel(title="dev score"), losses(1, 9, 40)
    assert [each.title for each in arranged([tall, other], 120, 40)] == [
        "loss of task0", "loss of task1", "loss of task2", "dev score",
    ]  # fmt: skip
    assert arranged([tall, other, *tall.instead], 120, 40) == [*tall.instead, other], "none twice"
    assert arranged([tall, other], 80, 24) == [tall, other]
    assert arranged([tall], 60, 12) == [tall]


def test_axes_have_room_for_what_is_drawn_elsewhere() -> None:
    alone, beside = panel(series([1, 2])), panel(series([1, 9], steps=[0, 500]))
    first, second = replace(alone, also=beside.series), replace(beside, also=alone.series)
    drawn = [draw_panel(each, 80, 12, View()) for each in (first, second)]
    assert y_labels(drawn[0]) == y_labels(drawn[1]) != y_labels(draw_panel(alone, 80, 12, View()))
    assert (drawn[0].plots[0].first, drawn[0].plots[0].last) == (0, 500) == whole_range([first])


def test_where_there_is_none_each_has_its_own_scale_which_is_said_and_values_stay_what_they_are() -> None:
    chart = draw_panel(losses(1, 9, 40), 80, 20, View())
    assert "each from its lowest, 0, to its highest, 1" in texts(chart)[0]
    assert (y_labels(chart)[0], y_labels(chart)[-1]) == ("1.0", "0.0")
    assert texts(chart)[-1].split() == ["●", "task0", "0", "▲", "task1", "8", "■", "task2", "39"]
    falling = {span.style for row in (1, 2) for span in chart.lines[row] if span.style.startswith("series")}
    assert falling, "all begin at the top, so the earliest is drawn"


def test_alike_ones_share_an_axis_and_on_a_log_scale_all_do() -> None:
    assert not losses(1, 1.5).is_relative
    assert losses(1, 9).is_relative
    assert not replace(losses(1, 9), log_y=True).is_relative
