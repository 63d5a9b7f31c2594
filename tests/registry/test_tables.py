"""Tables through sqlite-utils: within the registry's own transactions, on a connection that stays as it was opened."""

from pathlib import Path

import pytest

from bertmt.registry.database import Database, tables_of
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import setting


def test_what_it_writes_is_part_of_the_transaction_that_is_open(database: Database, tmp_path: Path) -> None:
    settings = tables_of(database.connection).table("settings")
    with open_registry(tmp_path / "runs.db", read_only=True) as other, pytest.raises(KeyError), database.immediate():
        settings.insert_all([{"name": "a", "value": "1"}, {"name": "b", "value": "2"}])
        settings.update("a", {"value": "3"})
        settings.delete_where("name = ?", ["b"])
        assert (setting(database, "a"), setting(database, "b")) == ("3", None)
        assert setting(other, "a") is None, "nobody else sees it before its end"
        raise KeyError
    assert setting(database, "a") is None


def test_triggers_fire_as_they_did_before(database: Database) -> None:
    """The first connection is of a registry that was just made, so it has been migrated."""
    tables_of(database.connection)
    assert database.execute("PRAGMA recursive_triggers").fetchone() == (0,)
