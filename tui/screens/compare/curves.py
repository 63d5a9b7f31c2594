"""Curves of a comparison: one per arm, that of several seeds their mean in a band from the lowest to the highest."""

from collections.abc import Sequence
from dataclasses import replace

from bertmt.drawing.charts.bands import Band, mean_and_band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.ticks import value_text
from bertmt.drawing.numbers import counted
from bertmt.services.analysis.arms import Arm
from tui.screens.compare.arms import Sides

Drawn = tuple[Series, Band | None]
Known = dict[tuple[int, str, tuple[Series, ...]], Drawn]
BAND = "mean, and lowest to highest seed"


class ArmCurves:
    """Panels over arms. What is drawn of seeds that have no new points is kept, with all that was derived from it."""

    def __init__(self) -> None:
        self._known: Known = {}

    def panels(self, panels: Sequence[Panel], sides: Sides, between: bool = False) -> list[Panel]:
        """The panels with a curve per arm.

        Args:
            panels: with a series per run, in the order of `sides.runs`.
            between: as in `mean_and_band`.
        """
        if len(sides.runs) < 2:
            return list(panels)
        before, self._known = self._known, {}
        return [self._panel(panel, sides, before, between) for panel in panels]

    def _panel(self, panel: Panel, sides: Sides, before: Known, between: bool) -> Panel:
        drawn = []
        of_run = {run.key: series for run, series in zip(sides.runs, panel.series, strict=True)}
        in_order = sorted(sides.all_arms, key=lambda arm: arm.runs[0].key)
        for index, arm in enumerate(in_order):
            place = sides.places[arm.runs[0].key]
            members = tuple(of_run[run.key] for run in arm.runs)
            measured = tuple(each for each in members if len(each.steps))
            key = place, arm.runs[0].name, measured or members[:1]
            found = before.get(key) or _drawn(arm, key[2], place, index, between)
            self._known[key] = found
            drawn.append(found)
        bands = [band for _, band in drawn if band is not None]
        title = f"{panel.title} ({BAND})" if bands else panel.title
        return replace(panel, title=title, series=[series for series, _ in drawn], bands=bands)


def _drawn(arm: Arm, members: tuple[Series, ...], place: int, index: int, between: bool) -> Drawn:
    """The curve of an arm: that of its only run that has points, or the mean of several."""
    if len(members) == 1:
        return replace(members[0], place=place), None
    name = f"{arm.runs[0].name} ×{len(members)}"
    mean, band = mean_and_band(name, members, place, index, between)
    if len(mean.steps) or not all(len(each.steps) for each in members):
        return mean, band
    return replace(mean, name=f"{name}: {_nothing_shared(members, between)}"), None


def _nothing_shared(members: tuple[Series, ...], between: bool) -> str:
    """Why no mean is drawn of curves that have points, and where they end."""
    what = f"no {'time' if between else 'step'} that all {counted(len(members), 'seed')} reached"
    ends = [value for each in members if (value := each.value_at(None)) is not None]
    return f"{what}, mean of their ends {value_text(sum(ends) / len(ends))}" if ends else what
