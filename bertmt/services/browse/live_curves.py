"""The series of runs as curves that grow: only points that are new are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.browse.curves import Curve, arrays_of

FIRST_CAPACITY = 256
# Beyond what is asked for: enough for a cursor that goes up and down a list, and at most 32 MiB or so of points.
MOST_RUNS, MOST_POINTS = 64, 1_000_000
# Of one series: a run may go on for days, and a screen has some hundred columns. Beyond, extremes stand for the rest.
MOST_OF_SERIES = 16_384


class GrowingPoints:
    """Steps and values of one series in arrays that double: adding a point copies a constant number, on average.

    What was handed out stays as it was: later points are written behind it. Of very many points the least and the
    greatest of every few are kept, with their steps, and one that is no number: no spike is lost, no value made up.

    Attributes:
        steps: (n,) int64, ascending; the same object until points are added, and so are the values.
        values: (n,) float64, NaN where a value is no number.
    """

    def __init__(self, points: Sequence[tuple[int, float | None]] = ()):
        self._steps, self._values = arrays_of(points)
        self._show(len(self._steps))
        self._thin_out()

    def _show(self, count: int) -> None:
        self._count = count
        self.steps, self.values = self._steps[:count], self._values[:count]

    def add(self, points: Sequence[tuple[int, float | None]]) -> None:
        """Points of later steps."""
        if not points:
            return
        steps, values = arrays_of(points)
        needed = self._count + len(steps)
        if needed > len(self._steps):
            capacity = max(FIRST_CAPACITY, 2 * needed)
            self._steps = _enlarged(self.steps, capacity)
            self._values = _enlarged(self.values, capacity)
        self._steps[self._count : needed] = steps
        self._values[self._count : needed] = values
        self._show(needed)
        self._thin_out()

    def _thin_out(self) -> None:
        """Keep extremes alone while there are too many points; the last point always stays, others go on behind it."""
        if self._count > MOST_OF_SERIES:
            kept = _extremes(self.steps, self.values)
            self._steps, self._values = self.steps[kept], self.values[kept]
            self._show(len(self._steps))

    def ends_with(self, point: tuple[int, float | None]) -> bool:
        """Whether that is the last point."""
        step, value = point
        if not self._count or self.steps[-1] != step:
            return False
        return bool(np.isnan(self.values[-1]) if value is None else self.values[-1] == value)


@dataclass
class _Seen:
    """What is known of a series, and up to where its run's events were imported when it was read."""

    points: GrowingPoints
    imported: tuple[int, int]


@dataclass
class _Kept:
    """The series that a run has, up to where its events were imported, and those of them that were asked for."""

    imported: tuple[int, int]
    names: list[str]
    series: dict[str, _Seen] = field(default_factory=dict)

    @property
    def points(self) -> int:
        return sum(len(seen.points.steps) for seen in self.series.values())


class LiveCurves:
    """Curves of runs, kept from one look to the next; another importer brings the registry up to date.

    A run is asked again when its record says that more of its events were imported. Its series then go on behind
    their last point, which is read again: where that is gone or has another value, or a new attempt began, the
    series starts over.
    """

    def __init__(self, database: Database):
        self._database = database
        self._kept: dict[str, _Kept] = {}  # by run id, those asked for last at the end

    def update(self, runs: Iterable[Run], patterns: Sequence[str] = ("*",)) -> Mapping[tuple[int, str], Curve]:
        """The curves of the runs' series that match a pattern (`loss/sst`, `dev/*`), by run key and series.

        The runs that were asked for last are kept, so that coming back to one reads nothing.
        """
        found: dict[tuple[int, str], Curve] = {}
        asked: set[str] = set()
        for run in runs:
            kept = self._kept[run.id] = self._known(run)
            asked.add(run.id)
            for name in kept.names:
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    points = self._read(run, name, kept)
                    found[run.key, name] = Curve(run, name, points.steps, points.values)
        self._forget(len(self._kept) - len(asked))
        return found

    def _known(self, run: Run) -> _Kept:
        """What is kept of a run, taken out from among the others, its names up to date."""
        kept, imported = self._kept.pop(run.id, None), _imported(run)
        if kept is not None and kept.imported == imported:
            return kept
        names = metrics.series_names(self._database, run.key)
        series = kept.series if kept is not None else {}
        return _Kept(imported, names, {name: seen for name, seen in series.items() if name in names})

    def _forget(self, others: int) -> None:
        """Of the runs that were not asked for now, those longest ago, until the rest is not too much."""
        points = sum(kept.points for kept in self._kept.values())
        for run_id in list(self._kept)[:others]:
            if len(self._kept) <= MOST_RUNS and points <= MOST_POINTS:
                break
            points -= self._kept.pop(run_id).points

    def _read(self, run: Run, name: str, kept: _Kept) -> GrowingPoints:
        known = kept.series.get(name)
        if known is None or known.imported != kept.imported:
            is_same = known is not None and known.imported[0] == kept.imported[0]
            if known is None or not is_same or not self._grow(run, name, known.points):
                known = _Seen(GrowingPoints(metrics.read(self._database, run.key, (name,))[name]), kept.imported)
            known.imported = kept.imported
            kept.series[name] = known
        return known.points

    def _grow(self, run: Run, name: str, points: GrowingPoints) -> bool:
        """Add the points behind the last; False where the registry no longer has that one."""
        if not len(points.steps):
            return False
        rows = metrics.read(self._database, run.key, (name,), {name: int(points.steps[-1]) - 1})[name]
        if not rows or not points.ends_with(rows[0]):
            return False
        points.add(rows[1:])
        return True


def _extremes(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The places of the least and the greatest value of each span of steps, of its first that is no number, and of the
    last of all, ascending; there are as many spans as leave a quarter of the points free at least.

    Spans are equally long, whenever points came, and twice as long where there are too many of them: so what is kept of
    what was kept is what would have been kept of all.
    """
    length = 1
    while (steps[-1] - steps[0]) // length >= MOST_OF_SERIES // 4 - 1:
        length *= 2
    spans = steps // length
    firsts = np.flatnonzero(np.diff(spans, prepend=spans[0] - 1))
    numbers = np.isfinite(values)
    least = np.lexsort((np.where(numbers, values, np.inf), spans))[firsts]
    greatest = np.lexsort((np.where(numbers, -values, np.inf), spans))[firsts]
    missing = np.lexsort((numbers, spans))[firsts]
    return np.unique(np.concatenate([least, greatest, missing[~numbers[missing]], [len(steps) - 1]]))


def _enlarged(array: np.ndarray, capacity: int) -> np.ndarray:
    larger = np.empty(capacity, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def _imported(run: Run) -> tuple[int, int]:
    return run.imported.events_attempt, run.imported.events_offset
