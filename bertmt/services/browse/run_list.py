"""The runs of a registry for who looks again and again: filtered, sorted, and in groups of equal recipe."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bertmt.errors import UsageError
from bertmt.filters.fields import find_fields, nearest_field
from bertmt.filters.parsing import parse_filter
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.changes import changed_runs
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_tasks
from bertmt.registry.states import State
from bertmt.services.browse.baseline import Baselines, chosen_baseline, may_be_baseline, replaced_baselines
from bertmt.services.browse.rows import CHOICES, FIELDS, Row, by_standing, fields_of
from bertmt.services.browse.score_columns import tasks_of

STANDING = "standing"  # in the place of a field to sort by: see `by_standing`
MOST_VALUES = 500  # of a field that a person is offered
MOST_NUMBERS = 30  # of more different numbers none helps
LONGEST_VALUE = 40  # characters


@dataclass(frozen=True)
class Spread:
    """One score over the finished runs of a group.

    Attributes:
        deviation: the sample standard deviation; None of a single seed.
        count: of how many seeds.
    """

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True)
class Group:
    """Runs whose recipes differ in nothing but the seed, on the same data.

    Attributes:
        spreads: tasks and "overall" to the spread over the seeds that have that score.
    """

    rows: Sequence[Row]
    spreads: Mapping[str, Spread]

    @property
    def seeds(self) -> int:
        """How many there are: one that was trained twice counts once."""
        return len({row.run.seed for row in self.rows})

    @property
    def difference(self) -> float | None:
        """The mean over the seeds of the difference from the baseline; of the very runs that the spreads are of."""
        known = [row.difference for row in newest_of_each_seed(self.rows) if row.difference is not None]
        return fmean(known) if known else None


class RunList:
    """All runs of a registry, read once and then kept up to date by those that changed.

    Empty until the first `refresh`. What children write is imported by others: `ingest_running`, or a `Watch`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest_change = 0
        self._chosen: str | None = None
        self._runs: dict[int, Run] = {}  # by key, and so oldest first
        self._keys: dict[str, int] = {}
        self._baselines: Baselines | None = None
        self._rows: dict[int, Row] = {}
        self._former: dict[int, Run] = {}  # by key of a run: its baseline before others could take its place

    def refresh(self) -> bool:
        """Read what changed, and say whether anything did: a run, or the choice of the baseline."""
        chosen = chosen_baseline(self._database)
        changes = changed_runs(self._database, self._newest_change)
        if chosen == self._chosen and changes.newest == self._newest_change:
            return False
        changed = {run.key: run for run in changes.runs}
        former = [self._runs[key] for key in (*changed, *changes.removed) if key in self._runs]
        compared_with = (run for run in (*former, *changes.runs) if may_be_baseline(run) or run.id == chosen)
        if chosen != self._chosen or any(compared_with):
            is_silent = chosen == self._chosen and not chosen
            known = {key: row.baseline for key, row in self._rows.items() if row.baseline is not None}
            self._former = {**known, **self._former} if is_silent else {}
            self._baselines = None
            self._rows.clear()
        for run in former:
            del self._keys[run.id], self._runs[run.key]
            self._rows.pop(run.key, None)
        self._keys |= {run.id: run.key for run in changes.runs}
        self._runs = dict(sorted((self._runs | changed).items()))
        self._chosen, self._newest_change = chosen, changes.newest
        return True

    def rows(self, filter_text: str = "", sort: str = "", limit: int = 0) -> list[Row]:
        """The runs that match, sorted.

        Args:
            sort: a field, "-" before it for descending; or `STANDING`; by default oldest first.
            limit: the first so many of a sorted list, the newest so many of an unsorted one; 0 is all.

        Raises:
            UsageError: the filter or the sort cannot be understood.
        """
        fields = self.fields()
        wanted = parse_filter(filter_text, fields, CHOICES)
        field = _sort_field(sort.removeprefix("-"), fields) if sort and sort != STANDING else None
        found = list(map(self._row, self._runs.values()))
        if wanted.alternatives:
            found = list(filter(wanted.matches, found))
        if sort == STANDING:
            return by_standing(found)[: limit or None]
        if field is None:
            return found[-limit:]
        if sort.startswith("-"):  # of equals, too, the newer comes first
            found.reverse()
        found.sort(key=lambda row: _sort_key(row.get(field)), reverse=sort.startswith("-"))
        # What has no value stands last in both directions.
        found.sort(key=lambda row: row.get(field) is None)
        return found[: limit or None]

    def fields(self) -> Mapping[str, str]:
        """By which the runs can be filtered and sorted: names to kinds; scores of all tasks that some run may have."""
        return fields_of(all_tasks(self._database))

    def row(self, run_id: str) -> Row | None:
        """The run of that id; None where there is none."""
        key = self._keys.get(run_id)
        return None if key is None else self._row(self._runs[key])

    def groups(self, filter_text: str = "", sort: str = "") -> list[Group]:
        """The runs that match, those of equal recipe but the seed together, where the first of them stands.

        Raises:
            UsageError: as `rows`.
        """
        members: dict[tuple[str, ...], list[Row]] = {}
        recipes: dict[int, str] = {}
        for row in self.rows(filter_text, sort):
            asked = row.run.submission
            shared = asked.shared_recipe
            if id(shared) not in recipes:
                kept = {name: value for name, value in shared.items() if name not in ("data", "extra_data_file")}
                recipes[id(shared)] = json.dumps(kept, sort_keys=True)
            same = (recipes[id(shared)], asked.fingerprints_json, asked.encoder_fingerprints_json)
            members.setdefault(same, []).append(row)
        return [Group(rows, _spreads(rows)) for rows in members.values()]

    @property
    def baselines(self) -> Baselines:
        """Which of the runs the others are compared with. It never changes: another takes its place."""
        if self._baselines is None:
            self._baselines = Baselines(self._database, self._runs.values())
        return self._baselines

    def told_of_baselines(self) -> str:
        """What a person must know of the baselines, in a sentence that is told once: that one took another's place,
        as it was removed or one of the same seed finished. "" where there is nothing to tell."""
        former, self._former = self._former, {}
        known = ((run, self._row(run).baseline) for key in former if (run := self._runs.get(key)) is not None)
        return replaced_baselines(former, known)

    def counts(self) -> dict[State, int]:
        """How many runs are in each state that has some."""
        return dict(Counter(run.state for run in self._runs.values()))

    def tags(self) -> list[str]:
        """The tags in use, sorted."""
        return sorted({tag for run in self._runs.values() for tag in run.annotations.tags})

    def values_of(self, field: str) -> list[str]:
        """What the runs have in a field, as a filter writes it, the most frequent first. No scores, and no numbers of
        which there are too many.

        Args:
            field: by its name in `fields`.
        """
        found: Counter[Any] = Counter()
        if self.fields().get(field) == "float" and field not in SETTINGS:
            return []
        for run in self._runs.values():
            value = self._row(run).get(field)
            found.update(value if isinstance(value, (list, tuple)) else [] if value is None else [value])
        numbers = [each for each in found if isinstance(each, (int, float)) and not isinstance(each, bool)]
        if len(numbers) > MOST_NUMBERS:
            return []
        texts = [str(each).lower() if isinstance(each, bool) else str(each) for each, _ in found.most_common()]
        # What a terminal would show otherwise than it is cannot be typed.
        offered = [each for each in texts if each.isprintable() and 0 < len(each) <= LONGEST_VALUE]
        return offered[:MOST_VALUES]

    def _row(self, run: Run) -> Row:
        row = self._rows.get(run.key)
        if row is None:
            row = self._rows[run.key] = Row(run, self.baselines.of(run))
        return row


