"""The schema of the registry as an append-only list of migrations, applied in one immediate transaction.

sqlite-utils records which ones ran; `PRAGMA user_version` repeats their number, so that a start-up check needs no
import of it. `Migrations.apply` alone is not safe when several processes start together; inside BEGIN IMMEDIATE it is.
"""

from pathlib import Path
from typing import Any

from sqlite_utils import Database as SqliteUtilsDatabase
from sqlite_utils import Migrations

from bertmt.errors import RegistryError
from bertmt.registry.database import tables_of
from bertmt.registry.file.older_recipes import present_digest, present_recipe, scores_as_json
from bertmt.registry.file.recipes_of_schema_9 import recipe_with_later_settings
from bertmt.registry.file.recipes_of_schema_10 import recipe_with_stages, rewrite_recipes
from bertmt.registry.jobs.schema import JOBS
from bertmt.registry.searches.schema import SEARCHES

migrations = Migrations("bertmt")

# As SQL: sqlite-utils' `create` and `create_index` know neither WITHOUT ROWID nor partial indexes, and the
# comments are what docs/registry.md says of a column. What a later migration adds may go through its tables.
SCHEMA_1 = """
CREATE TABLE snapshots (                -- once for all runs that were submitted with the same code
    key INTEGER PRIMARY KEY,
    code_digest TEXT NOT NULL,          -- of the package's source files
    source TEXT NOT NULL,               -- JSON: version, git commit and diff where there is git
    environment TEXT NOT NULL,          -- JSON: Python, platform, package versions
    UNIQUE (code_digest, source, environment)
);

CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,            -- short, random, also the name of its folder
    name TEXT NOT NULL,
    preset TEXT,                        -- whose toggles the resolved recipe equals
    from_preset TEXT,                   -- the preset that it was made from
    recipe TEXT NOT NULL,               -- resolved, JSON, dotted names
    digest TEXT NOT NULL,               -- of the recipe without the data's location
    seed INTEGER NOT NULL,
    data TEXT NOT NULL,                 -- where the data lies now; the recipe keeps where it lay
    extra_data_file TEXT NOT NULL,
    fingerprints TEXT NOT NULL,         -- JSON: <task>-<split> to fingerprint, at submit
    state TEXT NOT NULL,
    position REAL NOT NULL,             -- order in the queue
    attempt INTEGER NOT NULL DEFAULT 0,
    request TEXT,                       -- "cancel" or "pause": asked of a running run, outlives the worker
    device TEXT,
    worker INTEGER REFERENCES workers (key),
    failure TEXT,                       -- last exception line
    note TEXT NOT NULL DEFAULT '',
    submitted_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    snapshot INTEGER NOT NULL REFERENCES snapshots (key),  -- code and environment at submit
    events_attempt INTEGER NOT NULL DEFAULT 0,  -- up to where the event files were imported
    events_offset INTEGER NOT NULL DEFAULT 0,
    synced_at TEXT
);
CREATE INDEX runs_in_queue ON runs (position) WHERE state = 'queued';
CREATE INDEX runs_by_position ON runs (position);
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_name ON runs (name);
CREATE INDEX runs_by_digest ON runs (digest);

CREATE TABLE summaries (                -- one row per run, so that no list scans metrics
    run INTEGER PRIMARY KEY REFERENCES runs (key) ON DELETE CASCADE,
    phase TEXT,
    step INTEGER,
    steps_total INTEGER,
    epoch INTEGER,
    epochs_total INTEGER,
    seconds_left REAL,
    selected_epoch INTEGER,             -- whose scores these are
    sst REAL,
    para REAL,
    sts REAL,
    overall REAL,
    last_event_at TEXT,
    started TEXT,                       -- JSON: what the child told at its start
    finished TEXT                       -- JSON: what it told at its end
);

CREATE TABLE series (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE metrics (                  -- one counter of steps per run from 0, pretraining included
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    series INTEGER NOT NULL REFERENCES series (key),
    step INTEGER NOT NULL,
    value REAL,                         -- NULL is NaN or infinite
    PRIMARY KEY (run, series, step)
) WITHOUT ROWID;

CREATE TABLE evaluations (              -- epoch 0 is before any training
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    sst REAL,
    para REAL,
    sts REAL,
    overall REAL,
    seconds REAL,
    PRIMARY KEY (run, epoch)
) WITHOUT ROWID;

CREATE TABLE splits (                   -- each evaluated split once per fingerprint
    key INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL
);

CREATE TABLE examples (
    split INTEGER NOT NULL REFERENCES splits (key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    first TEXT NOT NULL,
    second TEXT,
    label REAL,
    PRIMARY KEY (split, position)
) WITHOUT ROWID;

CREATE TABLE predictions (              -- float32, little-endian: numpy.frombuffer(probabilities, "<f4")
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    task TEXT NOT NULL,
    split TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    columns INTEGER NOT NULL,           -- the classes of the task where it has more than two, else 1
    probabilities BLOB NOT NULL,
    PRIMARY KEY (run, task, split, epoch)
);

CREATE TABLE moves (                    -- every change of state
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state_before TEXT,
    state_after TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX moves_by_run ON moves (run);

CREATE TABLE workers (
    key INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start TEXT NOT NULL,        -- tells a process from a later one with the same pid
    slots TEXT NOT NULL,                -- JSON list
    started_at TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    ended_at TEXT
);

CREATE TABLE tags (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# What front ends that stay open need. A list of 10,000 runs is read once and then kept up to date by the few that
# changed; triggers see to it, so that no writer can forget.
SCHEMA_2 = """
-- "drain" or "stop": asked of a worker, outlives who asked.
ALTER TABLE workers ADD COLUMN request TEXT;

