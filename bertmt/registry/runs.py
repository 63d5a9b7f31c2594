"""Reading runs, adding them, and moving them from state to state."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import CONCERNS, Awaited, Evaluation, Progress, Run, Scores, Snapshot, Transition
from bertmt.registry.states import Actor, State, check_transition
from bertmt.run_folder.events import now
from bertmt.tasks import definitions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks

ID_LETTERS = "abcdefghjkmnpqrstuvwxyz"  # no i, l, o: they read like digits
ID_CHARACTERS = ID_LETTERS + "23456789"
ID_LENGTH = 6
# What an import has not brought in whole; see `staging`.
STAGED = ".importing-"
IS_STAGED = f"runs.id GLOB '{STAGED}*'"

# How rows become runs: the fields of `Run` and of its concerns name the columns.
_OWN = tuple(name for name in Run.__struct_fields__ if name not in CONCERNS)
_IN_SUMMARIES = (Progress, Scores)
_FROM_OTHER_TABLES = {
    "definitions_json": "runs.task_set",  # a key, so that a list of runs does not read their text for each
    "awaits": "(SELECT group_concat(needs_success || awaited.id) FROM dependencies JOIN runs AS awaited"
    " ON awaited.key = dependencies.awaited WHERE dependencies.run = runs.key)",
    # What `jobs/rows.py` keeps, in the order of `Job`; NULL where the attempt is a process of this machine.
    "job_json": "(SELECT json_array(launcher, handle, phase, reason, node, time_limit, obeyed) FROM jobs"
    " WHERE jobs.run = runs.key AND jobs.attempt = runs.attempt)",
    "tags": "(SELECT group_concat(tag, char(31)) FROM tags WHERE tags.run = runs.key)",
}
_OF_A_RUN = ("metrics", "evaluations", "scores", "predictions", "attempts", "transitions", "tags", "jobs", "summaries")


def _columns() -> Iterator[tuple[str, str]]:
    """Every field, the run's own first, and the SQL that reads it."""
    for kind, names in [(Run, _OWN), *((kind, kind.__struct_fields__) for kind in CONCERNS.values())]:
        table = "summaries" if kind in _IN_SUMMARIES else "runs"
        for name in names:
            yield name, _FROM_OTHER_TABLES.get(name, f"{table}.{name.removesuffix('_json')}")


_FIELDS = [name for name, _ in _columns()]
_STATE, _AWAITS, _TAGS, _TASK_SET = map(_FIELDS.index, ("state", "awaits", "tags", "definitions_json"))


def _place(names: Sequence[str]) -> slice:
    start = _FIELDS.index(names[0])
    return slice(start, start + len(names))


_PARTS = tuple(
    (concern, kind, kind.__struct_fields__, _place(kind.__struct_fields__)) for concern, kind in CONCERNS.items()
)
# What `runs_of` makes runs of.
COLUMNS = ", ".join(column for _, column in _columns())


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """What is stored of a run when it is submitted, or comes from elsewhere.

    Attributes:
        tasks: what the tasks are that its recipe names.
    """

    name: str
    preset: str | None
    from_preset: str | None
    recipe_json: str
    digest: str
    seed: int
    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str]
    state: State = State.QUEUED
    note: str = ""
    tags: tuple[str, ...] = ()
    priority: int = 0
    not_before_at: str | None = None
    wants: str = ""
    checkpoint_dir: str = ""
    awaits: tuple[Awaited, ...] = ()
    encoder_fingerprints: Mapping[str, str] = field(default_factory=dict)
    tasks: Tasks = field(default_factory=lambda: BUILTIN)
    pause_after: int = 0
    budget: int | None = None


def new_id() -> str:
    """A random id: one letter, then letters and digits; 23·31⁵ of them."""
    return secrets.choice(ID_LETTERS) + "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH - 1))


def add_runs(database: Database, runs: Sequence[NewRun], snapshot: Snapshot, first: bool = False) -> list[str]:
    """Store all runs of one command in one durable transaction, and return their ids.

    Args:
        snapshot: the code and environment of all of them.
        first: put them, in their order, before all that wait, with the priority of the first; else behind.
    """
    with database.durable():
        return _add_all(database, runs, snapshot, first)


