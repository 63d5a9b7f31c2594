"""What stands below a chart: which look is which series and what its value is, and what could not be drawn."""

from collections.abc import Sequence

from bertmt.drawing.charts.axes import STEPS, XAxis
from bertmt.drawing.charts.series import Series, Trace
from bertmt.drawing.charts.ticks import value_text
from bertmt.drawing.looks import Look
from bertmt.drawing.numbers import MISSING, counted
from bertmt.drawing.styled import Line, Span, cells, cut_name, line, plain, wrap_parts

GAP = 2
ROOM_FOR_VALUE = 16


def legend(
    series: Sequence[Series],
    looks: Sequence[Look],
    width: int,
    most: int,
    *,
    step: float | None = None,
    axis: XAxis = STEPS,
    names: bool = True,
    values: bool = True,
) -> list[Line]:
    """Mark, name and value of each series in at most so many lines; those that do not fit are counted.

    Args:
        step: whose values are shown; None is each series' last.
        axis: what steps are.
    """
    parts = []
    for each, look in zip(series, looks, strict=True):
        name = f" {cut_name(each.shown_name, width - ROOM_FOR_VALUE)}" if names else ""
        value = f" {_value(each, step, axis)}" if values else ""
        parts.append(line(Span(look.mark, look.style), name, Span(value, "dim")))
    return _wrapped(parts, width, most)


def remarks(traces: Sequence[Trace]) -> list[Line]:
    """Sentences about points that are not in the drawing."""
    not_positive = sum(each.not_positive for each in traces)
    missing = sum(len(each.missing) for each in traces)
    found = []
    if not_positive:
        what = counted(not_positive, "value of 0 or less is", "values of 0 or less are")
        found.append(line(Span(f"{what} not shown on a log scale.", "bad")))
    if missing:
        what = counted(missing, "value is not a number", "values are not numbers")
        found.append(line(Span(f"{what} (× on the axis).", "bad")))
    return found


def _value(series: Series, step: float | None, axis: XAxis) -> str:
    """The value that is drawn; of a moving average what was recorded there too, of a measurement before the cursor when
    it was made."""
    point = series.at(step)
    if point is None:
        return MISSING
    said = value_text(point.value)
    if series.recorded is not None and (recorded := series.value_at(step)) is not None:
        said += f" ({'last' if step is None else 'recorded'} {value_text(recorded)})"
    if step is not None and series.exact and axis.text(point.step) != axis.text(step):
        said += f" at {axis.label} {axis.text(point.step)}"
    return said


def _wrapped(parts: Sequence[Line], width: int, most: int) -> list[Line]:
    """As many parts as there is room for, the rest counted; wrapping all of hundreds again and again took 100 ms."""
    shown, lines, used = 0, 1, 0
    for part in parts:
        wide = min(cells(plain(part)), width)
        if used and used + GAP + wide > width:
            lines, used = lines + 1, 0
        if lines > most:
            break
        used += wide + (GAP if used else 0)
        shown += 1
    if shown == len(parts):
        return wrap_parts(parts, width, GAP) if most > 0 else []
    for kept in range(shown, -1, -1):
        more = line(Span(f"… and {len(parts) - kept} more", "dim"))
        wrapped = wrap_parts([*parts[:kept], more], width, GAP)
        if len(wrapped) <= most:
            return wrapped
    return []
