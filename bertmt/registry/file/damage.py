"""What in a registry bertmt cannot have written; looked for only where something went wrong, since it reads it all."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from bertmt.registry.database import Database, tables_of
from bertmt.registry.file.health import faults
from bertmt.registry.runs import STAGED
from bertmt.registry.states import State
from bertmt.run_folder.events import is_time, parse_event
from bertmt.tasks.task import TASKS

_TIMES = ("submitted_at", "started_at", "ended_at", "synced_at", "not_before_at")
_MOST_SHOWN = 200


def first_damage(database: Database, is_recipe: Callable[[str], bool]) -> str | None:
    """The first damage that is found, in words that fit between brackets; None where there is none.

    Args:
        is_recipe: whether a run's recipe is one, which the registry cannot judge.
    """
    checks = {**_CHECKS, "recipe": is_recipe}
    found = chain(faults(database, 1), _in_columns(database), _in_runs(database, checks), _in_predictions(database))
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


def _in_runs(database: Database, checks: Mapping[str, Callable[[str], bool]]) -> Iterator[str]:
    columns = ("id", "state", "wants", "recipe", "fingerprints", "encoder_fingerprints", "started", "finished", *_TIMES)
    rows = database.execute(f"SELECT {', '.join(columns)} FROM runs JOIN summaries ON summaries.run = runs.key")
    for row in rows.fetchall():
        run = dict(zip(columns, row, strict=True))
        for name, holds in checks.items():
            if run[name] is not None and not holds(run[name]):
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


def _is_event(text: str) -> bool:
    return parse_event(text.encode("utf-8", "replace")) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "id": lambda text: text.isascii() and (text.isalnum() or text.startswith(STAGED)),
    "state": lambda text: text in set(State),
    "wants": lambda text: text in ("", "cpu", "gpu"),
    "fingerprints": _are_fingerprints,
    "encoder_fingerprints": _are_fingerprints,
    "started": _is_event,
    "finished": _is_event,
    **dict.fromkeys(_TIMES, is_time),
}


def _in_predictions(database: Database) -> Iterator[str]:
    columns = {name: len(task.classes) if len(task.classes) > 2 else 1 for name, task in TASKS.items()}
    rows = database.execute("SELECT DISTINCT task, columns, length(probabilities) FROM predictions").fetchall()
    if any(columns.get(task) != width or size % (4 * width) for task, width, size in rows):
        yield "the predictions of a run are cut, or of no task"
    for task in TASKS.values():
        query = (
            "SELECT count(*) FROM examples JOIN splits ON splits.key = examples.split"
            " WHERE splits.task = ? AND (label < ? OR label > ? OR (? AND label != round(label)))"
        )
        if database.execute(query, (task.name, task.minimum, task.maximum, bool(task.classes))).fetchone()[0]:
            yield f"an example of {task.title} has no label of its task"
