"""Series of runs as curves: which ones a pattern names, read and smoothed."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from bertmt.drawing.charts.series import Series
from bertmt.drawing.charts.smoothing import smooth
from bertmt.errors import NotFoundError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import courses
from bertmt.services.browse.run_formatting import run_places
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import PARTIAL

# Whose a series is, by the end of its name, in the order of looks; other tasks share those that are left. Pretraining
# phases, whose series come first and end first, have looks of their own beside the tasks'.
OWNERS = (*BUILTIN, "overall", "mnr", "cosine_embedding")
LIKE = {"mlm": "overall"}  # a loss and a score, which no chart has both: so two looks are left for other tasks
DEV = "dev/"  # the beginning of the names of dev scores over the epochs
KINDS = ("loss", "dev", "dev_loss", PARTIAL)  # by the beginning of its name
LOOKS_OF_A_KIND = 8
DEFAULT_OF_ONE = ("loss/*",)
DEFAULT_OF_SEVERAL = ("dev/overall", "dev/*")  # the first that all runs have points of


@dataclass(frozen=True)
class Curve:
    """One series of one run: steps and values, NaN where a value is no number; shapes (n,)."""

    run: Run
    series: str
    steps: np.ndarray
    values: np.ndarray

    def drawn(self, same_series: bool, place: int | None = None) -> Series:
        """The curve as it is drawn; its series is named where several are shown.

        Args:
            place: of its look; see `Series`.
        """
        name = f"{self.run.name} {self.run.id}"
        shown = name if same_series else f"{self.series} {name}"
        exact, dotted = is_evaluation(self.series), is_partial(self.series)
        return Series(shown, self.steps, self.values, exact=exact, place=place, dotted=dotted)

    def step_list(self) -> list[int]:
        """The steps as plain integers."""
        return [int(step) for step in self.steps]

    def value_list(self) -> list[float | None]:
        """The values, None where one is no number."""
        return [None if np.isnan(value) else float(value) for value in self.values]


def curves_of(database: Database, runs: Sequence[Run], patterns: Sequence[str] = (), weight: float = 0) -> list[Curve]:
    """The series of the runs that match one of the patterns (`loss/sst`, `dev/*`), live runs up to date.

    Args:
        patterns: none means the losses of one run, or a dev score that several have in common.
        weight: of the past in a moving average of what is sampled from batches; 0 leaves the values as they are.

    Raises:
        NotFoundError: no run has such a series; the sentence names those there are.
    """
    current = [bring_up_to_date(database, run) for run in runs]
    names = {run.key: metrics.series_names(database, run.key) for run in current}
    wanted = tuple(patterns) or _default(list(names.values()))
    found = [
        _curve(database, run, name, weight)
        for run in current
        for name in names[run.key]
        if any(fnmatchcase(name, pattern) for pattern in wanted)
    ]
    if not found:
        known = sorted({name for each in names.values() for name in each})
        there = f"there are {', '.join(known)}" if known else "nothing has been measured yet"
        raise NotFoundError(f"No series matches {' or '.join(wanted)}: {there}.")
    return found


def courses_of(database: Database, runs: Sequence[Run]) -> dict[int, list[float | None]]:
    """By key of a run its overall score at each epoch, of a single task that of the task; of many runs at once."""
    return courses(database, runs)


def drawn_curves(curves: Sequence[Curve], runs: Sequence[Run], references: Container[int] = ()) -> list[Series]:
    """The curves of runs as they are drawn in one chart; each keeps its look, whatever is measured later.

    Args:
        runs: in the order in which they were named.
        references: `Baselines.references`.
    """
    same_series = len({each.series for each in curves}) == 1
    if same_series and len(runs) > 1:
        places = run_places(runs, references)
        return [each.drawn(True, places[each.run.key]) for each in curves]
    order = {run.key: index for index, run in enumerate(runs)}
    if same_series:
        return [each.drawn(True, order[each.run.key]) for each in curves]
    return [each.drawn(False, place_among(order[each.run.key], each.series, each.run.tasks)) for each in curves]


def place_among(order: int, series: str, tasks: Iterable[str]) -> int:
    """The place of a series' look in a chart of several runs and series.

    Args:
        order: of its run; tasks: the run's.
    """
    return order * len(KINDS) * LOOKS_OF_A_KIND + place_of(series, tasks=tasks)


def place_of(series: str, with_kind: bool = True, tasks: Iterable[str] = ()) -> int:
    """The place of a series' look among those of its run: the owner's colour; in a mark of the kind, if wanted.

    Args:
        tasks: the run's.
    """
    kind, _, owner = series.rpartition("/")
    others = [name for name in tasks if name not in OWNERS]
    if owner in others:
        place = len(OWNERS) + others.index(owner) % (LOOKS_OF_A_KIND - len(OWNERS))
    else:
        phase = owner.partition(".")[0]  # of one task where several are pretrained: mnr.<task>
        phase = LIKE.get(phase, phase)
        place = OWNERS.index(phase) if phase in OWNERS else len(OWNERS) if kind else 0
    return place + LOOKS_OF_A_KIND * (KINDS.index(kind) if with_kind and kind in KINDS else 0)


def is_evaluation(series: str) -> bool:
    """Whether a series is measured on dev examples, all of them or a fixed part: few points, and never smoothed."""
    return series.startswith(("dev/", "dev_loss/")) or is_partial(series)


def is_partial(series: str) -> bool:
    """Whether a series is of scores on a few dev examples, between two evaluations."""
    return series.startswith(f"{PARTIAL}/")


def _default(names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    if len(names) == 1:
        return DEFAULT_OF_ONE
    for pattern in DEFAULT_OF_SEVERAL:
        common = set.intersection(*({name for name in each if fnmatchcase(name, pattern)} for each in names))
        if common:
            return (sorted(common)[0],)
    return DEFAULT_OF_SEVERAL


def _curve(database: Database, run: Run, name: str, weight: float) -> Curve:
    steps, values = arrays_of(metrics.read(database, run.key, (name,))[name])
    return Curve(run, name, steps, smooth(values, weight) if weight and not is_evaluation(name) else values)


def arrays_of(points: Sequence[tuple[int, float | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of points, int64 and float64, both (n,); None becomes NaN."""
    # Steps stay exact in float64: they are far below 2^53.
    both = np.array(points, dtype=np.float64).reshape(-1, 2)
    return both[:, 0].astype(np.int64), both[:, 1].copy()
