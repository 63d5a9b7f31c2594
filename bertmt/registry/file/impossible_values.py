"""What in a registry bertmt cannot have written; looked for only where something went wrong, since it reads it all."""

import json
from collections.abc import Callable, Iterator
from itertools import chain

from bertmt.errors import DataError
from bertmt.registry.database import Database, tables_of
from bertmt.registry.file.health import faults
from bertmt.registry.runs import STAGED, all_tasks
from bertmt.registry.states import State
from bertmt.run_folder.events import is_time, parse_event
from bertmt.tasks import definitions
from bertmt.tasks.task import Task, Tasks

_TIMES = ("submitted_at", "started_at", "ended_at", "synced_at", "not_before_at")
_MOST_SHOWN = 200


def first_damage(database: Database, is_recipe: Callable[[str, Tasks], bool]) -> str | None:
    """The first damage that is found, in words that fit between brackets; None where there is none.

    Args:
        is_recipe: whether a run's recipe is one of its tasks, which the registry cannot judge.
    """
    found = chain(
        faults(database, 1), _in_columns(database), _in_task_sets(database), _in_runs(database, is_recipe),
        _in_predictions(database), _in_searches(database),
    )  # fmt: skip
    what = next(found, None)
    return None if what is None else " ".join(what.split())[:_MOST_SHOWN]


def _in_columns(database: Database) -> Iterator[str]:
    """Values of another type than their column's, which SQLite does not mind."""
    for table in tables_of(database.connection).tables:
        for column in [] if table.name.startswith("_") else table.columns:
            kind = f'typeof("{column.name}")'
            query = f"SELECT {kind} FROM \"{table.name}\" WHERE {kind} NOT IN (?, 'null') LIMIT 1"
            for (found,) in database.execute(query, (column.type.lower(),)):
                yield f"{table.name}.{column.name} holds {found} where {column.type} belongs"


def _in_runs(database: Database, is_recipe: Callable[[str, Tasks], bool]) -> Iterator[str]:
    columns = tuple(dict.fromkeys(("id", "recipe", "definitions", *_CHECKS)))
    rows = database.execute(
        f"SELECT {', '.join(columns)} FROM runs JOIN summaries ON summaries.run = runs.key"
        " LEFT JOIN task_sets ON task_sets.key = runs.task_set"
    )
    for row in rows.fetchall():
        run = dict(zip(columns, row, strict=True))
        wrong = [name for name, holds in _CHECKS.items() if run[name] is not None and not holds(run[name])]
        wrong += [] if is_recipe(run["recipe"], definitions.from_json(run["definitions"] or "")) else ["recipe"]
        for name in wrong:
            yield f"{name} of run {run['id']!r} is not what bertmt writes; `bertmt rm` removes that run"
    for source, environment in database.execute("SELECT source, environment FROM snapshots"):
        if not (is_object(source) and is_object(environment)):
            yield "the code or the environment of a run is no JSON object"


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _are_fingerprints(text: str) -> bool:
    return is_object(text) and all(isinstance(mark, str) for mark in json.loads(text).values())


def _are_scores(text: str) -> bool:
    return is_object(text) and all(isinstance(each, int | float | None) for each in json.loads(text).values())


def _are_definitions(text: str) -> bool:
    try:
        return bool(definitions.from_json(text))
    except DataError:
        return False


def _is_event(text: str) -> bool:
    return parse_event(text.encode("utf-8", "replace")) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "id": lambda text: text.isascii() and (text.isalnum() or text.startswith(STAGED)),
    "state": lambda text: text in set(State),
    "wants": lambda text: text in ("", "cpu", "gpu"),
    "fingerprints": _are_fingerprints,
    "encoder_fingerprints": _are_fingerprints,
    "scores": _are_scores,
    "started": _is_event,
    "finished": _is_event,
    **dict.fromkeys(_TIMES, is_time),
}


def _in_task_sets(database: Database) -> Iterator[str]:
    for (text,) in database.execute("SELECT definitions FROM task_sets"):
        if not _are_definitions(text):
            yield "what the tasks of a run are is no list of definitions"


def _in_predictions(database: Database) -> Iterator[str]:
    rows = database.execute(
        "SELECT DISTINCT coalesce(definitions, ''), task, columns, length(probabilities) FROM predictions"
        " JOIN runs ON runs.key = run LEFT JOIN task_sets ON task_sets.key = task_set"
    ).fetchall()
    for text, name, width, size in rows:
        task = definitions.from_json(text).get(name)
        if task is None or task.outputs != width or size % (4 * width):
            yield "the predictions of a run are cut, or of no task"
    by_name: dict[str, list[Task]] = {}
    for task in all_tasks(database):
        by_name.setdefault(task.name, []).append(task)
    for name, same in by_name.items():  # examples do not say of which definition they are
        low, high = min(task.minimum for task in same), max(task.maximum for task in same)
        query = (
            "SELECT count(*) FROM examples JOIN splits ON splits.key = examples.split"
            " WHERE splits.task = ? AND (label < ? OR label > ? OR (? AND label != round(label)))"
        )
        if database.execute(query, (name, low, high, all(task.classes for task in same))).fetchone()[0]:
            yield f"an example of {same[0].title} has no label of its task"


def _in_searches(database: Database) -> Iterator[str]:
    for (text,) in database.execute("SELECT plan FROM searches UNION ALL SELECT settings FROM trials"):
        if not is_object(text):
            yield "what a search was asked for, or what it tried, is no JSON object"
