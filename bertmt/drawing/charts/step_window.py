"""Which steps of a chart are visible, and where its cursor goes: zoom, pan, and the steps that were recorded."""

from collections.abc import Sequence

import numpy as np

from bertmt.drawing.charts.axes import STEPS
from bertmt.drawing.charts.curves import Panel

Window = tuple[float, float]  # the first and the last step that are visible


def zoomed(
    whole: Window, window: Window | None, factor: float, about: float | None = None, least: float = STEPS.least
) -> Window | None:
    """A window with `factor` times as many steps, in which `about` stays where it is; None is the whole.

    Args:
        about: None is the middle.
        least: steps between both ends.
    """
    first, last = window or whole
    about = (first + last) / 2 if about is None else min(max(about, first), last)
    length = max((last - first) * factor, min(least, whole[1] - whole[0]))
    if length >= whole[1] - whole[0]:
        return None
    share = (about - first) / (last - first) if last > first else 0.5
    return _inside(whole, (about - share * length, about + (1 - share) * length))


def panned(whole: Window, window: Window | None, steps: float) -> Window | None:
    """The window moved by so many steps, not beyond what there is."""
    return None if window is None else _inside(whole, (window[0] + steps, window[1] + steps))


def nearest_step(panels: Sequence[Panel], step: float) -> float | None:
    """The last recorded step up to a step, else the first behind it; None where nothing was recorded."""
    before = _recorded(panels, step, before=True)
    return before if before is not None else _recorded(panels, step, before=False)


def next_step(panels: Sequence[Panel], cursor: float, distance: float) -> float | None:
    """The recorded step at least so far from the cursor (to the left where negative), else the last on that side."""
    found = _recorded(panels, cursor + distance, before=distance < 0)
    return found if found is not None else nearest_step(panels, np.inf if distance > 0 else -np.inf)


def _recorded(panels: Sequence[Panel], step: float, before: bool) -> float | None:
    """The recorded step nearest to a step on one side of it, itself included."""
    found = []
    for steps in (each.linear.steps for panel in panels for each in panel.series):
        if before and (count := int(np.searchsorted(steps, step, side="right"))):
            found.append(float(steps[count - 1]))
        elif not before and (index := int(np.searchsorted(steps, step))) < len(steps):
            found.append(float(steps[index]))
    return (max if before else min)(found, default=None)


def _inside(whole: Window, window: Window) -> Window:
    """The window moved until it lies inside the whole, which is longer."""
    length = window[1] - window[0]
    first = max(whole[0], min(window[0], whole[1] - length))
    return first, first + length
