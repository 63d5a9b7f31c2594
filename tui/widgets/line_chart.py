"""Curves over steps, epochs or time, in one or several panels: zoom, pan, smoothing, a cursor that reads values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from bertmt.drawing.charts.axes import STEPS, XAxis
from bertmt.drawing.charts.curves import Chart, Panel, Plot, View
from bertmt.drawing.charts.panels import arranged, draw_panels, shown_at_once, whole_range
from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.step_window import Window, nearest_step, next_step, panned, zoomed
from bertmt.drawing.sentences import curve_sentences, sentence_page
from bertmt.drawing.styled import Line, Span, cut_line, line
from tui.bindings import key
from tui.plain.words import in_words
from tui.widgets.drawing import Drawing

WEIGHTS = (0.9, 0.98, 0.0, 0.6)  # of the past, in the smoothing that `m` goes through; dev scores never are
ZOOM = 0.5
WHEEL_ZOOM = 0.8
PAN = 0.25  # of what is visible
LEAST_HEIGHT_WITH_STATUS = 8


@dataclass(frozen=True)
class Reading:
    """What one series had recorded at the cursor; None where nothing."""

    panel: str
    series: str
    value: float | None


@dataclass(frozen=True)
class Drag:
    """A button that was pressed on a plot, and the window of that moment."""

    x: int
    plot: Plot
    window: Window | None
    moved: bool = False

    def steps_to(self, x: int) -> float:
        """By how many steps what is visible moves, when the pointer is at a column of the screen."""
        return (self.x - x) * (self.plot.last - self.plot.first) / self.plot.columns


class LineChart(Drawing, can_focus=True):
    """Panels of curves; `show` replaces them and keeps the view."""

    DEFAULT_CSS = "LineChart { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("plus,equals_sign", "zoom(1)", "zoom in", "Fewer steps, about the cursor.", "chart.zoom_in", display="+"),
        key("minus", "zoom(-1)", "zoom out", "More steps.", "chart.zoom_out", display="-"),
        key(
            "left,h", "move(-1)", "left", "Move the value cursor or, without one, the view.", "chart.left", display="←"
        ),
        key(
            "right,l",
            "move(1)",
            "right",
            "Move the value cursor or, without one, the view.",
            "chart.right",
            display="→",
        ),
        key("v", "toggle_cursor", "values", "Read the values of all curves at one step.", "chart.values", shown=True),
        key(
            "m", "smooth", "smooth", "Smooth the losses otherwise: more, not at all, less.", "chart.smooth", shown=True
        ),
        key("Y", "toggle_log", "log y", "Logarithmic scale, or linear.", "chart.log", shown=True),
        key("X", "other_axis", "x axis", "Steps, epochs, or the time that was trained.", "chart.x_axis", shown=True),
        key("0", "reset", "reset", "Show everything again.", "chart.reset"),
        key("left_square_bracket", "turn(-1)", "previous", "Show the panels before.", "chart.back", display="["),
        key("right_square_bracket", "turn(1)", "next", "Show the panels behind.", "chart.more", display="]"),
    ]

    class CursorMoved(Message):
        """The value cursor stands at another step, or at none."""

        def __init__(self, step: float | None, values: tuple[Reading, ...]):
            super().__init__()
            self.step = step
            self.values = values

    class Reset(Message):
        """Everything is shown as at the beginning."""

    class AxisWanted(Message):
        """Curves over the next axis are wanted; who has the chart knows them."""

    def __init__(self, panels: Sequence[Panel] = (), id: str | None = None):  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.cursor: float | None = None
        self.window: Window | None = None
        self.weight = WEIGHTS[0]
        self.log_y = False
        self.first_panel = 0
        self._about_cursor = ""
        self.axis: XAxis = STEPS
        self._panels: tuple[Panel, ...] = tuple(panels)
        self._plots: tuple[Plot, ...] = ()
        self._smoothed: dict[Series, Series] = {}
        self._drag: Drag | None = None

    def show(self, panels: Sequence[Panel], axis: XAxis = STEPS) -> None:
        """Replace the panels. Series that are the same objects as before are not prepared again.

        Args:
            axis: what their steps are; over another than before, all of it is shown.
        """
        if axis != self.axis:
            self.axis, self.window, self.cursor = axis, None, None
        self._panels = tuple(panels)
        self.first_panel = min(self.first_panel, max(len(self._panels) - 1, 0))
        self.redraw()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The values of all series at the cursor."""
        if self.cursor is None:
            return ()
        drawn = self._drawn_panels(*self.content_size)
        return tuple(
            Reading(panel.title, one.name, one.value_at(self.cursor)) for panel in drawn for one in panel.series
        )

    def move_cursor_to(self, step: float | None, about: str = "") -> None:
        """Put the value cursor at the last recorded step up to one, or take it away.

        Args:
            about: what that step is, where one knows.
        """
        before = self.cursor, self._about_cursor
        self.cursor = None if step is None else nearest_step(self._panels, step)
        self._about_cursor = about
        if (self.cursor, about) == before:
            return
        if self.cursor is not None and self.window is not None:
            first, last = self.window
            self._look_at(panned(self._whole, self.window, min(self.cursor - first, 0) + max(self.cursor - last, 0)))
        self.redraw()
        self.post_message(self.CursorMoved(self.cursor, self.readings))

    def to_lines(self, width: int, height: int) -> list[Line]:
        return self._chart(width, height).lines

    def draw(self, width: int, height: int) -> list[Line]:
        chart = self._chart(width, height)
        self._plots = chart.plots
        return chart.lines

    def to_words(self, width: int, height: int) -> list[Line]:
        """A sentence per series, from the panel on that was turned to; and that there are more."""
        panels = self._panels[self.first_panel :]
        view = self.window, self.cursor, self.axis
        sentences = [each for panel in panels for each in curve_sentences(panel, *view)]
        lines = sentence_page(sentences or ["No curves yet."], width)
        more = f"Panel {self.first_panel + 1} of {len(self._panels)}; ] goes on, [ goes back."
        return lines if len(lines) <= height and not self.first_panel else [*lines[: max(height - 1, 0)], line(more)]

    def _chart(self, width: int, height: int) -> Chart:
        """The panels and, where there is something to say and room for it, a line about the view."""
        status = cut_line(self._status(), width) if height >= LEAST_HEIGHT_WITH_STATUS else ()
        view = View(self.window, self.cursor, self.axis, self.ascii_only)
        panels = self._drawn_panels(width, height)
        height -= bool(status)
        chart = draw_panels(panels, width, height, view, self.first_panel)
        if not status:
            return chart
        return Chart([*chart.lines, *[()] * (height - len(chart.lines)), status], chart.plots)

    def _status(self) -> Line:
        parts: list[Span] = []
        if self.cursor is not None:
            place = f"{self.axis.label} {self.axis.text(self.cursor)}"
            about = f" ({self._about_cursor})" if self._about_cursor not in ("", place) else ""
            parts.append(Span(f"values at {place}{about}", "title"))
        if self.window is not None:
            first, last, all_of_it = (self.axis.text(place) for place in (*self.window, self._whole[1]))
            parts.append(Span(f"{self.axis.title} {first} to {last} of {all_of_it}", "dim"))
        if self.weight != WEIGHTS[0]:
            parts.append(Span(f"smoothed {self.weight:g}" if self.weight else "not smoothed", "dim"))
        between = Span(", ", "dim")
        return line(*(span for part in parts for span in (between, part)))[1:]

    @property
    def _whole(self) -> Window:
        return whole_range(self._panels) or (0.0, 0.0)

    def _drawn_panels(self, width: int, height: int) -> list[Panel]:
        """The panels as they are drawn: smoothed, with the raw values faint behind, on the scale that is chosen."""
        kept, self._smoothed = self._smoothed, {}
        return [self._drawn_panel(panel, kept) for panel in arranged(self._panels, width, height)]

    def _drawn_panel(self, panel: Panel, kept: dict[Series, Series]) -> Panel:
        panel = replace(panel, log_y=panel.log_y or self.log_y)
        if not self.weight:
            return panel
        for each in panel.series:
            self._smoothed[each] = kept.get(each) or each.smoothed(self.weight)
        smoothed = [self._smoothed[each] for each in panel.series]
        raw = [each for each in panel.series if not each.exact]
        bands = [each.smoothed(self.weight) for each in panel.bands]
        return replace(panel, series=smoothed, faint=[*panel.faint, *raw], bands=bands)

    def _look_at(self, window: Window | None) -> None:
        if window != self.window:
            self.window = window
            self.redraw()

    def _zoom(self, factor: float, about: float | None) -> None:
        self._look_at(zoomed(self._whole, self.window, factor, about, self.axis.least))

    def action_zoom(self, direction: int) -> None:
        """Show fewer steps, or more."""
        self._zoom(ZOOM**direction, self.cursor)

    def action_move(self, direction: int) -> None:
        """Move the value cursor by a cell at least, or pan."""
        first, last = self.window or self._whole
        if self.cursor is None:
            self._look_at(panned(self._whole, self.window, direction * PAN * (last - first)))
            return
        columns = self._plots[0].columns if self._plots else self.size.width
        self.move_cursor_to(next_step(self._panels, self.cursor, direction * (last - first) / max(columns, 1)))

    def action_toggle_cursor(self) -> None:
        """Read values in the middle of what is visible, or no longer."""
        first, last = self.window or self._whole
        self.move_cursor_to((first + last) / 2 if self.cursor is None else None)

    def action_smooth(self) -> None:
        """The next weight of the past."""
        self.weight = WEIGHTS[(WEIGHTS.index(self.weight) + 1) % len(WEIGHTS)]
        self._smoothed = {}
        self.redraw()

    def action_toggle_log(self) -> None:
        """Logarithmic, or as the panels have it."""
        self.log_y = not self.log_y
        self.redraw()

    def action_other_axis(self) -> None:
        """Ask for the next axis."""
        self.post_message(self.AxisWanted())

    def action_reset(self) -> None:
        """Everything as at the beginning."""
        self.move_cursor_to(None)
        self.window, self.weight, self.log_y, self.first_panel = None, WEIGHTS[0], False, 0
        self.redraw()
        self.post_message(self.Reset())

    def action_turn(self, direction: int) -> None:
        """As many panels on or back as are shown at once."""
        count, shown = len(self._panels), 1
        if not in_words():
            count = len(arranged(self._panels, *self.content_size))
            shown = shown_at_once(count, *self.content_size)
        self.first_panel = max(0, min(self.first_panel + direction * shown, count - shown))
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL_ZOOM)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1 / WHEEL_ZOOM)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        plot = self._plot_under(event)
        if plot is not None:
            event.stop()
            self._zoom(factor, plot.step_at(event.get_content_offset_capture(self).x))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        plot = self._plot_under(event)
        if plot is not None and event.button == 1:
            self.capture_mouse()
            self._drag = Drag(event.screen_x, plot, self.window)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is not None and event.screen_x != self._drag.x:
            self._drag = replace(self._drag, moved=True)
            self._look_at(panned(self._whole, self._drag.window, self._drag.steps_to(event.screen_x)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._drag is None:
            return
        self.release_mouse()
        drag, self._drag = self._drag, None
        if not drag.moved:
            self.move_cursor_to(drag.plot.step_at(event.get_content_offset_capture(self).x))

    def _plot_under(self, event: events.MouseEvent) -> Plot | None:
        x, y = event.get_content_offset_capture(self)
        return next((plot for plot in self._plots if plot.holds(x, y)), None)
