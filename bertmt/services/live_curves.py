"""The series of runs as curves that grow: only points that are new are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.curves import Curve, arrays_of

FIRST_CAPACITY = 256


class GrowingPoints:
    """Steps and values of one series in arrays that double: adding a point copies a constant number, on average.

    What was handed out stays as it was: later points are written behind it.
    """

    def __init__(self, points: Sequence[tuple[int, float | None]] = ()):
        self._steps, self._values = arrays_of(points)
        self._count = len(self._steps)

    @property
    def steps(self) -> np.ndarray:
        """(n,) int64, ascending."""
        return self._steps[: self._count]

    @property
    def values(self) -> np.ndarray:
        """(n,) float64, NaN where a value is no number."""
        return self._values[: self._count]

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
        self._count = needed

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


class LiveCurves:
    """Curves of runs, kept from one look to the next; another importer brings the registry up to date.

    A run is asked again when its record says that more of its events were imported. Its series then go on behind
    their last point, which is read again: where that is gone or has another value, or a new attempt began, the
    series starts over.
    """

    def __init__(self, database: Database):
        self._database = database
        self._seen: dict[tuple[int, str], _Seen] = {}
        self._names: dict[int, tuple[tuple[int, int], list[str]]] = {}

    def update(self, runs: Iterable[Run], patterns: Sequence[str] = ("*",)) -> Mapping[tuple[int, str], Curve]:
        """The curves of the runs' series that match a pattern (`loss/sst`, `dev/*`), by run key and series.

        What is not asked for is forgotten.
        """
        seen: dict[tuple[int, str], _Seen] = {}
        names: dict[int, tuple[tuple[int, int], list[str]]] = {}
        found: dict[tuple[int, str], Curve] = {}
        for run in runs:
            names[run.key] = self._series_of(run)
            for name in names[run.key][1]:
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    points = self._read(run, name, seen)
                    found[run.key, name] = Curve(run, name, points.steps, points.values)
        self._seen, self._names = seen, names
        return found

    def _series_of(self, run: Run) -> tuple[tuple[int, int], list[str]]:
        known = self._names.get(run.key)
        if known is not None and known[0] == _imported(run):
            return known
        return _imported(run), metrics.series_names(self._database, run.key)

    def _read(self, run: Run, name: str, seen: dict[tuple[int, str], _Seen]) -> GrowingPoints:
        known, imported = self._seen.get((run.key, name)), _imported(run)
        if known is None or known.imported != imported:
            grown = known is not None and known.imported[0] == imported[0] and self._grow(run, name, known.points)
            if known is None or not grown:
                known = _Seen(GrowingPoints(metrics.read(self._database, run.key, (name,))[name]), imported)
            known.imported = imported
        seen[run.key, name] = known
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


def _enlarged(array: np.ndarray, capacity: int) -> np.ndarray:
    larger = np.empty(capacity, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def _imported(run: Run) -> tuple[int, int]:
    return run.events_attempt, run.events_offset
