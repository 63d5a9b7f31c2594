"""Damaged registries: the newest good backup, what the run folders tell since, and every loss by its name."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_builder import EPOCHS, STEPS, RegistryBuilder, evaluate
from registry_to_damage import begin, measured, overwrite

from bertmt.registry.database import sqlite3
from bertmt.registry.edits import store_pause
from bertmt.registry.file.backups import keep_backup, kept_backups
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import reader_of
from bertmt.registry.runs import all_runs, removed_runs, setting, transitions
from bertmt.registry.states import LEGAL_TRANSITIONS, Actor, State
from bertmt.run_folder.events import Finished, Stopped, now
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import control, removal
from bertmt.services.lifecycle.control import release
from bertmt.services.lifecycle.hold import release_queue
from bertmt.services.upkeep.repair import repair

PAGE = 4096


def rows(registry: Path) -> list[Any]:
    """What a list of runs shows, and what people typed."""
    with open_registry(registry) as database:
        found = [*all_runs(database), *removed_runs(database)]
        return sorted(
            (
                run.id,
                run.name,
                run.state,
                run.seed,
                run.annotations.note,
                run.annotations.tags,
                run.queueing.awaits,
                run.score("sst"),
            )
            for run in found
        )


def is_whole(registry: Path) -> Any:
    with open_registry(registry) as database:
        bad = database.execute("PRAGMA foreign_key_check").fetchall()
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and not bad


def root_page(registry: Path, name: str) -> Any:
    with open_registry(registry) as database:
        return database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]


def names(folder: Path) -> list[Any]:
    return sorted(path.name for path in folder.iterdir())


def damage_an_index(registry: Path) -> None:
    """Damage that SQLite finds, and that hides nothing."""
    with open_registry(registry) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    overwrite(registry, (root_page(registry, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))


def damage_all(registry: Path) -> None:
    registry.write_bytes(os.urandom(3 * PAGE))


DAMAGES = {"an index": damage_an_index, "everything": damage_all, "missing": lambda registry: registry.unlink(),
           "empty": lambda registry: registry.write_bytes(b"")}  # fmt: skip


@pytest.fixture(params=list(DAMAGES.values()), ids=list(DAMAGES))
def damage(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def builder(backed_up: Path) -> Iterator[RegistryBuilder]:
    """For what happens since the backup."""
    made = RegistryBuilder(backed_up)
    release_queue(made.database)
    yield made
    made.database.close()


def state_of(registry: Path, name: str) -> State:
    with open_registry(registry) as database:
        return all_runs(database, "runs.name = ?", (name,))[0].state


def finish(folder: Any, events: Any) -> None:
    evaluate(folder, events, ["sst", "para", "sts"], EPOCHS, 0.5)
    done = {"training": 1.0}
    events.write(Finished(at=now(), epoch=EPOCHS, step=STEPS, selected_epoch=EPOCHS, seconds=done, peak_memory_mib=1))
    events.close()


def test_a_whole_registry_is_left_alone(backed_up: Path) -> None:
    before = backed_up.read_bytes(), names(backed_up.parent)
    assert repair(backed_up).problems == ()
    assert (backed_up.read_bytes(), names(backed_up.parent)) == before


def test_what_the_backup_knew_is_there_whatever_the_damage(backed_up: Path, original: Path, damage: Any) -> None:
    expected, values = rows(original / "runs.db"), measured(original / "runs.db")
    damage(backed_up)
    done = repair(backed_up)
    assert done.problems and done.refused == () and done.backup == kept_backups(backed_up)[0] and is_whole(backed_up)
    assert rows(backed_up) == expected and measured(backed_up) == values
    with open_registry(backed_up) as database:
        assert setting(database, "queue_held") == "since then"


def test_what_run_folders_tell_since_the_backup_is_there(
    builder: RegistryBuilder, backed_up: Path, damage: Any
) -> None:
    finished = builder.finished("since")
    values = measured(backed_up)
    builder.database.close()
    damage(backed_up)
    done = repair(backed_up)
    assert [run.source for run in done.runs if run.id == finished.id] == ["folder"]
    assert measured(backed_up) == values and is_whole(backed_up)


def test_a_run_that_was_at_work_at_the_backup_has_all_its_points_and_its_end(
    builder: RegistryBuilder, backed_up: Path, damage: Any
) -> None:
    run = builder.add("at work")
    folder, events = begin(builder, run)
    keep_backup(builder.database)
    finish(folder, events)
    builder.database.close()
    damage(backed_up)
    done = repair(backed_up)
    [saved] = [each for each in done.runs if each.id == run.id]
    assert (saved.state, saved.source) == ("finished", "backup and folder")
    with open_registry(backed_up) as database:
        [again] = all_runs(database, "runs.id = ?", (run.id,))
        points = (
            "SELECT step, value FROM metrics JOIN series ON series.key = series WHERE run = ? AND name = 'loss/sst'"
        )
        assert database.execute(points, (again.key,)).fetchall() == [(0, 1.0), (1, 0.5)]


@pytest.mark.parametrize("before", [State.QUEUED, State.HELD, State.PAUSED, State.CANCELLED, State.FAILED, State.LOST])
def test_attempts_since_the_backup_are_added_to_a_run_in_any_state(
    builder: RegistryBuilder, backed_up: Path, before: State
) -> None:
    run = builder.add("went on")
    builder.database.execute("UPDATE runs SET state = ? WHERE key = ?", (before, run.key))
    keep_backup(builder.database)
    builder.database.execute("UPDATE runs SET state = 'queued' WHERE key = ?", (run.key,))
    finish(*begin(builder, run))
    builder.database.close()
    damage_all(backed_up)
    repair(backed_up)
    assert state_of(backed_up, "went on") is State.FINISHED
    with open_registry(backed_up) as database:
        for each in transitions(database, all_runs(database, "runs.name = 'went on'")[0].key):
            if each.state_before and each.state_before != each.state_after:
                assert Actor(each.actor) in LEGAL_TRANSITIONS[State(each.state_before), State(each.state_after)]


def test_what_began_since_the_backup_and_did_not_end_is_held_and_can_go_on(
    builder: RegistryBuilder, backed_up: Path, damage: Any
) -> None:
    known = builder.add("known")
    keep_backup(builder.database)
    new = builder.add("new")
    for run in (known, new):
        begin(builder, run)[1].close()
    builder.database.close()
    damage(backed_up)
    done = repair(backed_up)
    assert {known.id, new.id} <= set(done.held)
    assert state_of(backed_up, "known") is state_of(backed_up, "new") is State.HELD
    with open_registry(backed_up) as database:
        for run in all_runs(database, "runs.name IN ('known', 'new')"):
            assert run.progress.step == 1 and release(database, run).state is State.QUEUED


def test_what_was_stopped_with_its_worker_since_the_backup_is_held(builder: RegistryBuilder, backed_up: Path) -> None:
    run = builder.add("stopped")
    _, events = begin(builder, run)
    events.write(Stopped(at=now(), signal="SIGTERM", step=2))
    events.close()
    builder.database.close()
    damage_all(backed_up)
    assert repair(backed_up).held == (run.id,) and state_of(backed_up, "stopped") is State.HELD


def test_what_waited_goes_on_waiting_only_where_the_damaged_file_agrees(
    builder: RegistryBuilder, backed_up: Path
) -> None:
    waiting, cancelled = builder.add("waiting"), builder.add("cancelled since")
    keep_backup(builder.database)
    control.cancel(builder.database, cancelled)
    builder.database.close()
    damage_an_index(backed_up)
    assert repair(backed_up).held == (cancelled.id,)
    assert state_of(backed_up, "waiting") is State.QUEUED and state_of(backed_up, "cancelled since") is State.HELD
    damage_all(backed_up)
    assert waiting.id in repair(backed_up).held, "nobody can tell any more"


def test_what_was_queued_since_and_never_began_is_held_with_its_recipe_and_note(
    builder: RegistryBuilder, backed_up: Path
) -> None:
    run = builder.add("queued since", seed=7)
    store_pause(builder.database, run.key, 2)
    control.annotate(builder.database, run, "why I try it")
    builder.database.close()
    damage_an_index(backed_up)
    done = repair(backed_up)
    assert done.held == (run.id,) and [each.source for each in done.runs if each.id == run.id] == ["damaged file"]
    with open_registry(backed_up) as database:
        [again] = all_runs(database, "runs.id = ?", (run.id,))
    same = ("name", "recipe_json", "digest", "seed", "fingerprints_json", "encoder_fingerprints_json")
    assert {each: reader_of(each)(again) for each in same} == {each: reader_of(each)(run) for each in same}
    assert again.annotations.note == "why I try it" and again.queueing.pause_after == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [("recipe", "[]"), ("recipe", '{"losses": ["x.py:f"]}'), ("name", "a\nb"), ("id", "../../x"), ("note", b"x")],
)
def test_a_row_that_no_bertmt_writes_is_not_stored(
    builder: RegistryBuilder, backed_up: Path, column: str, value: str | bytes
) -> None:
    run = builder.add("queued since")
    builder.database.execute(f"UPDATE runs SET {column} = ? WHERE key = ?", (value, run.key))
    builder.database.close()
    damage_an_index(backed_up)
    done = repair(backed_up)
    assert done.held == () and not any(each.name == "queued since" for each in done.runs)
    assert list(done.lost.runs) == ([] if column == "id" else [run.id]) and done.lost.is_all is (column != "id")


def test_every_loss_is_named(builder: RegistryBuilder, backed_up: Path) -> None:
    database = builder.database
    by_name = {run.name: run for run in all_runs(database)}
    control.annotate(database, by_name["run 3"], "another note")
    control.tag(database, by_name["run 4"], "later")
    removal.delete(database, by_name["run 5"])
    gone = builder.finished("folder deleted")
    shutil.rmtree(folder_of(database, gone).path)
    cancelled = builder.add("cancelled")
    control.cancel(database, cancelled)
    noted = builder.finished("noted since")
    control.annotate(database, noted, "a note that no folder has")
    own, other = (builder.add("own", losses=(f"mine.py:f #{digest}",)) for digest in ("0" * 16, "1" * 16))
    database.execute("INSERT INTO sources (digest, file, source) VALUES (?, 'mine.py', '')", ("0" * 16,))
    database.close()
    damage_an_index(backed_up)
    lost = repair(backed_up).lost
    assert lost.runs == {gone.id: "folder deleted, finished", cancelled.id: "cancelled, cancelled"} and lost.is_all
    assert lost.changes == {
        "note": [f"{by_name['run 3'].id} run 3", f"{noted.id} noted since"],
        "tags": [f"{by_name['run 4'].id} run 4"],
        "removal": [f"{by_name['run 5'].id} run 5"],
        "source of its own losses and heads": [f"{own.id} own"],
        "place in the queue": [f"{own.id} own", f"{other.id} own"],
    }


def test_where_the_damaged_file_tells_nothing_it_says_that_more_may_be_lost(backed_up: Path, damage: Any) -> None:
    damage(backed_up)
    assert repair(backed_up).lost.is_all is (damage is damage_an_index)


def test_the_newest_good_backup_is_taken_and_those_passed_over_are_told(
    builder: RegistryBuilder, backed_up: Path
) -> None:
    control.annotate(builder.database, all_runs(builder.database)[0], "in the second")
    second = keep_backup(builder.database)
    control.annotate(builder.database, all_runs(builder.database)[0], "in the third")
    third = keep_backup(builder.database)
    builder.database.close()
    overwrite(third, (root_page(backed_up, "metrics") - 1) * PAGE, bytes(PAGE))
    damage_all(backed_up)
    done = repair(backed_up)
    assert present(done.backup).path == second and [path for path, _ in done.passed_over] == [third]
    with open_registry(backed_up) as database:
        assert all_runs(database)[0].annotations.note == "in the second"


@pytest.mark.parametrize("seed", range(12))
def test_bytes_flipped_anywhere_leave_all_that_was_measured(backed_up: Path, original: Path, seed: int) -> None:
    values = measured(original / "runs.db")
    chance = random.Random(seed)
    content = bytearray(backed_up.read_bytes())
    for _ in range(40):
        content[chance.randrange(PAGE, len(content))] ^= 1 << chance.randrange(8)
    backed_up.write_bytes(content)
    done = repair(backed_up)
    if done.problems:
        assert measured(backed_up) == values and is_whole(backed_up)
        assert present(done.kept).read_bytes() == bytes(content)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_registry_that_was_cut_off_is_repaired(backed_up: Path, original: Path, share: float) -> None:
    expected = rows(original / "runs.db")
    os.truncate(backed_up, int(backed_up.stat().st_size * share))
    assert repair(backed_up).problems
    assert rows(backed_up) == expected and is_whole(backed_up)


@pytest.mark.parametrize(
    ("column", "value"), [("wants", b"x"), ("priority", "high"), ("submitted_at", "then"), ("recipe", "[]")]
)
def test_values_that_no_bertmt_writes_are_damage(
    backed_up: Path, original: Path, column: str, value: bytes | str
) -> None:
    expected = rows(original / "runs.db")
    with sqlite3.connect(backed_up) as connection:
        connection.execute(f"UPDATE runs SET {column} = ? WHERE name = 'run 3'", (value,))
    connection.close()
    assert repair(backed_up).problems
    assert rows(backed_up) == expected and repair(backed_up).problems == (), "what it made is sound"


def test_without_a_backup_all_folders_come_in_and_the_rest_is_named(
    registry: Path, original: Path, damage: Any
) -> None:
    values = measured(original / "runs.db")
    damage(registry)
    done = repair(registry)
    assert done.backup is None and measured(registry) == values and is_whole(registry)
    assert [run.name for run in done.runs][:10] == [f"run {number}" for number in range(10)], "as they began"
    if damage is damage_an_index:
        assert [run.source for run in done.runs if run.name == "held"] == ["damaged file"]
        assert set(done.lost.changes) == {"note", "tags", "removal", "conditions of its start"}


def test_a_registry_without_run_folders_comes_back_from_its_backup_alone(backed_up: Path, original: Path) -> None:
    expected = rows(original / "runs.db")
    shutil.rmtree(backed_up.parent / "runs")
    backed_up.unlink()
    assert {run.source for run in repair(backed_up).runs} == {"backup"}
    assert rows(backed_up) == expected


def test_what_is_only_in_the_log_is_named(backed_up: Path) -> None:
    writer = open_registry(backed_up)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    [run] = all_runs(writer, "runs.name = 'run 3'")
    control.annotate(writer, run, "in the log")
    copy = backed_up.parent / "crashed"
    copy.mkdir()
    for path in backed_up.parent.glob("runs.db*"):
        shutil.copy(path, copy)
    writer.close()
    for folder in ("runs", "backups"):
        shutil.copytree(backed_up.parent / folder, copy / folder)
    overwrite(copy / "runs.db", (root_page(backed_up, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))
    done = repair(copy / "runs.db")
    assert done.problems and present(done.kept).with_name(present(done.kept).name + "-wal").exists()
    assert done.lost.changes == {"note": [f"{run.id} run 3"]}


def test_a_backup_of_an_older_schema_is_brought_up_to_date_and_left_as_it_is(backed_up: Path, original: Path) -> None:
    [kept] = kept_backups(backed_up)
    with sqlite3.connect(kept.path) as connection:
        connection.execute("ALTER TABLE runs DROP COLUMN encoder_fingerprints")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_which_encoder'")
        connection.execute("PRAGMA user_version = 4")
    connection.close()
    before = kept.path.read_bytes(), names(kept.path.parent)
    damage_all(backed_up)
    assert repair(backed_up).backup == kept
    assert rows(backed_up) == rows(original / "runs.db")
    assert (kept.path.read_bytes(), names(kept.path.parent)) == before
