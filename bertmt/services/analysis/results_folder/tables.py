"""What runs measured as tables: what they are, their series, their dev scores, their confusion matrices.

Numbers are those of `bertmt show --json` and `bertmt curves --json`; what is undefined or not known is None.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertmt.registry.records import Run, reader_of
from bertmt.services.analysis.results_folder.measured import Measured, time_text
from bertmt.services.browse.score_columns import tasks_of

TEXT, INTEGER, NUMBER, FLAG, TIME = "text", "integer", "number", "flag", "time"
Record = Mapping[str, Any]
RECIPE, SCORE = "recipe.", "score."  # before the names of settings and tasks, which nothing else begins with

_ABOUT = {"run": TEXT, "name": TEXT, "seed": INTEGER}
_OF_RUN = {
    "preset": TEXT, "state": TEXT, "note": TEXT, "device": TEXT, "attempt": INTEGER, "selected_epoch": INTEGER,
    "steps_done": INTEGER, "failure": TEXT, "submitted_at": TIME, "started_at": TIME, "ended_at": TIME,
    "gpu_joules": NUMBER, "cpu_joules": NUMBER, "energy_shared": INTEGER,
}  # fmt: skip
_KINDS = {
    frozenset({bool}): FLAG,
    frozenset({int}): INTEGER,
    frozenset({float}): NUMBER,
    frozenset({int, float}): NUMBER,
}


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: names to kinds.
        rows: of one run, in its order; a value that is None is not known.
    """

    name: str
    columns: Mapping[str, str]
    rows: Callable[[Measured], Iterable[Record]]


def tables_of(runs: Sequence[Run]) -> list[Table]:
    """The tables of these runs: their columns are the same whichever of them comes first."""
    names = dict.fromkeys(name for run in runs for name in run.recipe)
    scores = dict.fromkeys((f"{SCORE}{task}" for task in (*tasks_of(runs), "overall")), NUMBER)
    recipe = {f"{RECIPE}{name}": _kind(run.recipe.get(name) for run in runs) for name in names}
    of_runs = {**_ABOUT, **_OF_RUN, "tags": TEXT, "seconds": NUMBER, **scores, **recipe}
    return [
        Table("runs", of_runs, lambda measured: [_run(measured.run, of_runs)]),
        Table("metrics", {**_ABOUT, "series": TEXT, "step": INTEGER, "at": TIME, "seconds": NUMBER, "value": NUMBER},
              _points),
        Table("scores", {**_ABOUT, "epoch": INTEGER, "step": INTEGER, "at": TIME, "task": TEXT, "metric": TEXT,
                         "value": NUMBER, "selected": FLAG}, _scores),
        Table("confusion", {**_ABOUT, "task": TEXT, "epoch": INTEGER, "step": INTEGER, "at": TIME, "true": TEXT,
                            "predicted": TEXT, "count": INTEGER}, _cells),
    ]  # fmt: skip


def plain_value(value: Any) -> Any:
    """A setting as one value: a list is a text with commas, as `--set` takes it."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _kind(values: Iterable[Any]) -> str:
    """Of a column with these values; older versions had other settings, of other kinds."""
    return _KINDS.get(frozenset(type(each) for each in values if each is not None), TEXT)


def _about(run: Run) -> dict[str, Any]:
    return {"run": run.id, "name": run.name, "seed": run.seed}


def _run(run: Run, columns: Iterable[str]) -> Record:
    told = run.progress.finished
    seconds = sum(each or 0 for each in told.seconds.values()) if told else None
    found = {
        **_about(run), **{name: reader_of(name)(run) for name in _OF_RUN}, "state": str(run.state),
        "tags": " ".join(run.annotations.tags), "seconds": seconds,
    }  # fmt: skip
    for name in columns:
        if name.startswith(SCORE):
            found[name] = run.score(name.removeprefix(SCORE))
        elif name.startswith(RECIPE):
            found[name] = plain_value(run.recipe.get(name.removeprefix(RECIPE)))
    return found


def _points(measured: Measured) -> Iterator[Record]:
    about = _about(measured.run)
    for series in measured.series():
        columns = (series.steps, series.at, series.seconds, series.values)
        for step, at, seconds, value in zip(*(each.tolist() for each in columns), strict=True):
            yield {
                **about, "series": series.name, "step": step, "at": time_text(at), "seconds": _known(seconds),
                "value": _known(value),
            }  # fmt: skip


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def _scores(measured: Measured) -> Iterator[Record]:
    """Every metric of every task of every evaluated epoch, and the overall score as a task of its own."""
    run = measured.run
    for evaluation, at in measured.evaluations():
        place = {"epoch": evaluation.epoch, "step": evaluation.step, "at": time_text(at)}
        selected = {"selected": evaluation.epoch == run.scores.selected_epoch}
        measures = [(task, *each) for task, values in evaluation.metrics.items() for each in values.items()]
        if len(run.tasks) > 1:
            measures.append(("overall", "overall", evaluation.overall))
        for task, metric, value in measures:
            yield {**_about(run), **place, "task": task, "metric": metric, "value": value, **selected}


def _cells(measured: Measured) -> Iterator[Record]:
    for matrix in measured.matrices():
        found = matrix.confusion
        place = {"task": found.task, "epoch": found.epoch, "step": matrix.step, "at": time_text(matrix.at)}
        for true, counts in zip(found.classes, found.counts.tolist(), strict=True):
            for predicted, count in zip(found.classes, counts, strict=True):
                yield {**_about(measured.run), **place, "true": true, "predicted": predicted, "count": count}