CREATE TABLE changes (                  -- the newest change of each run; stays when the run is removed
    run INTEGER PRIMARY KEY,
    number INTEGER NOT NULL             -- counts the changes of all runs
);
CREATE UNIQUE INDEX changes_by_number ON changes (number);
"""
# What a queue needs that survives anything.
SCHEMA_3 = """
-- Higher ones first; within one, `position` decides.
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- Not to be started earlier.
ALTER TABLE runs ADD COLUMN not_before_at TEXT;
-- "cpu" or "gpu": which devices may take it; empty: all.
ALTER TABLE runs ADD COLUMN wants TEXT NOT NULL DEFAULT '';
-- How often it was requeued by itself since a person queued it.
ALTER TABLE runs ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0;
-- 1: it ran out of memory, and its next attempts recompute activations.
ALTER TABLE runs ADD COLUMN saves_memory INTEGER NOT NULL DEFAULT 0;
-- The folder in which its checkpoints have theirs; empty: its run folder.
ALTER TABLE runs ADD COLUMN checkpoint_dir TEXT NOT NULL DEFAULT '';
-- Set: `bertmt rm` removed it; `bertmt gc` deletes it for good.
ALTER TABLE runs ADD COLUMN removed_at TEXT;
-- The steps done at its newest checkpoint.
ALTER TABLE summaries ADD COLUMN checkpoint_step INTEGER;
-- Why it takes nothing for now: three runs in a row died in their first seconds.
ALTER TABLE workers ADD COLUMN guard TEXT;

CREATE TABLE dependencies (             -- a run that waits for the end of another
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    awaited INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    needs_success INTEGER NOT NULL,     -- 1: the other must have finished
    PRIMARY KEY (run, awaited)
) WITHOUT ROWID;
CREATE INDEX dependencies_by_awaited ON dependencies (awaited);