def _add_all(database: Database, runs: Sequence[NewRun], snapshot: Snapshot, first: bool) -> list[str]:
    lowest, highest = database.execute("SELECT min(position), max(position) FROM runs").fetchone()
    start = (lowest or 0) - len(runs) if first else (highest or 0) + 1
    if first:
        waiting = "SELECT coalesce(max(priority), 0) FROM runs WHERE state IN ('queued', 'held')"
        of_first: int = database.execute(waiting).fetchone()[0]
        runs = [replace(run, priority=max(run.priority, of_first)) for run in runs]
    code = _store_snapshot(database, snapshot)
    return [_add(database, run, code, start + offset) for offset, run in enumerate(runs)]


def _store_snapshot(database: Database, snapshot: Snapshot) -> int:
    columns = (
        snapshot.code_digest,
        json.dumps(dict(snapshot.source), sort_keys=True),
        json.dumps(dict(snapshot.environment), sort_keys=True),
    )
    database.execute("INSERT OR IGNORE INTO snapshots (code_digest, source, environment) VALUES (?, ?, ?)", columns)
    key: int = database.execute(
        "SELECT key FROM snapshots WHERE code_digest = ? AND source = ? AND environment = ?", columns
    ).fetchone()[0]
    return key


def snapshot_of(database: Database, run: Run) -> Snapshot:
    """The code and environment that a run was submitted with."""
    digest, source, environment = database.execute(
        "SELECT code_digest, source, environment FROM snapshots WHERE key = ?", (run.submission.snapshot,)
    ).fetchone()
    return Snapshot(digest, json.loads(source), json.loads(environment))


def add_imported(
    database: Database, run_id: str, run: NewRun, snapshot: Snapshot, submitted_at: str, reason: str
) -> Run:
    """Store a run that is told of by its folder alone, behind all others; inside a write transaction."""
    highest = database.execute("SELECT max(position) FROM runs").fetchone()[0]
    code = _store_snapshot(database, snapshot)
    key = _insert(database, run_id, run, code, (highest or 0) + 1, submitted_at)
    record(database, key, 0, None, run.state, Actor.IMPORT, reason)
    return run_by_key(database, key)


def _add(database: Database, run: NewRun, snapshot: int, position: float) -> str:
    run_id = new_id()
    while database.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone():
        run_id = new_id()
    key = _insert(database, run_id, run, snapshot, position, now())
    record(database, key, 0, None, run.state, Actor.PERSON, "submitted")
    return run_id


def _insert(database: Database, run_id: str, run: NewRun, snapshot: int, position: float, submitted_at: str) -> int:
    # Bare: a thousand runs are queued by one command, and sqlite-utils' insert takes two to five times as long.
    key: int = database.execute(
        "INSERT INTO runs (id, name, preset, from_preset, recipe, digest, seed, data, extra_data_file, fingerprints,"
        " state, position, note, submitted_at, snapshot, priority, not_before_at, wants, checkpoint_dir,"
        " encoder_fingerprints, task_set, pause_after, budget) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            run_id, run.name, run.preset, run.from_preset, run.recipe_json, run.digest, run.seed, run.data,
            run.extra_data_file, json.dumps(dict(run.fingerprints)), run.state, position, run.note, submitted_at,
            snapshot, run.priority, run.not_before_at, run.wants, run.checkpoint_dir,
            json.dumps(dict(run.encoder_fingerprints)), store_tasks(database, run.tasks), run.pause_after,
            run.budget,
        ),
    ).lastrowid  # fmt: skip
    database.execute("INSERT INTO summaries (run) VALUES (?)", (key,))
    database.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(key, tag) for tag in run.tags])
    database.executemany(
        "INSERT OR REPLACE INTO dependencies SELECT ?, key, ? FROM runs WHERE id = ?",
        [(key, awaited.needs_success, awaited.id) for awaited in run.awaits],
    )
    return key


def store_tasks(database: Database, tasks: Tasks) -> int | None:
    """The key of these definitions, added where they are new; None for built-in ones. Inside a write transaction.

    Raises:
        DataError: one of them cannot be kept as JSON.
    """
    if all(BUILTIN.get(name) == task for name, task in tasks.items()):
        return None
    text = definitions.to_json(tasks)
    definitions.from_json(text)  # what cannot be read again would hide every run from its user
    database.execute("INSERT OR IGNORE INTO task_sets (definitions) VALUES (?)", (text,))
    key: int = database.execute("SELECT key FROM task_sets WHERE definitions = ?", (text,)).fetchone()[0]
    return key


