"""Lists of runs: which ones, in which order, each with its difference from the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertmt.errors import UsageError
from bertmt.filters.fields import RUN_FIELDS, find_fields, nearest_field, with_recipe
from bertmt.filters.parsing import parse_filter
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.baseline import Baselines
from bertmt.services.sync import sync_running

# What a list shows besides the fields that the filter language is documented with.
LIST_FIELDS = {
    "difference": "float",
    "progress": "float",
    "attempt": "int",
    "failure": "str",
    "position": "float",
    "submitted_at": "str",
    "started_at": "str",
    "ended_at": "str",
}
FIELDS = with_recipe(RUN_FIELDS | LIST_FIELDS, {name: setting.kind for name, setting in SETTINGS.items()})


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
        limit: the first so many of a sorted list, the newest so many of an unsorted one; 0 is all.

    Raises:
        UsageError: the filter or the sort cannot be understood.
    """
    wanted = parse_filter(filter_text, FIELDS)
    key = _sort_field(sort.removeprefix("-")) if sort else None
    sync_running(database)
    runs = all_runs(database)
    baselines = Baselines(database, runs)
    rows = [_row(run, baselines.of(run)) for run in runs]
    if not filter_text.strip() and key is None:  # nothing to look at but the runs themselves
        return rows[-limit:] if limit else rows
    kept = [(row, values) for row in rows if wanted.matches(values := fields_of(row))]
    if key is not None:
        kept.sort(key=lambda pair: _sort_key(pair[1].get(key)), reverse=sort.startswith("-"))
        # What has no value stands last in both directions.
        kept.sort(key=lambda pair: pair[1].get(key) is None)
    shown = [row for row, _ in kept]
    if not limit:
        return shown
    return shown[:limit] if key is not None else shown[-limit:]


def _sort_field(word: str) -> str:
    found = find_fields(word, FIELDS)
    if len(found) == 1:
        return found[0]
    hint = f"one of {', '.join(found)}" if found else f"did you mean `{nearest_field(word, FIELDS)}`?"
    raise UsageError(f"--sort expects a field such as overall, sst or submitted_at, but found {word!r}; {hint}")


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
    own: dict[str, Any] = {name: getattr(run, name) for name in (*RUN_FIELDS, *LIST_FIELDS) if name != "difference"}
    return with_recipe({**own, "state": str(run.state), "difference": row.difference}, run.recipe)


def _sort_key(value: Any) -> Any:
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, ",".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value))
