"""What a notebook reads of a registry: `bertmt.open("runs.db")`, and everything as plain columns.

Every answer is a dictionary of equally long lists, which `pandas.DataFrame(...)` and `polars.DataFrame(...)` take as it
is; neither is needed. Undefined numbers are None. docs/api.md shows it at work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.database import Database
from bertmt.registry.records import Run, reader_of
from bertmt.registry.runs import all_runs, evaluations
from bertmt.services.analysis.arms import named_groups
from bertmt.services.analysis.compare import Against, compare
from bertmt.services.analysis.export import PREDICTION_COLUMNS, prediction_rows
from bertmt.services.browse.curves import curves_of
from bertmt.services.browse.listing import list_runs
from bertmt.services.browse.lookup import named_runs
from bertmt.services.browse.rows import Row
from bertmt.services.browse.score_columns import tasks_of
from bertmt.services.opening import opened_registry
from bertmt.tasks.builtin import BUILTIN

Columns = dict[str, list[Any]]

SCORE_COLUMNS = ("run", "name", "seed", "epoch", "step", "task", "score", "selected")
CURVE_COLUMNS = ("run", "name", "seed", "series", "step", "value")
DIFFERENCE_COLUMNS = (
    "reference", "arm", "task", "reference_score", "score", "difference", "low", "high", "p", "p_corrected", "family",
    "verdict", "test", "paired_by", "n", "remark",
)  # fmt: skip
_OF_RUN = (
    "id", "name", "preset", "seed", "state", "note", "tags", "data", "device", "attempt", "progress", "steps_done",
    "selected_epoch", *BUILTIN, "overall", "failure", "submitted_at", "started_at", "ended_at",
)  # fmt: skip
_READERS = {name: reader_of(name) for name in _OF_RUN}


@dataclass(frozen=True)
class Compared:
    """What `compare` found.

    Attributes:
        differences: a row per arm and score.
        warnings: sentences to read before believing them.
    """

    differences: Columns
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Registry:
    """A registry to read; it is open only while a method runs, so it blocks neither workers nor `bertmt repair`.

    Runs are named as on the command line: an id, a name (all its seeds), or the beginning of one. Every method raises
    `NotFoundError` or `UsageError` (of `bertmt.errors`) where a word names no run, or several different ones.

    Attributes:
        read_only: change nothing. Else what running children have written since the last look is imported first, as
            `bertmt runs` does; where a worker is running it does so anyway.
    """

    path: Path
    read_only: bool = True

    def runs(self, query: str = "", sort: str = "") -> Columns:
        """A row per run: what `bertmt runs` shows, and every setting of its recipe.

        Args:
            query: as for `bertmt runs --filter`: "state:finished lora>0 -tag:old".
            sort: a field or setting, "-" before it for descending; by default oldest first.

        Returns:
            Scores are of the selected dev epoch, each by its task's metric (STS as ρ), behind the others those of tasks
            that some run has besides; `difference` is from the run `baseline`. Settings have their own names
            ("lora.rank"), except those that a column of the run has already.
        """
        with self._opened() as database:
            listed = list_runs(database, query, sort)
        tasks = tasks_of(row.run for row in listed)
        heads = [name for name, task in {**BUILTIN, **tasks}.items() if task.has_head]
        settings = [name for name in SETTINGS.of_tasks(heads) if name not in _OF_RUN]
        others = [name for name in tasks if name not in BUILTIN]
        names = (*_OF_RUN, *others, "baseline", "difference", *settings)
        return _columns(names, (_run(row, others, settings) for row in listed))

    def scores(self, *names: str) -> Columns:
        """A row per run, evaluated epoch and task, "overall" among the tasks; of all runs where none is named.

        Returns:
            Each score is by its task's metric (STS as ρ); epoch 0 is before any training; `selected` marks the epoch
            whose scores are the run's.
        """
        with self._opened() as database:
            rows = [
                {**_about(run), "epoch": each.epoch, "step": each.step, "task": task, "score": each.score(task),
                 "selected": each.epoch == run.scores.selected_epoch}
                for run in _named(database, names)
                for each in evaluations(database, run)
                for task in (*run.tasks, "overall")
            ]  # fmt: skip
        return _columns(SCORE_COLUMNS, rows)

    def curves(self, *names: str, series: Sequence[str] = ("*",)) -> Columns:
        """A row per run, series and step; of all runs where none is named.

        Args:
            series: patterns such as "loss/*" or "dev/*"; by default everything that was logged.

        Raises:
            NotFoundError: nothing matches; the sentence names the series there are.
        """
        found: Columns = {name: [] for name in CURVE_COLUMNS}
        with self._opened() as database:
            for each in curves_of(database, _named(database, names), series):
                steps, values = each.step_list(), each.value_list()
                for name, value in {**_about(each.run), "series": each.series}.items():
                    found[name] += [value] * len(steps)
                found["step"] += steps
                found["value"] += values
        return found

    def predictions(self, *names: str, every_epoch: bool = False) -> Columns:
        """A row per run, task and dev example, with its sentences; of all runs where none is named.

        Args:
            every_epoch: of all evaluated epochs instead of the selected one.

        Returns:
            `probabilities` holds lists: one per class of more than two; of two classes that of the second; of a number
            the cosine, or what the head says.
        """
        with self._opened() as database:
            runs = _named(database, names)
            return _columns(PREDICTION_COLUMNS, prediction_rows(database, runs, selected_only=not every_epoch))

    def compare(self, *names: str) -> Compared:
        """Every run, or all seeds of a name, against the first; a single one against its baseline.

        Returns:
            `difference` is arm minus reference by the task's metric, with its 95 % interval; `p_corrected` is Holm's
            over all rows of this call, and the verdict the one of `bertmt compare`. `paired_by` is "example" or "seed".

        Raises:
            BusyError: a run has no scores yet.
        """
        with self._opened() as database:
            found = compare(database, named_groups(database, names))
        rows = [row for against in found.others for row in _differences(against)]
        return Compared(_columns(DIFFERENCE_COLUMNS, rows), found.warnings)

    def _opened(self) -> Any:
        return opened_registry(self.path, read_only=self.read_only or None)


def open_registry(path: str | Path | None = None, read_only: bool = True) -> Registry:
    """A registry; exported as `bertmt.open`.

    Args:
        path: by default BERTMT_DB, else the nearest `runs.db` in this or a parent folder.

    Raises:
        NotFoundError: there is none.
        RegistryError: it cannot be used.
    """
    registry = Registry(paths.registry_path(path), read_only)
    with registry._opened():
        return registry


def _named(database: Database, names: Sequence[str]) -> list[Run]:
    """The runs that words name, each once; all where there are no words."""
    return named_runs(database, names) if names else all_runs(database)


def _about(run: Run) -> dict[str, Any]:
    return {"run": run.id, "name": run.name, "seed": run.seed}


def _run(row: Row, others: Iterable[str], settings: Iterable[str]) -> dict[str, Any]:
    run = row.run
    values = {name: read(run) for name, read in _READERS.items()} | {name: run.score(name) for name in others}
    recipe = {name: run.submission.shared_recipe.get(name) for name in settings}
    baseline = row.baseline.id if row.baseline else None
    return {
        **values, **{name: list(value) if isinstance(value, tuple) else value for name, value in recipe.items()},
        "state": str(run.state), "tags": list(run.annotations.tags), "baseline": baseline, "difference": row.difference,
    }  # fmt: skip


def _differences(against: Against) -> Iterable[dict[str, Any]]:
    about = {"reference": against.reference.arm.name, "arm": against.side.arm.name}
    results: tuple[tuple[Any, str], ...] = (
        *((each, "example") for each in against.examples), *((each, "seed") for each in against.seeds),
    )  # fmt: skip
    for each, paired_by in results:
        values = {name: getattr(each, name, None) for name in DIFFERENCE_COLUMNS}
        yield {
            **values, **about, "verdict": str(each.verdict), "paired_by": paired_by,
            "reference_score": against.reference.scores.get(each.task), "score": against.side.scores.get(each.task),
            "n": each.n if paired_by == "example" else len(each.seeds),
        }  # fmt: skip


def _columns(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Columns:
    found: Columns = {name: [] for name in names}
    for row in rows:
        for name, values in found.items():
            values.append(row[name])
    return found
