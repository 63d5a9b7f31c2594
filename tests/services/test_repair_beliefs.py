"""What of a damaged registry is believed, and what becomes of what is not."""

import shutil

import pytest
from registry_to_damage import measured

from bertmt.errors import RegistryError
from bertmt.registry.database import open_registry, sqlite3
from bertmt.registry.runs import all_runs, moves
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.upkeep.repair import repair


def set_value(registry, name, column, value):
    with sqlite3.connect(registry) as connection:
        connection.execute(f"UPDATE runs SET {column} = ? WHERE name = ?", (value, name))
    connection.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("wants", b"x"),
        ("priority", "high"),
        ("submitted_at", "then"),
        ("recipe", "[]"),
        ("checkpoint_dir", b"x"),
        ("wants", "tpu"),
        ("not_before_at", "soon"),
    ],
)
def test_values_that_no_bertmt_writes_are_damage_and_cost_what_was_typed_alone(registry, column, value):
    before = measured(registry)
    set_value(registry, "run 3", column, value)
    done = repair(registry)
    assert done.problems and measured(registry) == before
    assert [run.source for run in done.runs if run.name == "run 3"] == ["folder"]
    assert repair(registry).problems == (), "what it made is sound"


def test_a_run_that_waits_for_one_saved_from_its_folder_waits_still(registry):
    set_value(registry, "run 0", "submitted_at", "then")
    repair(registry)
    with open_registry(registry) as database:
        [held] = all_runs(database, "runs.name = 'held'")
        [awaited] = all_runs(database, "runs.name = 'run 0'")
        assert held.awaits == ((awaited.id, True),)


def test_a_run_whose_awaited_run_is_lost_is_held_and_the_lost_one_is_named(registry):
    with open_registry(registry) as database:
        [awaited] = all_runs(database, "runs.name = 'run 0'")
        shutil.rmtree(folder_of(database, awaited).path)
        database.execute("UPDATE runs SET state = 'queued' WHERE name = 'held'")
    set_value(registry, "run 0", "submitted_at", "then")
    assert repair(registry).lost == (awaited.id,)
    with open_registry(registry) as database:
        [held] = all_runs(database, "runs.name = 'held'")
        assert held.state is State.HELD and "was lost" in moves(database, held.key)[-1].reason


def test_trouble_of_the_new_registry_is_no_fault_of_a_row(registry, monkeypatch):
    set_value(registry, "run 3", "wants", "x")
    before = registry.read_bytes()

    def full(*_):
        raise RegistryError("The disk is full.")

    monkeypatch.setattr("bertmt.services.upkeep.saved_rows.SavedRows._store_run", full)
    with pytest.raises(RegistryError, match="full"):
        repair(registry)
    assert registry.read_bytes() == before
