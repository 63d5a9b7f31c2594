"""A list of runs for who looks once, and the top of a long one before the others are read: a picture need not wait for
10,000 of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertmt.registry.database import Database
from bertmt.registry.finding import counts_by_state, first_finished, foremost_runs, runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.runs import finished_of_preset
from bertmt.registry.states import State
from bertmt.services.browse.baseline import BASELINE_PRESET, Baselines, chosen_baseline
from bertmt.services.browse.rows import Row, by_standing
from bertmt.services.browse.run_list import RunList
from bertmt.services.ingest.reconcile import ingest_running

FEW = 300  # as many are read at once: that takes no longer than looking for the first ones
MOST = 200  # rows: more than any screen has lines
MOST_BASELINES = 200


def list_runs(database: Database, filter_text: str = "", sort: str = "", limit: int = 0) -> list[Row]:
    """The runs that match, sorted as `RunList.rows` does it; live ones are imported first.

    Raises:
        UsageError: the filter or the sort cannot be understood.
    """
    ingest_running(database)
    found = RunList(database)
    found.refresh()
    return found.rows(filter_text, sort, limit)


@dataclass(frozen=True)
class FirstRows:
    """The first rows of `RunList.rows("", STANDING)`, in their order, each with its baseline.

    Attributes:
        counts: of all runs, by state.
        why_gone: `Baselines.why_gone`.
    """

    rows: Sequence[Row]
    counts: Mapping[State, int]
    why_gone: str


def first_rows(database: Database, most: int = MOST, few: int = FEW) -> FirstRows | None:
    """The first rows; None where all can be read as soon, or what stands above all cannot be told without.

    Args:
        few: of so many runs all are read.
    """
    counts = counts_by_state(database)
    if sum(counts.values()) <= few:
        return None
    runs = foremost_runs(database, most)
    known = _KnownBaselines(database, runs)
    rows = {run.key: Row(run, known.of(run)) for run in runs}
    first = by_standing(list(rows.values()))[0]
    if not known.is_sure_of(first.run):
        return None
    if first.baseline is not None and first.baseline.key not in rows:
        rows[first.baseline.key] = Row(first.baseline, known.of(first.baseline))
    oldest_first = [rows[key] for key in sorted(rows)]
    return FirstRows(by_standing(oldest_first)[:most], counts, known.why_gone)


class _KnownBaselines:
    """The baselines of a few runs, among all that there are or, where these are many, those of the same seeds."""

    def __init__(self, database: Database, runs: Sequence[Run]):
        chosen = chosen_baseline(database)
        found = runs_with_ids(database, [chosen]) if chosen else []
        self._all = bool(chosen)
        if not chosen:
            found = finished_of_preset(database, BASELINE_PRESET, MOST_BASELINES + 1)
            self._all = len(found) <= MOST_BASELINES
            if not self._all:
                found = first_finished(database, BASELINE_PRESET, {run.seed for run in runs})
        self._baselines = Baselines(database, found)
        self.why_gone = self._baselines.why_gone

    def is_sure_of(self, run: Run) -> bool:
        """Whether no other could be its baseline: one of its own seed that trains all that it does goes before all."""
        if self._all:
            return True
        found = self._baselines.of(run)
        return found is not None and found.seed == run.seed and set(run.tasks) <= set(found.tasks)

    def of(self, run: Run) -> Run | None:
        """Its baseline; None also where another could be it, which is seen once all are read."""
        return self._baselines.of(run) if self.is_sure_of(run) else None
