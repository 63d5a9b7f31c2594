"""Curves of groups of seeds: of each group and series the mean in a band, of one run its curve.

A single run that others are compared with has a band too: what two seeds of one recipe differ by, where it is known.
"""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from bertmt.drawing.charts.bands import Band, band_around, mean_and_band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import known_baselines
from bertmt.services.browse.curves import DEV, Curve, curves_of, place_among
from bertmt.services.browse.run_formatting import run_places

if TYPE_CHECKING:
    from bertmt.services.analysis.compare import Comparison  # it brings scipy, which curves do without

NOTHING_KNOWN: Mapping[str, float] = {}


def comparison_panel(database: Database, found: "Comparison") -> Panel:
    """The first dev score that all runs of a comparison have, over their steps.

    Raises:
        NotFoundError: nothing was measured.
    """
    groups = [arm.runs for arm in found.arms]
    curves = curves_of(database, [run for group in groups for run in group])
    return group_panel(curves, groups, known_baselines(database).references, floors=found.floors)


def group_panel(
    curves: Sequence[Curve],
    groups: Sequence[Sequence[Run]],
    references: Container[int] = (),
    between: bool = False,
    floors: Mapping[str, float] = NOTHING_KNOWN,
) -> Panel:
    """Curves of several runs in one panel, a mean and a band for each group and series.

    Args:
        curves: of all runs of the groups.
        references: `Baselines.references`.
        between: steps are places that runs need not share; see `mean_and_band`.
        floors: how far apart two seeds are by task and "overall"; drawn about the first group's dev score where that
            is one run.
    """
    names = list(dict.fromkeys(each.series for each in curves))
    by_run = {(each.run.key, each.series): each for each in curves}
    looks = run_places((group[0] for group in groups), references)
    series: list[Series] = []
    bands: list[Band] = []
    for order, group in enumerate(groups):
        for name in names:
            members = [by_run[run.key, name] for run in group if (run.key, name) in by_run]
            if not members:
                continue
            place = looks[group[0].key] if len(names) == 1 else place_among(order, name, group[0].tasks)
            curve, band = _drawn(members, len(names) == 1, place, len(series), between)
            floor = floors.get(name.removeprefix(DEV)) if not order and len(names) == 1 else None
            if band is None and floor is not None and name.startswith(DEV):
                band = band_around(curve, floor, len(series))
            series.append(curve)
            bands += [band] if band is not None else []
    return Panel(names[0] if len(names) == 1 else "", series, bands=bands)


def _drawn(
    members: Sequence[Curve], same_series: bool, place: int, of: int, between: bool
) -> tuple[Series, Band | None]:
    drawn = [each.drawn(same_series, place) for each in members]
    if len(drawn) == 1:
        return drawn[0], None
    name = f"{members[0].run.name} ×{len(members)}"
    return mean_and_band(name if same_series else f"{members[0].series} {name}", drawn, place, of, between)
