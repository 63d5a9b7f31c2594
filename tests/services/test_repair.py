"""Damaged registries: what can be read of them and of the run folders is in a new one, and nothing is thrown away."""

import os
import random
import shutil
import subprocess
import sys

import pytest
from registry_builder import RegistryBuilder
from registry_to_damage import measured, overwrite

from bertmt.errors import BusyError, DamagedRegistryError, NotFoundError, RegistryError
from bertmt.registry.database import SCHEMA_VERSION, open_registry, sqlite3
from bertmt.registry.runs import all_runs, moves, removed_runs, setting, snapshot_of, store_setting
from bertmt.registry.states import State
from bertmt.run_folder.layout import hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle.hold import release_queue
from bertmt.services.upkeep.repair import repair

PAGE = 4096


def rows(registry, where="1"):
    """What a list of runs shows, and what people typed."""
    with open_registry(registry) as database:
        found = [*all_runs(database, where), *removed_runs(database, where)]
        return sorted((run.id, run.name, run.state, run.seed, run.note, run.tags, run.awaits, run.sst) for run in found)


def is_whole(registry):
    with open_registry(registry) as database:
        bad = database.execute("PRAGMA foreign_key_check").fetchall()
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and not bad


def root_page(registry, name):
    with open_registry(registry) as database:
        return database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_registry_is_left_alone(registry):
    before = registry.read_bytes(), names(registry.parent)
    assert repair(registry).problems == ()
    assert (registry.read_bytes(), names(registry.parent)) == before


@pytest.mark.parametrize("table", ["runs_by_name", "metrics", "predictions", "moves", "summaries", "examples", "tags"])
def test_everything_is_saved_where_one_page_of_something_is_damaged(registry, original, table):
    expected, values = rows(original / "runs.db"), measured(original / "runs.db")
    overwrite(registry, (root_page(registry, table) - 1) * PAGE, os.urandom(PAGE))
    done = repair(registry)
    assert done.problems and done.refused == () and is_whole(registry)
    if table == "tags":
        expected = [(*run[:5], (), *run[6:]) for run in expected]
    assert rows(registry) == expected
    assert measured(registry) == values
    assert {run.source for run in done.runs} == {"registry and folder", "registry"}, "the held one has no folder"


def test_the_page_that_lists_the_runs_costs_what_was_typed_alone(registry, original):
    values = measured(original / "runs.db")
    overwrite(registry, (root_page(registry, "runs") - 1) * PAGE, bytes(PAGE))
    done = repair(registry)
    assert {run.source for run in done.runs} == {"folder"} and len(done.runs) == 12
    assert measured(registry) == values and is_whole(registry)


@pytest.mark.parametrize("count", [100, PAGE], ids=["header", "first page"])
def test_a_first_page_of_zeros_costs_nothing(registry, original, count):
    expected, values = rows(original / "runs.db"), measured(original / "runs.db")
    overwrite(registry, 0, bytes(count))
    assert repair(registry).problems == ("the pages that say what lies where cannot be read",)
    assert (rows(registry), measured(registry)) == (expected, values) and is_whole(registry)


def test_damaged_definitions_of_tables_cost_nothing(registry, original):
    """They fill more than the first page."""
    expected, values = rows(original / "runs.db"), measured(original / "runs.db")
    content = registry.read_bytes()
    for start in range(PAGE, len(content), PAGE):
        if b"CREATE TABLE" in content[start : start + PAGE]:
            overwrite(registry, start, bytes(byte ^ 0x85 for byte in content[start : start + PAGE]))
    assert repair(registry).problems
    assert (rows(registry), measured(registry)) == (expected, values) and is_whole(registry)


@pytest.mark.parametrize("seed", range(12))
def test_bytes_flipped_anywhere_leave_all_that_was_measured(registry, original, seed):
    values = measured(original / "runs.db")
    chance = random.Random(seed)
    content = bytearray(registry.read_bytes())
    for _ in range(40):
        content[chance.randrange(PAGE, len(content))] ^= 1 << chance.randrange(8)
    registry.write_bytes(content)
    done = repair(registry)
    if done.problems:
        assert measured(registry) == values and is_whole(registry)
        assert done.kept.read_bytes() == bytes(content)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_registry_that_was_cut_off_is_saved(registry, original, share):
    values = measured(original / "runs.db")
    os.truncate(registry, int(registry.stat().st_size * share))
    assert repair(registry).problems
    assert measured(registry) == values and is_whole(registry)


@pytest.mark.parametrize("how", ["missing", "empty", "rubbish"])
def test_without_any_registry_all_folders_come_in(registry, original, how):
    values = measured(original / "runs.db")
    registry.unlink()
    if how != "missing":
        registry.write_bytes(os.urandom(3 * PAGE) if how == "rubbish" else b"")
    done = repair(registry)
    assert {run.source for run in done.runs} == {"folder"}
    assert [run.name for run in done.runs][:10] == [f"run {number}" for number in range(10)], "as they began"
    assert measured(registry) == values and is_whole(registry)
    assert (done.kept is None) is (how == "missing")


