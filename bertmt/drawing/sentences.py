"""Pictures in sentences: curves, a confusion matrix, predicted against true values. One fact per line."""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.charts.axes import STEPS, XAxis
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.step_window import Window
from bertmt.drawing.charts.ticks import value_text
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, line

PARTS = 5  # of the range of true values, each with the mean of what was predicted there


def curve_sentences(
    panel: Panel, window: Window | None = None, cursor: float | None = None, axis: XAxis = STEPS
) -> list[str]:
    """A sentence per series: first, last, lowest and highest value, and the one at the cursor.

    Args:
        axis: what the steps of the series are.
    """
    title = f"{safe_text(panel.title)}, " if panel.title else ""
    return [title + _curve(each, window, cursor, axis) for each in panel.series]


def _curve(series: Series, window: Window | None, cursor: float | None, axis: XAxis) -> str:
    trace = (series.recorded or series).linear
    shown = np.isfinite(trace.values)
    if window is not None:
        shown &= (trace.steps >= window[0]) & (trace.steps <= window[1])
    steps, values = trace.steps[shown], trace.values[shown]
    if not len(values):
        return f"{series.shown_name}: no values."
    low, high = int(values.argmin()), int(values.argmax())
    facts = [
        f"{what} {value_text(float(values[at]))} at {_place(axis, steps[at])}"
        for what, at in (("first", 0), ("last", -1), ("lowest", low), ("highest", high))
    ]
    if cursor is not None:
        facts.insert(0, f"{_at_cursor(series, cursor, axis)} at the cursor, {_place(axis, cursor)}")
    lacking = (
        f"; {numbers.counted(len(trace.missing), 'value is', 'values are')} no number" if len(trace.missing) else ""
    )
    return f"{series.shown_name}: {', '.join(facts)}{lacking}."


def _at_cursor(series: Series, cursor: float, axis: XAxis) -> str:
    point = (series.recorded or series).at(cursor)
    if point is None:
        return "no value"
    is_older = series.exact and axis.text(point.step) != axis.text(cursor)
    return value_text(point.value) + (f", of {_place(axis, point.step)}," if is_older else "")


def _place(axis: XAxis, place: float) -> str:
    return f"{axis.label} {axis.text(float(place))}"


def matrix_sentences(matrix: np.ndarray, classes: Sequence[str], other: np.ndarray | None = None) -> list[str]:
    """A sentence per true class: how many were predicted as what, none left out but zeros; or how that differs from
    another matrix.

    Args:
        matrix, other: counts, shape (k, k); rows are true classes.
    """
    if other is not None:
        return [_change_of(classes, row, matrix - other) for row in range(len(classes))]
    found = []
    for row, name in enumerate(classes):
        total, hits, taken = int(matrix[row].sum()), int(matrix[row, row]), int(matrix[:, row].sum())
        as_what = ", ".join(
            f"{numbers.count(int(matrix[row, place]))} as {safe_text(each)}"
            for place, each in enumerate(classes)
            if matrix[row, place]
        )
        rates = ""
        if total:
            rates += f"; recall {hits / total:.0%}"
        if taken:
            rates += f"; precision {hits / taken:.0%}"
        found.append(f"True {safe_text(name)}, {numbers.count(total)}: {as_what or 'none'}{rates}.")
    return found


def _change_of(classes: Sequence[str], row: int, change: np.ndarray) -> str:
    changed = [
        f"{int(change[row, place]):+,} as {safe_text(each)}" for place, each in enumerate(classes) if change[row, place]
    ]
    return f"True {safe_text(classes[row])}: {', '.join(changed) or 'no change'}."


def cell_sentence(matrix: np.ndarray, classes: Sequence[str], true: int, predicted: int) -> str:
    """The cell at the cursor."""
    number, total = int(matrix[true, predicted]), int(matrix[true].sum())
    share = f", {number / total:.0%} of the true class" if total else ""
    return (
        f"At the cursor: true {safe_text(classes[true])}, predicted {safe_text(classes[predicted])}: {number:,}{share}."
    )


def cloud_sentences(cloud: Cloud) -> list[str]:
    """How far predictions are from the truth, the line of best fit, and the mean per part of the range."""
    true, predicted = (np.asarray(each, dtype=np.float64) for each in (cloud.true, cloud.predicted))
    known = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[known], predicted[known]
    if not len(true):
        return ["No values yet."]
    error = predicted - true
    found = [
        f"{numbers.counted(len(true), 'example')}, predicted from {predicted.min():.2f} to {predicted.max():.2f}.",
        f"Mean distance from the true value {abs(error).mean():.2f}, mean error {error.mean():+.2f}.",
    ]
    if cloud.fit is not None:
        slope, intercept = cloud.fit
        found.append(f"Line of best fit: predicted = {slope:.2f} times true {intercept:+.2f}.")
    low, high = cloud.scale or (float(true.min()), float(true.max()))
    edges = np.linspace(low, high, PARTS + 1)
    places = np.clip(np.searchsorted(edges, true, side="right") - 1, 0, PARTS - 1)
    for part in range(PARTS):
        within = predicted[places == part]
        if len(within):
            said = f"mean prediction {within.mean():.2f}, from {within.min():.2f} to {within.max():.2f}"
            found.append(
                f"True {edges[part]:g} to {edges[part + 1]:g}: {numbers.counted(len(within), 'example')}, {said}."
            )
    return found


def sentence_page(sentences: Sequence[str], width: int) -> list[Line]:
    """Sentences in lines of a width, each beginning a line."""
    return [line(part) for each in sentences for part in wrapped(each, max(width, 1))]
