"""Which series of runs make which chart."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from weakref import WeakValueDictionary

import numpy as np

from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.registry.records import Run
from bertmt.services.browse.curves import LOOKS_OF_A_KIND, Curve, is_evaluation, is_partial, place_of
from bertmt.services.browse.score_columns import tasks_of
from bertmt.tasks.task import PARTIAL

Curves = Mapping[tuple[int, str], Curve]
NOTHING = np.empty(0)
DEV = LOOKS_OF_A_KIND - 1  # the place of dev losses beside training losses
PARTIAL_PLACES = 4 * LOOKS_OF_A_KIND  # from a score to its partial one: the same colour, a mark that no task's has
# Series that some chart still has: while nothing is measured it gets the same ones, and what it derived from them
# stays good. A series holds its arrays, so that no other array has their id as long as it is here.
_drawn: WeakValueDictionary[tuple[int, int, str, int | None], Series] = WeakValueDictionary()


@dataclass(frozen=True)
class ChartKind:
    """A chart that a run has: its title, and the series that it shows.

    Attributes:
        beside: of one run, each series has its own panel, with the series of that prefix and the same task.
        apart: of one run, where there is room each task has a panel, with what that prefix has of it: losses have
            scales of their own.
        partial: of one run, series on a part of the examples that are dotted behind the others.
    """

    title: str
    pattern: str
    beside: str = ""
    apart: str = ""
    partial: str = ""


# In the order of interest. The series are those that `bertmt/run_folder/events.py` names.
CHARTS = (
    ChartKind("training loss", "loss/*", apart="dev_loss/"),
    ChartKind("dev score", "dev/*", partial=f"{PARTIAL}/*"),
    ChartKind("dev loss", "dev_loss/*", beside="loss/"),
    ChartKind("gradient norm", "gradient_norm"),
    ChartKind("conflict share", "conflict_share"),
    ChartKind("learning rate", "learning_rate"),
    ChartKind("tokens per second", "tokens_per_second"),
    ChartKind("padding share", "padding_share"),
    ChartKind("undefined Pearson batches", "pearson_undefined"),
)
AT_A_GLANCE = CHARTS[:2]
NOT_SAMPLED = ("learning_rate", "pearson_undefined")  # told and counted, not measured on a batch: never smoothed


def patterns(charts: Iterable[ChartKind]) -> tuple[str, ...]:
    """The series that the charts need."""
    return tuple(pattern for chart in charts for pattern in (chart.pattern, chart.partial) if pattern)


def panels_of(
    curves: Curves, runs: Sequence[Run], charts: Sequence[ChartKind], places: Mapping[int, int] | None = None
) -> list[Panel]:
    """A panel per chart that has points; of several runs, one per series, each run a curve, so that like meets like.

    Args:
        places: of the looks of several runs, by their keys.
    """
    panels: list[Panel] = []
    losses: dict[str, Panel] = {}
    first = (*tasks_of(runs), "overall")
    for chart in charts:
        found = {name for _, name in curves if fnmatchcase(name, chart.pattern)}
        names = sorted(found, key=lambda name: _order(name, first))
        if len(runs) > 1:
            panels += [
                _panel_of_several(curves, runs, title_among(chart, name, names), name, places or {}) for name in names
            ]
        elif chart.beside:
            panels += [_loss_of(_leaf(name), curves, runs[0], losses) for name in names]
        elif chart.apart and names:
            apart = [_loss_of(_leaf(name), curves, runs[0], losses) for name in names]
            panels += [replace(each, instead=apart) for each in _panel_of_one(curves, runs[0], chart, names, first)]
        else:
            panels += _panel_of_one(curves, runs[0], chart, names, first)
    return panels


def with_shared_axes(panels: Sequence[Panel], others: Sequence[Panel]) -> list[Panel]:
    """The panels of a run beside which another's stand: on scales that both have, so that they can be compared.

    In place of a panel whose curves have scales of their own stand those with one task each.
    """
    apart = {_subject(each) for each in (*panels, *others) if each.is_relative}
    theirs = {_subject(each): each.series for each in _each_its_own(others, apart)}
    shown = dict.fromkeys(_each_its_own(panels, apart))
    return [replace(each, instead=(), also=theirs.get(_subject(each), ())) for each in shown]


def _each_its_own(panels: Sequence[Panel], apart: Collection[str]) -> list[Panel]:
    return [one for each in panels for one in (each.instead if _subject(each) in apart and each.instead else (each,))]


def _subject(panel: Panel) -> str:
    """What a panel is of, without what its title says of the curves."""
    return panel.title.partition(" (")[0]


def _panel_of_one(
    curves: Curves, run: Run, chart: ChartKind, names: Sequence[str], first: Sequence[str]
) -> list[Panel]:
    """All series of a chart in one panel, the partial ones last; none where there is nothing."""
    parts = sorted(
        (name for _, name in curves if fnmatchcase(name, chart.partial)), key=lambda each: _order(each, first)
    )
    most = run.recipe.get("partial_examples")
    of_how_many = f", of ≤ {most}" if most else ""
    title = f"{chart.title} (dotted: partial{of_how_many})" if parts else chart.title
    series = [_of_one(curves[run.key, name], name) for name in (*names, *parts)]
    return [Panel(title, series)] if series else []


def _of_one(curve: Curve, name: str) -> Series:
    """A series of a run that is alone: a task keeps its look, also where a pretraining phase was there before it."""
    place = place_of(name, with_kind=False, tasks=curve.run.tasks)
    if is_partial(name):  # the task's colour with another mark
        return _series(curve, f"{_leaf(name)} partial", place + PARTIAL_PLACES)
    return _series(curve, _leaf(name), place)


def title_among(chart: ChartKind, name: str, names: Collection[str]) -> str:
    """What the panel of a series of several runs is called, where the chart has these series."""
    return f"{chart.title} {_leaf(name)}" if len(names) > 1 else chart.title


def _panel_of_several(curves: Curves, runs: Sequence[Run], title: str, name: str, places: Mapping[int, int]) -> Panel:
    """One series of all runs; a run without it has an empty curve, so that all panels have the same legend."""
    shown = [_series(curves.get((run.key, name)), f"{run.name} {run.id}", places.get(run.key)) for run in runs]
    return Panel(title, shown)


def _loss_of(leaf: str, curves: Curves, run: Run, made: dict[str, Panel]) -> Panel:
    """A task's losses in its colour, the dev loss in none of a task's; the same panel each time."""
    if leaf not in made:
        place = place_of(f"loss/{leaf}", with_kind=False, tasks=run.tasks)
        found = (("train", f"loss/{leaf}", place), ("dev", f"dev_loss/{leaf}", DEV))
        shown = [(curves.get((run.key, series)), name, look) for name, series, look in found]
        drawn = [_series(curve, name, look) for curve, name, look in shown if curve is not None]
        made[leaf] = Panel(f"loss of {leaf}", drawn)
    return made[leaf]


def _series(curve: Curve | None, name: str, place: int | None = None) -> Series:
    steps, values = (NOTHING, NOTHING) if curve is None else (curve.steps, curve.values)
    key = id(steps), id(values), name, place
    known = _drawn.get(key)
    if known is None:
        exact = curve is not None and (is_evaluation(curve.series) or curve.series in NOT_SAMPLED)
        dotted = curve is not None and is_partial(curve.series)
        known = _drawn[key] = Series(name, steps, values, exact=exact, place=place, dotted=dotted)
    return known


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]


def _order(name: str, first: Sequence[str]) -> tuple[int, str]:
    """The tasks in their order and the overall score, then the rest."""
    leaf = _leaf(name)
    return (first.index(leaf) if leaf in first else len(first), name)