def check_filter(text: str, fields: Mapping[str, str] = FIELDS) -> str | None:
    """What is wrong with a filter, with the place; None where it can be understood.

    Args:
        fields: `RunList.fields`.
    """
    try:
        parse_filter(text, fields, CHOICES)
    except UsageError as problem:
        return str(problem)
    return None


def newest_of_each_seed(rows: Iterable[Row]) -> list[Row]:
    """The finished runs, of several with one seed the newest: a seed that was trained twice is no second sample."""
    finished = sorted((row for row in rows if row.run.state is State.FINISHED), key=lambda row: row.run.key)
    return list({row.run.seed: row for row in finished}.values())


def _spreads(rows: Sequence[Row]) -> dict[str, Spread]:
    finished = [row.run for row in newest_of_each_seed(rows)]
    names = (*tasks_of(finished), "overall")
    scores = {name: [score for run in finished if (score := run.score(name)) is not None] for name in names}
    return {name: _spread(values) for name, values in scores.items() if values}


def _spread(values: Sequence[float]) -> Spread:
    mean, count = fmean(values), len(values)
    # statistics.stdev reckons in fractions: exact, and fifty times slower.
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Spread(mean, math.sqrt(squares / (count - 1)) if count > 1 else None, count)


def _sort_field(word: str, fields: Mapping[str, str]) -> str:
    found = find_fields(word, fields)
    if len(found) == 1:
        return found[0]
    near = nearest_field(word, fields)
    meant = f"did you mean `{near}`?" if near else "settings are fields too: `bertmt recipe --keys`."
    hint = f"write {' or '.join(found)}." if found else meant
    raise UsageError(f"--sort expects a field such as overall or submitted_at, but found {word[:80]!r}; {hint}")


def _sort_key(value: Any) -> Any:
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, ",".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value))
