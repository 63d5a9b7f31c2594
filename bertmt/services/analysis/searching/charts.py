"""The settings of a search against the scores of its recipes, as points to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.comparison.held_out import Importance
from bertmt.drawing.charts.scatter import Point
from bertmt.recipe.space import Axis, word_of
from bertmt.services.analysis.searching.looking import Tried
from bertmt.services.analysis.searching.report import Report, compared_score, is_pruned

BEST, WHOLE, PRUNED = "◆", "●", "○"
LEGEND = f"{BEST} best  {WHOLE} trained to its end  {PRUNED} pruned, or under way"


@dataclass(frozen=True)
class SettingChart:
    """One setting against scores at the first rung, for which all recipes were trained equally far.

    Attributes:
        values: of a setting that is chosen from a list, all of them as they are typed; empty: a range.
        numbers: of the recipes that the points are.
    """

    axis: Axis
    importance: Importance
    values: tuple[str, ...]
    points: tuple[Point, ...]
    numbers: tuple[int, ...]


def setting_charts(report: Report, at: int | None = None) -> tuple[SettingChart, ...]:
    """A chart per setting, the one that goes with most of the scores first.

    Args:
        at: the number of the recipe at hand, which is drawn reversed.
    """
    axes = {axis.name: axis for axis in report.plan.space}
    known = [each for each in report.looked.tried if compared_score(each) is not None]
    return tuple(_chart(axes[name], found, known, report, at) for name, found in report.importances.items())


def _chart(axis: Axis, found: Importance, known: Sequence[Tried], report: Report, at: int | None) -> SettingChart:
    values = tuple(word_of(value) for value in axis.values)
    points = tuple(_point(each, axis, report, at) for each in known)
    return SettingChart(axis, found, values, points, tuple(each.trial.number for each in known))


def _point(each: Tried, axis: Axis, report: Report, at: int | None) -> Point:
    value, winner = each.trial.settings.get(axis.name), report.winner
    if winner is not None and winner.trial == each.trial:
        mark, style, weight = BEST, "good", 3
    elif is_pruned(each, report.looked) or not each.is_whole:
        mark, style, weight = PRUNED, "dim", 1
    else:
        mark, style, weight = WHOLE, "series0", 2
    if each.trial.number == at:
        style, weight = "cursor", 4
    shown = word_of(value) if axis.values else value
    return Point(shown, compared_score(each) or 0.0, mark, style, weight)
