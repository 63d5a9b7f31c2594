"""The schema of the registry as an append-only list of migrations, applied in one immediate transaction.

sqlite-utils records which ones ran; `PRAGMA user_version` repeats their number, so that a start-up check needs no
import of it. `Migrations.apply` alone is not safe when several processes start together; inside BEGIN IMMEDIATE it is.
"""

from pathlib import Path
from typing import Any

from sqlite_utils import Database as SqliteUtilsDatabase
from sqlite_utils import Migrations

from bertmt.errors import RegistryError
from bertmt.registry.budgets.schema import BUDGETS
from bertmt.registry.database import tables_of
from bertmt.registry.file.older_recipes import present_digest, present_recipe, scores_as_json
from bertmt.registry.file.recipes_of_schema_9 import recipe_with_later_settings
from bertmt.registry.file.recipes_of_schema_10 import recipe_with_stages, rewrite_recipes
from bertmt.registry.file.recipes_of_schema_11 import recipe_with_order
from bertmt.registry.file.schemas import SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5, SCHEMA_6, SCHEMA_7, SCHEMA_8
from bertmt.registry.jobs.schema import JOBS
from bertmt.registry.searches.schema import SEARCHES

migrations = Migrations("bertmt")

SCHEMAS = (SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5, SCHEMA_6, SCHEMA_7, SCHEMA_8, SEARCHES, BUDGETS, JOBS)
# Not INSERT OR REPLACE: within a trigger SQLite puts the conflict clause of the statement that fired it in its place.
CHANGED = (
    "UPDATE changes SET number = (SELECT max(number) + 1 FROM changes) WHERE run = {run};"
    " INSERT INTO changes SELECT {run}, (SELECT coalesce(max(number), 0) + 1 FROM changes)"
    " WHERE NOT EXISTS (SELECT 1 FROM changes WHERE run = {run})"
)
WATCHED = (
    ("runs", "INSERT", "NEW.key"), ("runs", "UPDATE", "NEW.key"), ("runs", "DELETE", "OLD.key"),
    ("summaries", "UPDATE", "NEW.run"), ("tags", "INSERT", "NEW.run"), ("tags", "DELETE", "OLD.run"),
)  # fmt: skip


@migrations()
def m001_first_schema(db: SqliteUtilsDatabase) -> None:
    """All tables of version 1."""
    _run_all(db, SCHEMA_1)


@migrations()
def m002_changes_of_runs(db: SqliteUtilsDatabase) -> None:
    """Which runs changed, and requests to workers."""
    _run_all(db, SCHEMA_2)
    for table, event, run in WATCHED:
        db.execute(
            f"CREATE TRIGGER {table}_{event.lower()}_is_a_change AFTER {event} ON {table} "
            f"BEGIN {CHANGED.format(run=run)}; END"
        )
    db.execute("INSERT INTO changes SELECT key, key FROM runs")


@migrations()
def m003_a_queue_that_survives(db: SqliteUtilsDatabase) -> None:
    """Priorities, dependencies, delayed starts, recoveries, checkpoints, and removal that can be undone."""
    _run_all(db, SCHEMA_3)


@migrations()
def m004_workers_known_by_more_than_the_clock(db: SqliteUtilsDatabase) -> None:
    """When a worker was last heard of by the machine's own clock, and whose it is."""
    _run_all(db, SCHEMA_4)


@migrations()
def m005_which_encoder(db: SqliteUtilsDatabase) -> None:
    """Fingerprints of encoders."""
    _run_all(db, SCHEMA_5)


@migrations()
def m006_transitions(db: SqliteUtilsDatabase) -> None:
    """`moves` and `owner` get the names that the code has for them."""
    _run_all(db, SCHEMA_6)


@migrations()
def m007_scores_of_any_task(db: SqliteUtilsDatabase) -> None:
    """Scores as rows, definitions of tasks, recipes with settings of any task's head."""
    _run_all(db, SCHEMA_7)
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
    _run_all(db, SCHEMA_8)


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
    _run_all(db, SEARCHES)


@migrations()
def m012_order_of_pretraining(db: SqliteUtilsDatabase) -> None:
    """A setting that came since in stored recipes, with what those runs did; no digest changes."""
    rewrite_recipes(db.conn, recipe_with_order)


@migrations()
def m013_budgets(db: SqliteUtilsDatabase) -> None:
    """What attempts used, and budgets."""
    _run_all(db, BUDGETS)


@migrations()
def m014_jobs(db: SqliteUtilsDatabase) -> None:
    """Attempts that a scheduler runs."""
    _run_all(db, JOBS)


def _run_all(db: SqliteUtilsDatabase, script: str) -> None:
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
