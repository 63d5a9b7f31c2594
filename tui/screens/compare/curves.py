"""Curves of a comparison: one per arm, that of several seeds their mean in a band from the lowest to the highest; about
the reference of one run what two seeds of one recipe differ by, where that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bertmt.drawing.charts.bands import Band, band_around, mean_and_band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.ticks import value_text
from bertmt.drawing.numbers import counted
from bertmt.services.analysis.arms import Arm
from bertmt.services.browse.curves import DEV
from bertmt.services.browse.times.along import Along
from tui.formatting.run_panels import CHARTS, panels_of, patterns, title_among
from tui.registry_lane import Session
from tui.screens.compare.arms import Sides

Floors = Mapping[str, float | None]
Drawn = tuple[Series, Band | None]
Known = dict[tuple[int, str, float | None, tuple[Series, ...]], Drawn]
BAND = "mean, and lowest to highest seed"
NOISE = "about ●: what two seeds differ by"
# What a trained model scores is what a comparison is about; its training comes behind.
SCORES = CHARTS[1]
CHARTS_IN_ORDER = (SCORES, CHARTS[0], *CHARTS[2:])


class ArmCurves:
    """Panels over arms. What is drawn of seeds that have no new points is kept, with all that was derived from it."""

    def __init__(self) -> None:
        self._known: Known = {}

    def read(
        self, session: Session, sides: Sides, x_axis: str, floors: Mapping[str, float]
    ) -> tuple[list[Panel], Along]:
        """On the registry's thread: the panels with a curve per arm, and what they are over.

        Args:
            floors: how far apart two seeds of one recipe are, by task and "overall".
        """
        curves = session.curves.update(sides.runs, patterns(CHARTS_IN_ORDER))
        placed = session.axes.along(curves, x_axis)
        scores = {name for _, name in placed.curves if name.startswith(DEV)}
        titled = {title_among(SCORES, name, scores): floors.get(name.removeprefix(DEV)) for name in scores}
        panels = panels_of(placed.curves, sides.runs, CHARTS_IN_ORDER)
        return self.panels(panels, sides, not placed.is_of_steps, titled), placed

    def panels(
        self, panels: Sequence[Panel], sides: Sides, between: bool = False, floors: Floors | None = None
    ) -> list[Panel]:
        """The panels with a curve per arm.

        Args:
            panels: with a series per run, in the order of `sides.runs`.
            between: as in `mean_and_band`.
            floors: what two seeds of one recipe differ by, by the title of a panel.
        """
        if len(sides.runs) < 2:
            return list(panels)
        before, self._known = self._known, {}
        return [self._panel(panel, sides, before, between, (floors or {}).get(panel.title)) for panel in panels]

    def _panel(self, panel: Panel, sides: Sides, before: Known, between: bool, floor: float | None) -> Panel:
        drawn = []
        of_run = {run.key: series for run, series in zip(sides.runs, panel.series, strict=True)}
        in_order = sorted(sides.all_arms, key=lambda arm: arm.runs[0].key)
        for index, arm in enumerate(in_order):
            place = sides.places[arm.runs[0].key]
            members = tuple(of_run[run.key] for run in arm.runs)
            measured = tuple(each for each in members if len(each.steps))
            about = floor if sides.arms and arm is sides.arms[0] and len(arm.runs) == 1 and measured else None
            key = place, arm.runs[0].name, about, measured or members[:1]
            found = before.get(key) or _drawn(arm, key[3], place, index, between, about)
            self._known[key] = found
            drawn.append(found)
        bands = [band for _, band in drawn if band is not None]
        has_means = any(band is not None and len(arm.runs) > 1 for arm, (_, band) in zip(in_order, drawn, strict=True))
        said = [BAND] * has_means + [NOISE] * (len(bands) > 0 and not has_means)
        title = f"{panel.title} ({said[0]})" if said else panel.title
        return replace(panel, title=title, series=[series for series, _ in drawn], bands=bands)


def _drawn(arm: Arm, members: tuple[Series, ...], place: int, index: int, between: bool, floor: float | None) -> Drawn:
    """The curve of an arm: that of its only run that has points, or the mean of several."""
    if len(members) == 1:
        series = replace(members[0], place=place)
        return series, None if floor is None else band_around(series, floor, index)
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