def _definitions_of(database: Database, keys: Collection[int | None]) -> Mapping[int | None, str]:
    """The texts of these; of None "", which is the built-in ones."""
    wanted = [key for key in keys if key is not None]
    found: dict[int | None, str] = {None: ""}
    if wanted:  # all of them: there are few, however many the runs
        found |= dict(database.execute("SELECT key, definitions FROM task_sets").fetchall())
    return found


def all_tasks(database: Database) -> list[Task]:
    """Every task that some run may have, the built-in ones first; of one name several, where definitions differ.

    Raises:
        DataError: the registry holds what is no definition.
    """
    found = dict.fromkeys(BUILTIN.values())
    for (text,) in database.execute("SELECT definitions FROM task_sets ORDER BY key"):
        found |= dict.fromkeys(definitions.from_json(text).values())
    return list(found)


def all_runs(database: Database, where: str = "1", parameters: Sequence[Any] = ()) -> list[Run]:
    """The runs that satisfy an SQL condition over `runs` and `summaries`, newest last; not those removed."""
    return _runs(database, f"runs.removed_at IS NULL AND ({where})", parameters)


def finished_of_preset(database: Database, preset: str, most: int) -> list[Run]:
    """The newest finished runs of a preset, so many at most, newest last."""
    newest = (
        "SELECT key FROM runs WHERE preset = ? AND state = 'finished' AND removed_at IS NULL ORDER BY key DESC LIMIT ?"
    )
    return all_runs(database, f"runs.key IN ({newest})", (preset, most))


def finished_with_id(database: Database, run_id: str) -> list[Run]:
    """The run of that id, where there is one and it has finished."""
    return all_runs(database, "runs.id = ? AND runs.state = 'finished'", (run_id,))


def removed_runs(database: Database, where: str = "1", parameters: Sequence[Any] = ()) -> list[Run]:
    """The removed runs that satisfy a condition; they can still be brought back."""
    return _runs(database, f"runs.removed_at IS NOT NULL AND NOT {IS_STAGED} AND ({where})", parameters)


def _runs(database: Database, where: str, parameters: Sequence[Any]) -> list[Run]:
    rows = database.execute(
        f"SELECT {COLUMNS} FROM runs JOIN summaries ON summaries.run = runs.key WHERE {where} ORDER BY runs.key",
        parameters,
    )
    return runs_of(database, rows.fetchall())


def run_by_key(database: Database, key: int) -> Run:
    """The run with that key.

    Raises:
        NotFoundError: it was removed.
    """
    found = all_runs(database, "runs.key = ?", (key,))
    if not found:
        raise NotFoundError("The run has been removed; `bertmt runs` lists those that are left.")
    return found[0]


def runs_of(database: Database, rows: Sequence[Sequence[Any]]) -> list[Run]:
    """The runs that rows of `COLUMNS` hold."""
    texts = _definitions_of(database, {row[_TASK_SET] for row in rows})
    return [_run_of(row, texts) for row in rows]


def _run_of(row: Sequence[Any], texts: Mapping[int | None, str]) -> Run:
    values = list(row)
    values[_STATE] = State(values[_STATE])
    values[_TASK_SET] = texts[values[_TASK_SET]]
    awaits, tags = values[_AWAITS], values[_TAGS]
    values[_AWAITS] = tuple(Awaited(word[1:], word[0] == "1") for word in awaits.split(",")) if awaits else ()
    values[_TAGS] = tuple(sorted(tags.split("\x1f"))) if tags else ()
    fields: dict[str, Any] = dict(zip(_OWN, values[: len(_OWN)], strict=True))
    for concern, kind, names, place in _PARTS:
        fields[concern] = kind(**dict(zip(names, values[place], strict=True)))
    return Run(**fields)


def change_state(database: Database, key: int, after: State, actor: Actor, reason: str, **columns: Any) -> Run:
    """Change the state of a run and record that, in one transaction; `columns` are stored with it.

    Raises:
        BusyError: the transition is not legal from the state that the run is in now.
        NotFoundError: the run was removed.
    """
    with database.immediate():
        run = run_by_key(database, key)
        check_transition(run.id, run.state, after, actor)
        assignments = "".join(f", {column} = ?" for column in columns)
        database.execute(f"UPDATE runs SET state = ?{assignments} WHERE key = ?", (after, *columns.values(), key))
        record(database, key, columns.get("attempt", run.attempt), run.state, after, actor, reason)
        return run_by_key(database, key)


