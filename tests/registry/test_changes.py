"""What changed: registries of version 1 are brought up to date, and every write that lists show counts for its run."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from call_types import AddRun
from present import present
from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.registry import metrics
from bertmt.registry.changes import changed_runs, newest_change
from bertmt.registry.claims import claim_next
from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.migrations import m002_changes_of_runs, m004_workers_known_by_more_than_the_clock, migrations
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, change_state, forget, remove, store_setting
from bertmt.registry.states import Actor, State
from bertmt.registry.workers import all_workers, beat, register, running_workers
from bertmt.run_folder.processes import is_recent, process_start
from bertmt.services.lifecycle.control import annotate, tag
from bertmt.services.lifecycle.reordering import prioritise


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A registry as version 1 left it: two runs, one with a tag, and a worker."""
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m002_changes_of_runs.__name__)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    for key, name in ((3, "first"), (7, "second")):
        connection.execute(
            "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state,"
            " position, submitted_at, snapshot) VALUES (?, ?, ?, ?, 'd', 0, 'toy', '', '{}', 'queued', ?, 'now', 1)",
            (key, name, name, json.dumps({"seed": 0}), key),
        )
        connection.execute("INSERT INTO summaries (run, sst) VALUES (?, 0.5)", (key,))
    connection.execute("INSERT INTO tags VALUES (7, 'old')")
    connection.execute(
        "INSERT INTO workers (host, pid, process_start, slots, started_at, heartbeat_at)"
        " VALUES ('here', 1, '', '[\"cpu\"]', 'then', 'now')"
    )
    connection.close()
    return path


def test_a_registry_of_version_1_keeps_its_rows_and_every_run_gets_a_number(first_version: Path) -> None:
    with open_registry(first_version) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert [(run.key, run.name, run.score("sst"), run.annotations.tags) for run in all_runs(database)] == [
            (3, "first", 0.5, ()), (7, "second", 0.5, ("old",)),
        ]  # fmt: skip
        assert [worker.request for worker in all_workers(database)] == [None]
        changes = changed_runs(database)
        assert [run.key for run in changes.runs] == [3, 7]
        assert changes.newest == newest_change(database) > 0


def test_a_registry_of_version_1_counts_what_changes_from_then_on(first_version: Path) -> None:
    with open_registry(first_version) as database:
        before = newest_change(database)
        change_state(database, 3, State.HELD, Actor.PERSON, "later")
        assert [run.state for run in changed_runs(database, before).runs] == [State.HELD]


def claim(database: Database, run: Run) -> Run:
    return present(claim_next(database, register(database, ["cpu"]), "cpu"))


def score(database: Database, run: Run) -> None:
    database.execute("UPDATE summaries SET overall = 0.7 WHERE run = ?", (run.key,))


@pytest.mark.parametrize(
    "write",
    [
        claim,
        score,
        lambda database, run: change_state(database, run.key, State.HELD, Actor.PERSON, "later"),
        lambda database, run: tag(database, run, "new"),
        lambda database, run: tag(database, run, "old", present=False),
        lambda database, run: annotate(database, run, "seen"),
        lambda database, run: prioritise(database, run, 3),
    ],
    ids=["claim", "score", "move", "tag", "untag", "note", "order"],
)
def test_a_write_counts_for_its_run_alone(
    database: Database,
    add_run: AddRun,
    write: Callable[..., Run] | Callable[..., None] | Callable[..., Run],
) -> None:
    run, other = add_run("a"), add_run("b")
    tag(database, run, "old")
    if write.__name__ != "claim":
        change_state(database, other.key, State.CANCELLED, Actor.PERSON, "not this one")
    before = newest_change(database)
    write(database, run)
    changes = changed_runs(database, before)
    assert ([each.key for each in changes.runs], changes.removed) == ([run.key], [])
    assert changes.newest == newest_change(database) > before
    assert changed_runs(database, changes.newest).newest == changes.newest


def test_a_tag_that_a_run_has_already_changes_nothing(database: Database, add_run: AddRun) -> None:
    run = add_run()
    tag(database, run, "old")
    before = newest_change(database)
    tag(database, run, "old")
    assert newest_change(database) == before


def test_points_and_settings_are_no_change_of_a_run(database: Database, add_run: AddRun) -> None:
    run = add_run()
    before = newest_change(database)
    with database.immediate():
        metrics.append(database, run.key, [("loss/sst", 0, 1.0)])
    store_setting(database, "baseline", run.id)
    assert newest_change(database) == before


def test_a_removed_run_is_told_once_and_its_key_may_come_back(database: Database, add_run: AddRun) -> None:
    run = add_run("a")
    before = newest_change(database)
    remove(database, run.key)
    changes = changed_runs(database, before)
    assert (changes.runs, changes.removed) == ([], [run.key])
    assert changed_runs(database, changes.newest).removed == []
    forget(database, run.key)
    assert changed_runs(database, changes.newest).removed == [run.key]
    again = add_run("b")  # SQLite gives the highest key anew
    assert again.key == run.key
    assert [each.name for each in changed_runs(database, changes.newest).runs] == ["b"]


def test_a_failed_transaction_counts_nothing(database: Database, add_run: AddRun) -> None:
    run = add_run()
    before = newest_change(database)
    with pytest.raises(ZeroDivisionError), database.immediate():
        score(database, run)
        raise ZeroDivisionError
    assert newest_change(database) == before


def test_runs_that_differ_in_their_seed_share_one_recipe(add_run: AddRun) -> None:
    one, two, other = add_run(seed=1), add_run(seed=2), add_run(seed=1, epochs=3)
    assert one.submission.shared_recipe is two.submission.shared_recipe
    assert other.submission.shared_recipe != one.submission.shared_recipe
    for run in (one, two, other):
        assert {**run.submission.shared_recipe, "seed": run.seed} == run.recipe


def test_a_recipe_that_quotes_a_seed_keeps_its_text(add_run: AddRun) -> None:
    run = add_run(preset_name="baseline", extra_data=True, extra_data_file='x "seed": 5 y')
    assert run.submission.shared_recipe["extra_data_file"] == run.recipe["extra_data_file"] == 'x "seed": 5 y'


def test_a_registry_of_schema_3_keeps_its_workers_which_are_then_known_by_their_process_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m004_workers_known_by_more_than_the_clock.__name__)
    connection.execute("PRAGMA user_version = 3")
    words = (socket.gethostname(), os.getpid(), process_start(os.getpid()))
    connection.execute(
        "INSERT INTO workers (host, pid, process_start, slots, started_at, heartbeat_at)"
        " VALUES (?, ?, ?, '[\"cpu\"]', 'then', 'then')",
        words,
    )
    connection.close()
    with open_registry(path) as database:
        [worker] = running_workers(database)
        assert (worker.pid, worker.beat, worker.registry) == (os.getpid(), "", "")
        beat(database, worker.key)
        assert is_recent(running_workers(database)[0].beat, 60)
