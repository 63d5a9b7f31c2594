"""Which series of runs make which chart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bertmt.drawing.curves import Panel
from bertmt.drawing.series import Series
from bertmt.registry.records import Run
from bertmt.services.curves import Curve

Curves = Mapping[tuple[int, str], Curve]


@dataclass(frozen=True)
class ChartKind:
    """A chart that a run has: its title, and the series that it shows."""

    title: str
    pattern: str


# In the order of interest. The series are those that `bertmt/run_folder/events.py` names.
CHARTS = (
    ChartKind("training loss", "loss/*"),
    ChartKind("dev score", "dev/*"),
    ChartKind("dev loss", "dev_loss/*"),
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
    panels = []
    for chart in charts:
        names = sorted({name for _, name in curves if fnmatchcase(name, chart.pattern)}, key=_order)
        for group in [names] if len(runs) == 1 else [[name] for name in names]:
            keys = [(run, name) for run in runs for name in group if (run.key, name) in curves]
            if keys:
                found = [_series(curves[run.key, name], run, len(runs) > 1) for run, name in keys]
                leaf = f" {group[0].rpartition('/')[2]}" if len(runs) > 1 and len(names) > 1 else ""
                panels.append(Panel(chart.title + leaf, found))
    return panels


def _series(curve: Curve, run: Run, several: bool) -> Series:
    name = f"{run.name} {run.id}" if several else curve.series.rpartition("/")[2]
    return Series(name, curve.steps, curve.values)


def _order(name: str) -> tuple[int, str]:
    """SST, PARA, STS as the paper has them, then the rest."""
    tasks = ("sst", "para", "sts", "overall")
    leaf = name.rpartition("/")[2]
    return (tasks.index(leaf) if leaf in tasks else len(tasks), name)
