"""Lists of runs: which ones, in which order, each with its difference from the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.errors import UsageError
from bertmt.filters.parsing import parse_filter
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.baseline import Baselines
from bertmt.services.sync import sync_running

RUN_FIELDS = (
    "id", "name", "state", "preset", "seed", "tag", "note", "sst", "para", "sts", "overall", "difference", "epoch",
    "step", "progress", "attempt", "device", "failure", "position", "submitted_at", "started_at", "ended_at",
)  # fmt: skip
FIELDS = (*RUN_FIELDS, *(name for name in SETTINGS if name not in RUN_FIELDS))


@dataclass(frozen=True)
class Row:
    """A run in a list.

    Attributes:
        baseline: the run that it is compared with, or None.
        difference: of the mean over the tasks that both were trained on (STS as ρ), run minus baseline.
    """

    run: Run
    baseline: Run | None
    difference: float | None


def list_runs(database: Database, filter_text: str = "", sort: str = "", limit: int = 0) -> list[Row]:
    """The runs that match, sorted; live ones are imported first.

    Args:
        sort: a field, "-" before it for descending; by default oldest first.
        limit: the last so many after sorting; 0 is all.

    Raises:
        UsageError: the filter or the sort cannot be understood.
    """
    wanted = parse_filter(filter_text, FIELDS)
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    if key and key not in FIELDS:
        raise UsageError(f"--sort expects a field such as overall, sst or submitted_at, but found {key!r}.")
    sync_running(database)
    runs = all_runs(database)
    baselines = Baselines(database, runs)
    rows = [_row(run, baselines.of(run)) for run in runs]
    fields = [fields_of(row) for row in rows]
    kept = [(row, values) for row, values in zip(rows, fields, strict=True) if wanted.matches(values)]
    if key:
        kept.sort(key=lambda pair: _sort_key(pair[1].get(key)), reverse=descending)
        # What has no value stands last in both directions.
        kept.sort(key=lambda pair: pair[1].get(key) is None)
    shown = [row for row, _ in kept]
    return shown[-limit:] if limit else shown


def _row(run: Run, baseline: Run | None) -> Row:
    return Row(run, baseline, mean_difference(run, baseline))


def mean_difference(run: Run, baseline: Run | None) -> float | None:
    """Mean over the tasks that both have a score for, run minus baseline; None where there is none, or for itself."""
    if baseline is None or baseline.key == run.key:
        return None
    pairs = [(run.score(task), baseline.score(task)) for task in ("sst", "para", "sts")]
    gains = [own - other for own, other in pairs if own is not None and other is not None]
    return sum(gains) / len(gains) if gains else None


def fields_of(row: Row) -> Mapping[str, Any]:
    """What the filter language and the sort see of a run."""
    run = row.run
    own = {name: getattr(run, name) for name in RUN_FIELDS if hasattr(run, name)}
    return {**run.recipe, **own, "tag": run.tags, "state": str(run.state), "difference": row.difference}


def _sort_key(value: Any) -> Any:
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, ",".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value))
