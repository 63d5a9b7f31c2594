"""While a large run is imported nobody waits for the registry, and nobody sees half of it, also where it is killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from registry_builder import RegistryBuilder

from bertmt.registry.database import Database
from bertmt.registry.file import staging
from bertmt.registry.file.backups import keep_backup
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import IS_STAGED, all_runs, removed_runs
from bertmt.services.browse.suggestions import removed_run_words, run_words
from bertmt.services.ingest import import_run as importing
from bertmt.services.ingest.import_run import import_run, read_run_folder
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle.control import annotate
from bertmt.services.lifecycle.removal import restore_all
from bertmt.services.upkeep.damage import damage_of
from bertmt.services.upkeep.garbage import find_garbage, free
from bertmt.services.upkeep.repair import repair


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[RegistryBuilder]:
    """A registry on another machine."""
    made = RegistryBuilder(tmp_path / "elsewhere" / "runs.db")
    yield made
    made.database.close()


@pytest.fixture
def folder(elsewhere: RegistryBuilder) -> Path:
    """A run folder to import."""
    return folder_of(elsewhere.database, elsewhere.finished("base")).path


def sees_nothing_and_writes(path: Path, mine: Run) -> None:
    """What another process does meanwhile: it waits for nobody."""
    with open_registry(path, busy_seconds=0) as other:
        assert [run.id for run in all_runs(other)] == [mine.id] and removed_runs(other) == []
        annotate(other, mine, "written meanwhile")
    assert run_words(path) == [mine.id, mine.name] and removed_run_words(path) == []


def test_the_registry_is_free_while_a_folder_is_read(
    database: Database, add_run: AddRun, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, replay, looked = add_run("mine"), importing.replay, []

    def look_while_reading(*arguments: Any) -> Run:
        sees_nothing_and_writes(database.path, mine)
        run = replay(*arguments)
        sees_nothing_and_writes(database.path, mine)
        looked.append(run)
        return run

    monkeypatch.setattr(importing, "replay", look_while_reading)
    import_run(database, folder)
    assert len(looked) == 1


def test_between_two_batches_others_write_and_see_nothing_of_the_run(
    database: Database, add_run: AddRun, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "ROWS", 7)
    monkeypatch.setattr(staging, "BLOBS", 1)
    mine, batches = add_run("mine"), []

    def look(seconds: Any) -> None:
        sees_nothing_and_writes(database.path, mine)
        batches.append(database.execute("SELECT count(*) FROM metrics").fetchone()[0])

    monkeypatch.setattr(staging.time, "sleep", look)  # type: ignore[attr-defined]  # its own name for it
    imported = import_run(database, folder)
    assert len(set(batches)) > 3 and {run.id for run in all_runs(database)} == {mine.id, imported.id}
    assert database.execute(f"SELECT count(*) FROM runs WHERE {IS_STAGED}").fetchone() == (0,)


KILLED = """
import os, sys
from pathlib import Path
from bertmt.registry.file import staging
from bertmt.registry.file.opening import open_registry
from bertmt.services.ingest import import_run as importing
staging.ROWS = 7
place, registry, folder = sys.argv[1:]
def die(*_): os._exit(9)
if place == "batch":
    staging.time.sleep = die
elif place == "read":
    importing.copy_rows = die
else:
    importing.publish = die
with open_registry(Path(registry)) as database:
    importing.import_run(database, Path(folder))
"""


@pytest.fixture(params=["read", "batch", "publish"])
def killed(request: pytest.FixtureRequest, database: Database, folder: Path) -> Database:
    """The registry after an import that was killed: before, between and after its batches."""
    command = [sys.executable, "-c", KILLED, request.param, str(database.path), str(folder)]
    assert subprocess.run(command, cwd=Path(__file__).parents[3]).returncode == 9
    return database


def rows(database: Database) -> dict[Any, Any]:
    tables = ("runs", "summaries", "metrics", "transitions", "evaluations", "predictions")
    return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_of_an_import_that_was_killed_nobody_sees_anything(killed: Database, folder: Path) -> None:
    assert rows(killed)["runs"] == 1, "it was killed in the middle"
    assert all_runs(killed) == removed_runs(killed) == []
    assert run_words(killed.path) == removed_run_words(killed.path) == []
    assert damage_of(killed) is None
    name = read_run_folder(folder).order.name
    with pytest.raises(Exception, match="No removed run"):
        restore_all(killed, [name])


def test_the_next_import_brings_the_run_in_whole_and_clears_up(
    killed: Database, folder: Path, elsewhere: RegistryBuilder
) -> None:
    target = killed.path.parent / "runs" / read_run_folder(folder).order.run_id
    again = import_run(killed, target if target.exists() else folder)  # its folder may be in place already
    assert rows(killed) == rows(elsewhere.database)
    assert [run.id for run in all_runs(killed)] == [again.id]


def test_gc_clears_up_what_a_killed_import_left(killed: Database) -> None:
    free(killed, find_garbage(killed))
    assert set(rows(killed).values()) == {0}


def test_an_import_that_lives_is_left_alone(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def look(*_: Any) -> None:
        staging.forget_abandoned(database)
        monkeypatch.setattr("bertmt.services.upkeep.garbage.LEFTOVER_SECONDS", -1)
        looked.append([item.kind for item in find_garbage(database)])

    monkeypatch.setattr(staging.time, "sleep", look)  # type: ignore[attr-defined]  # its own name for it
    assert import_run(database, folder).state == "finished"
    assert looked and not any(looked)


def test_a_repaired_registry_knows_nothing_of_an_import_that_was_killed(killed: Database) -> None:
    path = killed.path
    keep_backup(killed)
    killed.close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8)  # the root of the table of all tables
    found = repair(path)
    assert found.problems and found.backup is not None
    with open_registry(path) as anew:
        assert anew.execute(f"SELECT count(*) FROM runs WHERE {IS_STAGED}").fetchone() == (0,)
