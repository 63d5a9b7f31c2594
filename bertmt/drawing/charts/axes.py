"""The ranges, ticks and labels of a chart's two axes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bertmt.drawing.charts.series import Trace
from bertmt.drawing.charts.ticks import covering_step, linear_ticks, log_ticks, multiples, tick_texts, value_text
from bertmt.drawing.styled import Line, Span, cells, cut, line

X_TICK_SPACING = 12  # cells per tick at least, so that labels do not touch
LEAST_TICKS, MOST_TICKS = 3, 5
SMALLEST = 1e-290  # a range below has no inverse in floating point


@dataclass(frozen=True)
class XAxis:
    """What the x axis of a chart counts.

    Attributes:
        label: before the last number of the axis, and before or behind one in a sentence.
        title: what curves are over.
        whole: places between whole numbers make no sense (counts of optimizer steps).
        least: the shortest part of it that is looked at.
    """

    label: str
    title: str
    whole: bool
    least: float

    def text(self, place: float) -> str:
        """The number of a place."""
        return f"{round(place):,}" if self.whole else value_text(place)


STEPS = XAxis("step", "steps", whole=True, least=4.0)


@dataclass(frozen=True)
class Frame:
    """The ranges of both axes; on a log scale, `bottom` and `top` are exponents of ten.

    Attributes:
        y_step: between ticks of a rounded y axis, which begins and ends with one; 0 where it is not rounded.
    """

    first: float
    last: float
    bottom: float
    top: float
    log_y: bool
    y_step: float = 0.0

    @classmethod
    def around(cls, traces: Sequence[Trace], log_y: bool, window: tuple[float, float] | None = None) -> "Frame | None":
        """The smallest frame that holds all that is visible; a flat one gets room. None where nothing is.

        Args:
            window: the steps between which to look; None is all that have a number.
        """
        drawn = [trace for trace in traces if trace.low <= trace.high]  # false for NaN
        if not drawn:
            return None
        first, last = window or (min(each.steps[0] for each in drawn), max(each.steps[-1] for each in drawn))
        ranges = np.array([_visible(each, *window) if window else (each.low, each.high) for each in drawn])
        bottom, top = float(np.fmin.reduce(ranges[:, 0])), float(np.fmax.reduce(ranges[:, 1]))
        if not bottom <= top:
            return None
        return cls(float(first), float(last), *with_room(bottom, top, log_y), log_y)

    def rounded(self, rows: int) -> "Frame":
        """The frame with a linear y axis from one round number to another, three to five of them on it."""
        if self.log_y:
            return self
        step = covering_step(self.bottom, self.top, LEAST_TICKS, _most_ticks(rows))
        ticks = multiples(self.bottom, self.top, step, covering=True)
        return replace(self, bottom=ticks[0], top=ticks[-1], y_step=step)

    def columns(self, steps: np.ndarray, count: int) -> np.ndarray:
        """In which of `count` columns each step falls; a single step is set in the middle."""
        if not self.last > self.first:
            return np.full(len(steps), count // 2)
        share = (np.asarray(steps, dtype=np.float64) - self.first) / (self.last - self.first)
        return np.clip((share * count).astype(np.int64), 0, count - 1)

    def y_labels(self, rows: int, dot_rows: int, least_gutter: int = 0) -> tuple[dict[int, str], int]:
        """The labels of the y axis by row of cells, and how many cells they need."""
        most = _most_ticks(rows)
        if self.y_step:
            places = multiples(self.bottom, self.top, self.y_step)
            texts = tick_texts(places)
        elif self.log_y:
            places = log_ticks(self.bottom, self.top, most)
            texts = [value_text(10.0**place) for place in places]
        else:
            places = linear_ticks(self.bottom, self.top, most + 1)
            texts = tick_texts(places)
        scale = (dot_rows - 1) / (self.top - self.bottom)
        labels: dict[int, str] = {}
        for place, text in zip(places, texts, strict=True):
            labels.setdefault(round((self.top - place) * scale) * rows // dot_rows, text)
        return labels, max([least_gutter, *map(cells, labels.values())])

    def x_axis(
        self,
        missing: np.ndarray,
        gutter: int,
        count: int,
        x_label: str,
        whole: bool = True,
        spacing: int = X_TICK_SPACING,
    ) -> list[Line]:
        """The rule with its ticks, × where a value is missing, and below it the labels; the last has the axis' name.

        Args:
            missing: places on the axis.
            whole: places between whole numbers make no sense (counts of optimizer steps).
            spacing: cells per tick at least.
        """
        rule, labels = ["─"] * count, [" "] * count
        places = linear_ticks(self.first, self.last, max(2, min(count // spacing, MOST_TICKS - 1)), whole)
        texts = tick_texts(places)
        last = f"{self.last:,.0f}" if whole else texts[-1] if places[-1] == self.last else value_text(self.last)
        named = f"{cut(x_label, count // 3)} {last}".strip()
        [at] = self.columns(np.array([self.last]), count).tolist()
        room = max(min(at + cells(named) // 2 + 1, count) - cells(named), 0)  # before the last label
        rule[at], labels[room : room + len(named)] = "┬", named
        end = -1
        for column, text in zip(self.columns(np.array(places), count).tolist(), texts, strict=True):
            start = max(0, column - len(text) // 2)
            if start > end and start + len(text) < room:
                rule[column] = "┬"
                labels[start : start + len(text)] = text
                end = start + len(text)
        within = missing[(missing >= self.first) & (missing <= self.last)]
        for column in np.unique(self.columns(within, count)).tolist():
            rule[column] = "×"
        return [
            line(Span(" " * gutter + " └", "axis"), *_rule_spans("".join(rule))),
            line(Span(" " * (gutter + 2) + "".join(labels)[:count].rstrip(), "axis")),
        ]


def _most_ticks(rows: int) -> int:
    """Of a y axis of so many rows: two of three rows stay free between two."""
    return min(max(LEAST_TICKS, rows // 2), MOST_TICKS)


def beside_y_axis(plot: Sequence[Line], labels: dict[int, str], gutter: int) -> list[Line]:
    """The rows of a plot with the y axis before them."""
    lines = []
    for row, drawn in enumerate(plot):
        label = labels.get(row, "")
        lines.append(line(Span(f"{label:>{gutter}} {'┤' if label else '│'}", "axis"), *drawn))
    return lines


def with_room(bottom: float, top: float, log_y: bool = False) -> tuple[float, float]:
    """The range, widened where it is too flat for a scale."""
    if top - bottom > max(1e-12 * abs(bottom), SMALLEST):
        return bottom, top
    room = 0.5 if log_y else max(abs(bottom) * 0.1, 0.05)
    return bottom - room, top + room


def _visible(trace: Trace, first: float, last: float) -> tuple[float, float]:
    """The least and greatest value of a curve between two steps, where it enters and leaves included."""
    start, end = np.searchsorted(trace.steps, first), np.searchsorted(trace.steps, last, side="right")
    borders = np.interp([first, last], trace.steps, trace.values, left=np.nan, right=np.nan)
    seen = np.concatenate([trace.values[start:end], borders])
    return float(np.fmin.reduce(seen)), float(np.fmax.reduce(seen))


def _rule_spans(rule: str) -> list[Span]:
    """The rule with its crosses in a style of their own."""
    spans = []
    start = 0
    for index in range(1, len(rule) + 1):
        if index == len(rule) or (rule[index] == "×") != (rule[start] == "×"):
            spans.append(Span(rule[start:index], "bad" if rule[start] == "×" else "axis"))
            start = index
    return spans
