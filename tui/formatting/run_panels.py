"""Which series of runs make which chart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from weakref import WeakValueDictionary

import numpy as np

from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.registry.records import Run
from bertmt.services.browse.curves import Curve, is_evaluation, place_of
from bertmt.services.browse.score_columns import tasks_of

Curves = Mapping[tuple[int, str], Curve]
NOTHING = np.empty(0)
# Series that some chart still has: while nothing is measured it gets the same ones, and what it derived from them
# stays good. A series holds its arrays, so that no other array has their id as long as it is here.
_drawn: WeakValueDictionary[tuple[int, int, str, int | None], Series] = WeakValueDictionary()


@dataclass(frozen=True)
class ChartKind:
    """A chart that a run has: its title, and the series that it shows.

    Attributes:
        beside: of one run, each series has its own panel, over the series of that prefix and the same task.
    """

    title: str
    pattern: str
    beside: str = ""


# In the order of interest. The series are those that `bertmt/run_folder/events.py` names.
CHARTS = (
    ChartKind("training loss", "loss/*"),
    ChartKind("dev score", "dev/*"),
    ChartKind("dev loss", "dev_loss/*", beside="loss/"),
    ChartKind("gradient norm", "gradient_norm"),
    ChartKind("conflict share", "conflict_share"),
    ChartKind("learning rate", "learning_rate"),
    ChartKind("tokens per second", "tokens_per_second"),
    ChartKind("padding share", "padding_share"),
    ChartKind("undefined Pearson batches", "pearson_undefined"),
)
AT_A_GLANCE = CHARTS[:2]


def patterns(charts: Iterable[ChartKind]) -> tuple[str, ...]:
    """The series that the charts need."""
    return tuple(chart.pattern for chart in charts)


def panels_of(curves: Curves, runs: Sequence[Run], charts: Sequence[ChartKind]) -> list[Panel]:
    """A panel per chart that has points; of several runs, one per series, each run a curve, so that like meets like."""
    panels: list[Panel] = []
    first = (*tasks_of(runs), "overall")
    for chart in charts:
        found = {name for _, name in curves if fnmatchcase(name, chart.pattern)}
        names = sorted(found, key=lambda name: _order(name, first))
        if len(runs) > 1:
            panels += [_panel_of_several(curves, runs, chart, name, len(names) > 1) for name in names]
        elif chart.beside:
            panels += [_train_and_dev(curves, runs[0], chart, name) for name in names]
        elif names:
            panels.append(Panel(chart.title, [_of_one(curves[runs[0].key, name], name) for name in names]))
    return panels


def _of_one(curve: Curve, name: str) -> Series:
    """A series of a run that is alone: a task keeps its look, also where a pretraining phase was there before it."""
    return _series(curve, _leaf(name), place_of(name, with_kind=False, tasks=curve.run.tasks))


def _panel_of_several(curves: Curves, runs: Sequence[Run], chart: ChartKind, name: str, is_one_of_many: bool) -> Panel:
    """One series of all runs; a run without it has an empty curve, so that each keeps its colour and its mark."""
    title = f"{chart.title} {_leaf(name)}" if is_one_of_many else chart.title
    return Panel(title, [_series(curves.get((run.key, name)), f"{run.name} {run.id}") for run in runs])


def _train_and_dev(curves: Curves, run: Run, chart: ChartKind, name: str) -> Panel:
    leaf = _leaf(name)
    found = {"train": curves.get((run.key, chart.beside + leaf)), "dev": curves[run.key, name]}
    shown = [(title, curve, place) for place, (title, curve) in enumerate(found.items()) if curve is not None]
    return Panel(f"loss of {leaf}", [_series(curve, title, place) for title, curve, place in shown])


def _series(curve: Curve | None, name: str, place: int | None = None) -> Series:
    steps, values = (NOTHING, NOTHING) if curve is None else (curve.steps, curve.values)
    key = id(steps), id(values), name, place
    known = _drawn.get(key)
    if known is None:
        exact = curve is not None and is_evaluation(curve.series)
        known = _drawn[key] = Series(name, steps, values, exact=exact, place=place)
    return known


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]


def _order(name: str, first: Sequence[str]) -> tuple[int, str]:
    """The tasks in their order and the overall score, then the rest."""
    leaf = _leaf(name)
    return (first.index(leaf) if leaf in first else len(first), name)