def note(database: Database, key: int, actor: Actor, reason: str) -> None:
    """A line in a run's history without a change of state."""
    run = run_by_key(database, key)
    record(database, key, run.attempt, run.state, run.state, actor, reason)


def record(
    database: Database, key: int, attempt: int, before: State | None, after: State, actor: Actor, reason: str
) -> None:
    """A line in a run's history; inside a write transaction."""
    database.execute(
        "INSERT INTO transitions (run, at, attempt, state_before, state_after, actor, reason) VALUES (?,?,?,?,?,?,?)",
        (key, now(), attempt, before, after, actor, reason),
    )


def transitions(database: Database, key: int) -> list[Transition]:
    """The history of a run, oldest first."""
    columns = ", ".join(each.name for each in fields(Transition))
    rows = database.execute(f"SELECT {columns} FROM transitions WHERE run = ? ORDER BY key", (key,))
    return [Transition(*row) for row in rows]


def evaluations(database: Database, run: Run, epoch: int | None = None) -> list[Evaluation]:
    """Dev scores per epoch, epoch 0 first, or of one alone; tasks in the run's order."""
    judged = {name: task.metric.name for name, task in run.tasks.items()}
    which, parameters = ("", [run.key]) if epoch is None else (" AND epoch = ?", [run.key, epoch])
    measured: dict[tuple[int, str], dict[str, float | None]] = {}
    rows = database.execute(f"SELECT epoch, task, metric, value FROM scores WHERE run = ?{which}", parameters)
    for at, task, metric, value in rows:
        measured.setdefault((at, task), {})[metric] = value
    rows = database.execute(
        f"SELECT epoch, step, overall, seconds FROM evaluations WHERE run = ?{which} ORDER BY epoch", parameters
    )
    found = []
    for at, step, overall, seconds in rows:
        metrics = {task: measured[at, task] for task in judged if (at, task) in measured}
        scores = {task: values.get(judged[task]) for task, values in metrics.items()}
        found.append(Evaluation(at, step, overall, seconds, scores, metrics))
    return found


def courses(database: Database, runs: Sequence[Run]) -> dict[int, list[float | None]]:
    """By key of a run its primary score at each epoch: the overall one, of a single task that of the task."""
    found: dict[int, list[float | None]] = {run.key: [] for run in runs}
    marks = ", ".join("?" * len(runs))
    rows = f"SELECT run, overall FROM evaluations WHERE run IN ({marks}) ORDER BY run, epoch"
    for key, overall in database.execute(rows, [run.key for run in runs]):
        found[key].append(overall)
    for run in runs:
        if len(run.tasks) == 1:
            [(name, task)] = run.tasks.items()
            of_task = "SELECT value FROM scores WHERE run = ? AND task = ? AND metric = ? ORDER BY epoch"
            found[run.key] = [value for (value,) in database.execute(of_task, (run.key, name, task.metric.name))]
    return found


def remove(database: Database, key: int) -> None:
    """Hide a run; `bring_back` undoes it, until `forget`."""
    with database.immediate():
        database.execute("UPDATE runs SET removed_at = ? WHERE key = ?", (now(), key))


def bring_back(database: Database, key: int) -> Run:
    """Undo `remove`."""
    with database.immediate():
        database.execute("UPDATE runs SET removed_at = NULL WHERE key = ?", (key,))
        return run_by_key(database, key)


def forget(database: Database, key: int) -> None:
    """Delete a run and all that was imported of it, for good."""
    with database.immediate():
        database.execute("DELETE FROM dependencies WHERE run = ?1 OR awaited = ?1", (key,))
        for table in _OF_A_RUN:
            database.execute(f"DELETE FROM {table} WHERE run = ?", (key,))
        database.execute("DELETE FROM runs WHERE key = ?", (key,))


def setting(database: Database, name: str) -> str | None:
    """A stored setting of the registry."""
    row = database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def store_setting(database: Database, name: str, value: str | None) -> None:
    """Store a setting, or forget it where the value is None."""
    with database.immediate():
        if value is None:
            database.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
