"""Registries of other schemas are not taken for damaged ones, and what is missing is damage."""

from pathlib import Path

from bertmt.registry.database import sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, transitions
from bertmt.services.upkeep.repair import Repaired, repair


def test_an_intact_registry_of_an_older_schema_is_left_alone(registry: Path) -> None:
    with sqlite3.connect(registry) as connection:
        connection.execute("DROP INDEX transitions_by_run")
        connection.execute("ALTER TABLE transitions RENAME COLUMN actor TO owner")
        connection.execute("ALTER TABLE transitions RENAME TO moves")
        connection.execute("CREATE INDEX moves_by_run ON moves (run)")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm006_transitions'")
        connection.execute("PRAGMA user_version = 5")
    connection.close()
    assert repair(registry) == Repaired()
    with open_registry(registry) as database:
        assert transitions(database, all_runs(database)[0].key)


def test_a_registry_without_its_history_is_damaged(backed_up: Path) -> None:
    with sqlite3.connect(backed_up) as connection:
        connection.execute("DROP TABLE transitions")
    connection.close()
    assert repair(backed_up).problems == ("no table transitions",)
