"""Keys and pointer on the chart widgets, each alone in an app, and what they then show and tell."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from present import present
from textual.app import App
from textual.binding import Binding
from textual.events import MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot

from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.ticks import value_text
from bertmt.drawing.styled import plain
from tui.screens.run.widgets.heat_map import HeatMap
from tui.screens.run.widgets.scatter_chart import ScatterChart
from tui.styles.themes import THEMES
from tui.widgets.line_chart import LineChart, Reading

STEPS = np.arange(0, 1001, 10)
NOISY = np.random.default_rng(0).uniform(1, 2, size=len(STEPS))
MATRIX = np.array([[50, 30], [2, 99]])


def series(values: list[Any] | np.ndarray = NOISY, name: str = "base", steps: list[Any] | np.ndarray = STEPS) -> Series:
    return Series(name, np.asarray(steps), np.asarray(values, dtype=float))


class OneWidget(App[None]):
    """An app around one widget that keeps the messages it is told."""

    def __init__(self, widget: LineChart | HeatMap | ScatterChart, ascii_only: bool = False):
        super().__init__()
        self.widget, self.ascii_only = widget, ascii_only
        self.told: list[Any] = []
        for theme in THEMES:
            self.register_theme(theme)

    def compose(self) -> Iterator[LineChart | HeatMap | ScatterChart]:
        yield self.widget

    def on_mount(self) -> None:
        self.theme = THEMES[0].name
        self.widget.focus()

    def on_line_chart_cursor_moved(self, message: Any) -> None:
        self.told.append((message.step, message.values))

    def on_heat_map_cell_chosen(self, message: Any) -> None:
        self.told.append((message.true, message.predicted))


@asynccontextmanager
async def shown(
    widget: LineChart | HeatMap | ScatterChart, size: tuple[int, int] = (80, 24), ascii_only: bool = False
) -> AsyncIterator[tuple[OneWidget, Pilot[None]]]:
    app = OneWidget(widget, ascii_only)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def on_screen(widget: LineChart | HeatMap | ScatterChart) -> list[Any]:
    """The strips that the widget gives the compositor, as text."""
    width, height = widget.content_size
    return [strip.text for strip in widget.render_lines(Region(0, 0, width, height))]


@pytest.fixture
def chart() -> LineChart:
    return LineChart([Panel("loss", [series()])])


async def test_plus_and_minus_zoom_and_zero_shows_everything_again(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        await pilot.press("plus")
        assert chart.window == (250, 750)
        await pilot.press("plus", "minus", "minus")
        assert chart.window is None
        await pilot.press("plus", "0")
        assert chart.window is None


async def test_arrows_and_letters_pan_until_the_cursor_is_on(chart: LineChart) -> None:
    async with shown(chart) as (app, pilot):
        await pilot.press("plus", "right", "right")
        assert chart.window == (500, 1000)
        await pilot.press("h")
        assert chart.window == (375, 875)
        assert app.told == []


async def test_the_cursor_reads_the_values_recorded_last_and_tells_of_them() -> None:
    other = series([5, np.nan, 7], "other", [0, 480, 990])
    chart = LineChart([Panel("loss", [series(STEPS / 10), other])])
    async with shown(chart) as (app, pilot):
        await pilot.press("v")
        await pilot.pause()
        assert app.told == [(500, (Reading("loss", "base", 50), Reading("loss", "other", None)))]
        await pilot.press("l")
        await pilot.pause()
        assert app.told[-1][0] > 500 and app.told[-1][0] in STEPS
        await pilot.press("v")
        await pilot.pause()
        assert app.told[-1] == (None, ())


async def test_each_move_of_the_cursor_goes_at_least_one_cell_and_the_view_follows(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        await pilot.press("plus", "plus", "v")
        first = chart.cursor
        await pilot.press("right")
        assert present(chart.cursor) > present(first)
        await pilot.press(*["right"] * 60)
        assert present(chart.window)[0] <= present(chart.cursor) <= present(chart.window)[1]
        assert present(chart.window)[0] > 375


async def test_values_at_the_cursor_stand_in_the_legend_and_its_step_below() -> None:
    chart = LineChart([Panel("loss", [series(STEPS / 10)])])
    async with shown(chart):
        chart.move_cursor_to(307)
        lines = on_screen(chart)
        assert lines[-1].strip() == "values at step 300"
        smoothed = value_text(present(series(STEPS / 10).smoothed(chart.weight).at(300)).value)
        assert lines[-2].split() == ["●", "base", smoothed, "(recorded", "30)"]


async def test_m_goes_through_the_smoothings_with_the_raw_values_faint_behind(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        assert "faint" in {span.style for each in chart.to_lines(80, 20) for span in each}, "from the first on"
        for weight in (0.9, 0.98, 0.0, 0.6):
            assert chart.weight == weight
            chart.move_cursor_to(800)
            assert chart.readings[0].value == pytest.approx(NOISY[80]), "the value that was recorded"
            assert ("faint" in {span.style for each in chart.to_lines(80, 20) for span in each}) is bool(weight)
            said = "" if weight == 0.9 else f"smoothed {weight:g}" if weight else "not smoothed"
            assert any(said in text for text in on_screen(chart))
            await pilot.press("m")


async def test_shift_y_makes_the_scale_logarithmic_and_linear_again(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        await pilot.press("Y")
        assert on_screen(chart)[0].strip() == "loss (log scale)"
        await pilot.press("Y")
        assert on_screen(chart)[0].strip() == "loss"


async def test_the_wheel_zooms_about_the_pointer(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        plot = chart._plots[0]
        x = plot.left + 10
        before = plot.step_at(x)
        assert await pilot._post_mouse_events([MouseScrollUp], LineChart, offset=(x, 5))
        await pilot.pause()
        assert present(chart.window)[1] - present(chart.window)[0] == pytest.approx(800)
        on_screen(chart)
        assert chart._plots[0].step_at(x) == pytest.approx(before, abs=1000 / plot.columns)


async def test_dragging_moves_what_is_shown_and_a_click_sets_the_cursor(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        await pilot.press("plus")
        await pilot.pause()
        columns = chart._plots[0].columns
        await pilot.mouse_down(LineChart, offset=(40, 5))
        await pilot.hover(LineChart, offset=(30, 5))
        await pilot.mouse_up(LineChart, offset=(30, 5))
        assert chart.window == (pytest.approx(250 + 10 * 500 / columns), pytest.approx(750 + 10 * 500 / columns))
        assert chart.cursor is None
        await pilot.click(LineChart, offset=(40, 5))
        assert chart.cursor in STEPS


async def test_new_points_are_drawn_and_keep_the_view(chart: LineChart) -> None:
    async with shown(chart) as (_, pilot):
        await pilot.press("plus", "v", "m")
        view = chart.window, chart.cursor, chart.weight
        before = on_screen(chart)
        chart.show([Panel("loss", [series(NOISY + STEPS)])])
        await pilot.pause()
        assert (chart.window, chart.cursor, chart.weight) == view
        assert on_screen(chart) != before


async def test_lines_are_drawn_once_until_something_changes(chart: LineChart, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(chart) as (_, pilot):
        drawn = []
        own = chart.draw
        monkeypatch.setattr(chart, "draw", lambda *size: (drawn.append(size), own(*size))[1])
        chart.refresh()
        on_screen(chart)
        assert drawn == []
        await pilot.press("plus")
        await pilot.pause()
        on_screen(chart)
        assert drawn == [(80, 24)]
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert drawn == [(80, 24), (100, 30)]


async def test_a_chart_that_is_not_on_screen_draws_nothing(chart: LineChart, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(chart) as (_, pilot):
        chart.display = False
        await pilot.pause()
        monkeypatch.setattr(chart, "draw", lambda *size: pytest.fail("drawn"))
        chart.show([Panel("loss", [series(NOISY * 2)])])
        await pilot.pause()


async def test_brackets_turn_to_the_panels_that_have_no_room() -> None:
    chart = LineChart([Panel(f"series {index}", [series()]) for index in range(5)])
    async with shown(chart) as (_, pilot):
        assert "series 0" in "".join(on_screen(chart))
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert "series 4" in "".join(on_screen(chart))
        await pilot.press("left_square_bracket")
        assert "series 1" in "".join(on_screen(chart))


async def test_a_chart_without_anything_takes_every_key() -> None:
    chart = LineChart()
    async with shown(chart) as (_, pilot):
        await pilot.press("v", "plus", "minus", "left", "right", "m", "Y", "right_square_bracket", "0")
        await pilot.click(LineChart, offset=(5, 5))
        assert on_screen(chart)[0].strip() == "No values to draw yet."


async def test_an_app_in_ascii_has_charts_in_ascii(chart: LineChart) -> None:
    async with shown(chart, ascii_only=True) as (_, pilot):
        await pilot.press("v", "m", "plus")
        assert all(plain(each).isascii() for each in chart.to_lines(80, 20))


async def test_every_binding_of_a_chart_has_an_id_and_a_sentence() -> None:
    for widget in (LineChart, HeatMap):
        assert all(isinstance(each, Binding) and each.id and each.tooltip for each in widget.BINDINGS)


async def test_the_cell_cursor_stops_at_the_edges_and_enter_chooses() -> None:
    heat_map = HeatMap()
    async with shown(heat_map) as (app, pilot):
        heat_map.show(MATRIX, ("no", "yes"))
        await pilot.pause()
        await pilot.press("k", "right", "right", "down", "j", "enter")
        await pilot.pause()
        assert app.told == [(1, 1)]
        assert "99◂" in on_screen(heat_map)[2]


async def test_a_click_chooses_the_cell_below_it() -> None:
    heat_map = HeatMap()
    async with shown(heat_map) as (app, pilot):
        heat_map.show(MATRIX, ("no", "yes"))
        await pilot.pause()
        column = on_screen(heat_map)[1].index("30")
        await pilot.click(HeatMap, offset=(column, 1))
        await pilot.pause()
        assert app.told == [(0, 1)]


async def test_percent_goes_from_counts_to_rows_to_columns() -> None:
    heat_map = HeatMap()
    async with shown(heat_map) as (_, pilot):
        heat_map.show(MATRIX, ("no", "yes"))
        for first in ("50", "62.5 %", "96.2 %", "50"):
            assert plain(heat_map.to_lines(60, 9)[1]).split("no")[1].strip().startswith(first)
            await pilot.press("percent_sign")


async def test_against_another_matrix_the_difference_is_shown() -> None:
    heat_map = HeatMap()
    async with shown(heat_map):
        heat_map.show(MATRIX, ("no", "yes"), MATRIX - [[1, 0], [0, -2]])
        assert [plain(each).split()[2:] for each in heat_map.to_lines(60, 9)[1:3]] == [["+1", "0"], ["0", "−2"]]


async def test_a_scatter_shows_its_title_and_its_line() -> None:
    scatter = ScatterChart()
    async with shown(scatter):
        assert on_screen(scatter)[0].strip() == "No values to draw yet."
        scatter.show(Cloud(np.arange(5.0), np.arange(5.0), (1, 0), "STS dev"))
        lines = on_screen(scatter)
        assert lines[0].strip() == "STS dev"
        assert any("line of best fit" in text for text in lines)