CREATE INDEX runs_by_priority ON runs (priority DESC, position) WHERE state = 'queued';
"""
# What tells a living worker of this registry from one that is gone, or of the registry that this is a copy of.
SCHEMA_4 = """
-- When it was last heard of, by the machine's own clock, which nobody sets; empty: an older version.
ALTER TABLE workers ADD COLUMN beat TEXT NOT NULL DEFAULT '';
-- Device and inode of the registry that it opened; empty: an older version.
ALTER TABLE workers ADD COLUMN registry TEXT NOT NULL DEFAULT '';
"""
# An encoder's name says nothing of what lies under it.
SCHEMA_5 = """
-- JSON: "weights", "config.json", "vocabulary" to fingerprint, at submit; empty: unknown, an older bertmt kept none
ALTER TABLE runs ADD COLUMN encoder_fingerprints TEXT NOT NULL DEFAULT '{}';
"""
# The words of the code and of the field: a run changes its state by a transition, and an actor causes it.
SCHEMA_6 = """
ALTER TABLE moves RENAME TO transitions;
ALTER TABLE transitions RENAME COLUMN owner TO actor;
DROP INDEX moves_by_run;
CREATE INDEX transitions_by_run ON transitions (run);
"""
# A task is data: a run has the tasks that it was submitted with, and as many scores as these have metrics.
SCHEMA_7 = """
CREATE TABLE scores (                   -- dev scores of an evaluated epoch; overall scores stand in `evaluations`
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    task TEXT NOT NULL,
    metric TEXT NOT NULL,               -- a task is judged by the first of its definition
    value REAL,                         -- NULL is undefined
    PRIMARY KEY (run, epoch, task, metric)
) WITHOUT ROWID;

CREATE TABLE task_sets (                -- once for all runs that were submitted with the same definitions
    key INTEGER PRIMARY KEY,
    definitions TEXT NOT NULL UNIQUE    -- JSON list, by name
);

-- What its tasks are; NULL: the built-in ones.
ALTER TABLE runs ADD COLUMN task_set INTEGER REFERENCES task_sets (key);
-- JSON: task to its score in the selected epoch, so that a list of runs reads one row of each.
ALTER TABLE summaries ADD COLUMN scores TEXT NOT NULL DEFAULT '{}';
"""
# Losses and heads of a user's own.
SCHEMA_8 = """
CREATE TABLE sources (                  -- of users' own losses and heads; what was submitted here alone, never imported
    digest TEXT PRIMARY KEY,            -- as recipes have it
    file TEXT NOT NULL,
    source TEXT NOT NULL
) WITHOUT ROWID;
"""
SCHEMAS = (SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5, SCHEMA_6, SCHEMA_7, SCHEMA_8, SEARCHES, JOBS)
# Not INSERT OR REPLACE: within a trigger SQLite puts the conflict clause of the statement that fired it in its place.
CHANGED = (
    "UPDATE changes SET number = (SELECT max(number) + 1 FROM changes) WHERE run = {run};"
    " INSERT INTO changes SELECT {run}, (SELECT coalesce(max(number), 0) + 1 FROM changes)"
    " WHERE NOT EXISTS (SELECT 1 FROM changes WHERE run = {run})"
)
WATCHED = (
    ("runs", "INSERT", "NEW.key"),
    ("runs", "UPDATE", "NEW.key"),
    ("runs", "DELETE", "OLD.key"),
    ("summaries", "UPDATE", "NEW.run"),
    ("tags", "INSERT", "NEW.run"),
    ("tags", "DELETE", "OLD.run"),
)


@migrations()
def m001_first_schema(db: SqliteUtilsDatabase) -> None:
    """All tables of version 1."""
    _execute(db, SCHEMA_1)


@migrations()
def m002_changes_of_runs(db: SqliteUtilsDatabase) -> None:
    """Which runs changed, and requests to workers."""
    _execute(db, SCHEMA_2)
    for table, event, run in WATCHED:
        db.execute(
            f"CREATE TRIGGER {table}_{event.lower()}_is_a_change AFTER {event} ON {table} "
            f"BEGIN {CHANGED.format(run=run)}; END"
        )
    db.execute("INSERT INTO changes SELECT key, key FROM runs")


@migrations()
def m003_a_queue_that_survives(db: SqliteUtilsDatabase) -> None:
    """Priorities, dependencies, delayed starts, recoveries, checkpoints, and removal that can be undone."""
    _execute(db, SCHEMA_3)


@migrations()
def m004_workers_known_by_more_than_the_clock(db: SqliteUtilsDatabase) -> None:
    """When a worker was last heard of by the machine's own clock, and whose it is."""
    _execute(db, SCHEMA_4)