def test_what_people_typed_and_the_history_come_from_the_registry(registry, original):
    overwrite(registry, (root_page(registry, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))
    with open_registry(original / "runs.db") as before:
        histories = {run.id: moves(before, run.key) for run in all_runs(before)}
    repair(registry)
    with open_registry(registry) as database:
        assert setting(database, "queue_held") == "since then"
        assert [run.name for run in removed_runs(database)] == ["removed"]
        for run in all_runs(database):
            assert moves(database, run.key)[:-1] == histories[run.id]
            assert "repaired" in moves(database, run.key)[-1].reason
            assert snapshot_of(database, run).source["commit"] == "c0ffee"


def test_a_run_whose_folder_is_gone_keeps_what_was_imported(registry, original):
    expected, values = rows(original / "runs.db"), measured(original / "runs.db")
    shutil.rmtree(registry.parent / "runs")
    overwrite(registry, (root_page(registry, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))
    done = repair(registry)
    assert {run.source for run in done.runs} == {"registry"}
    assert (rows(registry), measured(registry)) == (expected, values)
    with open_registry(registry) as database, open_registry(original / "runs.db") as before:
        sql = "SELECT fingerprint, position, id, first, second, label FROM examples JOIN splits ON split = key"
        assert sorted(map(repr, database.execute(sql))) == sorted(map(repr, before.execute(sql)))


def test_what_is_only_in_the_log_is_saved(registry):
    writer = open_registry(registry)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    store_setting(writer, "only", "in the log")
    copy = registry.parent / "crashed"
    copy.mkdir()
    for path in registry.parent.glob("runs.db*"):
        shutil.copy(path, copy)
    writer.close()
    shutil.copytree(registry.parent / "runs", copy / "runs")
    overwrite(copy / "runs.db", (root_page(registry, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))
    done = repair(copy / "runs.db")
    assert done.problems and done.kept.with_name(done.kept.name + "-wal").exists()
    with open_registry(copy / "runs.db") as database:
        assert setting(database, "only") == "in the log"


def test_the_damaged_one_is_kept_and_nothing_else_is_left(registry):
    overwrite(registry, PAGE, os.urandom(PAGE * 3))
    damaged = registry.read_bytes()
    done = repair(registry)
    assert done.kept.read_bytes() == damaged
    assert names(registry.parent) == sorted([done.kept.name, "runs", "runs.db"])
    assert registry.stat().st_mode & 0o077 == 0


def test_a_failure_leaves_the_damaged_one_where_it_was(registry, monkeypatch):
    overwrite(registry, PAGE, os.urandom(PAGE * 3))
    before = registry.read_bytes(), names(registry.parent), names(registry.parent / "runs")

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bertmt.services.upkeep.repair._check", fail)
    with pytest.raises(KeyboardInterrupt):
        repair(registry)
    assert (registry.read_bytes(), names(registry.parent), names(registry.parent / "runs")) == before


HOLDER = """
import sys
from pathlib import Path
from bertmt.registry.database import open_registry
held = open_registry(Path(sys.argv[1]))
held.execute("SELECT count(*) FROM runs").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_registry_that_another_process_has_open_is_refused(registry):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(registry)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "open\n"
        with pytest.raises(BusyError, match=r"has .* open"):
            repair(registry)
        process.stdin.close()
    assert repair(registry).problems == ()


SHARER = """
import fcntl, sys
with open(sys.argv[1], "rb") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 510, 0x40000002)
        print("got it")
    except OSError:
        print("refused")
"""


def test_nobody_can_open_it_until_the_new_one_is_in_place(registry, monkeypatch):
    said = []

    def look(new):
        command = [sys.executable, "-c", SHARER, str(registry)]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    monkeypatch.setattr("bertmt.services.upkeep.repair._check", look)
    overwrite(registry, 0, bytes(100))
    assert repair(registry).problems
    assert said == ["refused\n"]


def test_a_kill_while_the_new_one_is_put_in_place_leaves_the_old_one_there_and_kept(registry, monkeypatch):
    overwrite(registry, 0, bytes(100))
    before = registry.read_bytes()

    def killed(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.rename", killed)
    with pytest.raises(KeyboardInterrupt):
        repair(registry)
    [kept] = registry.parent.glob("runs-damaged-*.db")
    assert registry.read_bytes() == kept.read_bytes() == before


def test_an_emptied_registry_is_not_taken_for_a_new_one_where_there_are_run_folders(registry):
    registry.write_bytes(b"")
    for create in (False, True):
        with pytest.raises(DamagedRegistryError, match="bertmt repair"):
            open_registry(registry, create=create)
    registry.unlink()
    with pytest.raises(NotFoundError, match="bertmt repair"):
        open_registry(registry)
    assert repair(registry).runs


def test_a_registry_with_a_run_at_work_is_refused(registry):
    with open_registry(registry) as database:
        folder = folder_of(database, all_runs(database)[0])
    with hold_alive(folder), pytest.raises(BusyError, match="is being worked"):
        repair(registry)


def test_another_programs_file_and_a_newer_version_are_refused(registry, tmp_path):
    connection = sqlite3.connect(tmp_path / "theirs.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(RegistryError, match="no bertmt registry"):
        repair(tmp_path / "theirs.db")
    with open_registry(registry) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = registry.read_bytes()
    with pytest.raises(RegistryError, match="newer bertmt"):
        repair(registry)
    assert registry.read_bytes() == before


@pytest.mark.parametrize("version", [0, 14024707, 2**31 - 1])
def test_a_version_that_no_bertmt_has_is_damage(registry, original, version):
    expected = rows(original / "runs.db")
    overwrite(registry, 60, version.to_bytes(4, "big"))
    assert repair(registry).problems == ("it does not say which version it is of",)
    assert rows(registry) == expected


def test_where_there_is_nothing_nothing_is_made(tmp_path):
    with pytest.raises(NotFoundError):
        repair(tmp_path / "runs.db")
    assert names(tmp_path) == []


def test_a_repaired_registry_can_be_worked_on(registry):
    overwrite(registry, (root_page(registry, "runs_by_name") - 1) * PAGE, os.urandom(PAGE))
    repair(registry)
    builder = RegistryBuilder(registry)
    release_queue(builder.database)
    assert builder.finished("new").state is State.FINISHED
    builder.database.close()