@migrations()
def m005_which_encoder(db: SqliteUtilsDatabase) -> None:
    """Fingerprints of encoders."""
    _execute(db, SCHEMA_5)


@migrations()
def m006_transitions(db: SqliteUtilsDatabase) -> None:
    """`moves` and `owner` get the names that the code has for them."""
    _execute(db, SCHEMA_6)


@migrations()
def m007_scores_of_any_task(db: SqliteUtilsDatabase) -> None:
    """Scores as rows, definitions of tasks, recipes with settings of any task's head."""
    _execute(db, SCHEMA_7)
    for task, metric in (("sst", "accuracy"), ("para", "accuracy"), ("sts", "pearson")):
        db.execute(
            f"INSERT INTO scores SELECT run, epoch, '{task}', '{metric}', {task} FROM evaluations"
            f" WHERE {task} IS NOT NULL"
        )
    # Functions of Python's: SQLite writes 15 digits of a number into JSON, which is not the number; and it has no
    # SHA-256.
    functions = {"scores_as_json": scores_as_json, "recipe_of": present_recipe, "digest_of": present_digest}
    for name, function in functions.items():
        db.conn.create_function(name, -1, function)
    db.execute("UPDATE summaries SET scores = scores_as_json(sst, para, sts)")
    db.execute("UPDATE runs SET recipe = recipe_of(recipe)")
    db.execute("UPDATE runs SET digest = digest_of(recipe, digest)")
    for name in functions:
        db.conn.create_function(name, -1, None)
    for table in ("evaluations", "summaries"):
        for task in ("sst", "para", "sts"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN {task}")


@migrations()
def m008_sources(db: SqliteUtilsDatabase) -> None:
    """Sources of users' own losses and heads."""
    _execute(db, SCHEMA_8)


@migrations()
def m009_settings_past_the_paper(db: SqliteUtilsDatabase) -> None:
    """Settings that came since in stored recipes, with the defaults that those runs had; no digest changes."""
    rewrite_recipes(db.conn, recipe_with_later_settings)


@migrations()
def m010_averages_and_stages(db: SqliteUtilsDatabase) -> None:
    """Settings that came since, likewise."""
    rewrite_recipes(db.conn, recipe_with_stages)


@migrations()
def m011_searches(db: SqliteUtilsDatabase) -> None:
    """Searches for the best recipe, and runs that pause after an epoch."""
    _execute(db, SEARCHES)


@migrations()
def m012_jobs(db: SqliteUtilsDatabase) -> None:
    """Attempts that a scheduler runs."""
    _execute(db, JOBS)


def _execute(db: SqliteUtilsDatabase, script: str) -> None:
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> list[str]:
    # `executescript` of sqlite3 would commit the transaction that protects the migration; that of sqlite-utils joins
    # it, but takes 30 ms to find the statements, as long as all of them take.
    return [statement for statement in script.split(";\n") if statement.strip()]


def migrate(path: Path, connection: Any, version_after: int) -> None:
    """Apply what is missing; inside an immediate transaction, so that processes that come second find nothing to do.

    Raises:
        RegistryError: the file holds tables that are not ours.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == version_after:
        return
    registry = tables_of(connection)
    if version == 0 and registry.schema:
        raise RegistryError(f"{path} is an SQLite file, but not a bertmt registry; name another with --db.")
    migrations.apply(registry)
    connection.execute(f"PRAGMA user_version = {version_after}")
