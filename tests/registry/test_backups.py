"""Backups that are made by themselves: checked before they count, three of them, none where nothing was changed."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import BertmtError, DamagedRegistryError
from bertmt.registry import workers
from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file import backups
from bertmt.registry.file.backups import keep_backup, kept_backups, leftovers
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, store_setting
from bertmt.services.upkeep import garbage
from bertmt.worker.backing_up import EVERY_SECONDS, make_backups

ARCHIVES = sorted((Path(__file__).parents[1] / "fixtures" / "upgrades").glob("*.tar.xz"))


def names(database: Database) -> list[Any]:
    return [each.path.name for each in kept_backups(database.path)]


def runs_of(path: Any) -> list[Any]:
    with sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM runs ORDER BY key")]


def damage(path: Path) -> None:
    """A page of an index is rubbish, which only a look at all pages finds."""
    with open_registry(path) as intact:
        root = intact.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_name'").fetchone()[0]
        intact.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(os.urandom(4096))


def test_a_backup_holds_what_the_registry_holds_and_is_private(database: Database, add_run: AddRun) -> None:
    add_run("first")
    path = keep_backup(database)
    assert present(path).parent == database.path.parent / "backups" and runs_of(path) == ["first"]
    assert (
        stat.S_IMODE(present(path).stat().st_mode) == 0o600
        and stat.S_IMODE(present(path).parent.stat().st_mode) == 0o700
    )


def test_three_are_kept_the_newest_whatever_the_clock_says(
    database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(["20300101T000000Z", "20200101T000000Z", "20250101T000000Z", "20190101T000000Z"])
    monkeypatch.setattr(backups, "time_stamp", lambda: next(stamps))
    for name in ("a", "b", "c", "d"):
        add_run(name)
        keep_backup(database)
    assert [runs_of(each.path)[-1] for each in kept_backups(database.path)] == ["b", "c", "d"]


def test_none_is_made_where_nothing_was_changed_and_a_worker_that_lives_is_no_change(
    database: Database, add_run: AddRun
) -> None:
    add_run()
    assert keep_backup(database) is not None
    key = workers.register(database, ["cpu"])
    workers.beat(database, key)
    assert keep_backup(database) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda database, run: store_setting(database, "baseline", run.id),
        lambda database, run: database.execute("UPDATE runs SET note = 'x' WHERE key = ?", (run.key,)),
        lambda database, run: database.execute("INSERT INTO tags VALUES (?, 'x')", (run.key,)),
        lambda database, run: database.execute("UPDATE summaries SET step = 1 WHERE run = ?", (run.key,)),
        lambda database, run: database.execute("DELETE FROM runs WHERE key = ?", (run.key,)),
    ],
    ids=["setting", "note", "tag", "step", "deletion"],
)
def test_any_change_is_backed_up(
    database: Database, add_run: AddRun, change: Callable[..., None] | Callable[..., Any]
) -> None:
    run = add_run()
    keep_backup(database)
    database.execute("PRAGMA foreign_keys = OFF")
    change(database, run)
    assert keep_backup(database) is not None


def test_a_damaged_registry_gets_no_backup_and_the_good_ones_stay(database: Database, add_run: AddRun) -> None:
    for name in ("a", "b", "c"):
        add_run(name)
        keep_backup(database)
    before = {each.path: each.path.read_bytes() for each in kept_backups(database.path)}
    add_run("d")
    database.close()
    damage(database.path)
    with open_registry(database.path) as damaged, pytest.raises(DamagedRegistryError, match="bertmt repair"):
        keep_backup(damaged)
    assert {path: path.read_bytes() for path in (database.path.parent / "backups").iterdir()} == before


def test_the_new_one_is_checked_before_an_older_one_goes(
    database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        add_run(name)
        keep_backup(database)
    add_run("d")
    before, real, looked = names(database), backups._found_by, []

    def look(check: Any, path: Any) -> str:
        looked.append((check, names(database)))
        return real(check, path)

    monkeypatch.setattr(backups, "_found_by", look)
    keep_backup(database)
    assert looked == [("quick_check", before)] and names(database)[:2] == before[1:]


def test_one_process_at_a_time_makes_one(database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run()
    real, looked = backups._keep, []

    def look(opened: Any, folder: Any, least_seconds: Any) -> None:
        handle = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        looked.append(real(opened, folder, least_seconds))

    monkeypatch.setattr(backups, "_keep", look)
    keep_backup(database)
    assert [each.path for each in kept_backups(database.path)] == looked


def test_a_full_disk_costs_the_backup_and_says_so(
    database: Database, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run()
    keep_backup(database)
    add_run()
    before = names(database)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10))
    with pytest.raises(BertmtError, match="twice its size"):
        keep_backup(database)
    monkeypatch.undo()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "backups")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BertmtError, match="No space left"):
        keep_backup(database)
    assert names(database) == before and leftovers(database.path) == []


def test_a_registry_that_may_not_be_written_gets_none(database: Database, add_run: AddRun) -> None:
    add_run()
    with open_registry(database.path, read_only=True) as reader:
        assert keep_backup(reader) is None
    assert not (database.path.parent / "backups").exists()


def test_registries_of_one_folder_and_files_of_others_are_kept_apart(database: Database, add_run: AddRun) -> None:
    add_run("mine")
    keep_backup(database)
    folder = database.path.parent / "backups"
    theirs = [folder / name for name in ("thesis.tex", ".thesis.tex.0123456789ab", "runs-1.db", "runs-old-1-x.db")]
    for path in theirs:
        path.write_text("mine")
    with open_registry(database.path.with_name("runs-2.db"), create=True) as other:
        for number in range(5):
            store_setting(other, "x", str(number))
            keep_backup(other)
        assert len(kept_backups(other.path)) == 3
    assert len(kept_backups(database.path)) == 1 and all(path.exists() for path in theirs)


def test_a_worker_makes_one_at_its_start_and_then_hourly_while_something_changes(
    database: Database, add_run: AddRun
) -> None:
    add_run("a")
    waited = []

    def hour(seconds: Any) -> bool:
        """What happens in each hour; backups age by it."""
        waited.append(names(database)[-1])
        for each in kept_backups(database.path):
            os.utime(each.path, (each.path.stat().st_mtime - seconds,) * 2)
        if len(waited) in (2, 4):
            add_run(f"in hour {len(waited)}")
        return len(waited) == 5

    make_backups(database.path, pytest.fail, hour)
    numbers = [int(name.split("-")[1]) for name in waited]
    assert numbers == [1, 1, 2, 2, 3] and EVERY_SECONDS == 3600


def test_a_second_worker_of_the_same_hour_makes_none_but_at_its_start(database: Database, add_run: AddRun) -> None:
    add_run("a")

    def hour(seconds: Any) -> bool:
        add_run("b")
        keep_backup(database)  # the other worker's, just now
        add_run("c")
        return len(kept_backups(database.path)) == 3

    make_backups(database.path, pytest.fail, hour)
    assert [runs_of(each.path)[-1] for each in kept_backups(database.path)] == ["a", "b", "b"]


def test_what_hinders_a_worker_s_backups_is_said_once_and_stops_nothing(database: Database, add_run: AddRun) -> None:
    add_run()
    (database.path.parent / "backups").write_text("somebody's file")
    said: list[str] = []
    hours = iter([False, False, True])
    make_backups(database.path, said.append, lambda seconds: next(hours))
    assert len(said) == 1 and "No backup of the registry was made" in said[0]


@pytest.fixture(params=ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))
def older(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Any]:
    """A registry of an older version, and the schema that it has."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    path = tmp_path / "older" / "runs.db"
    with sqlite3.connect(path) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:  # an archive of this very schema: as the one before would have left it
            version -= 1
            connection.execute("ALTER TABLE runs DROP COLUMN encoder_fingerprints")
            connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_which_encoder'")
            connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return path, version


def test_an_older_registry_is_backed_up_before_it_is_brought_up_to_date(older: Any) -> None:
    path, version = older
    expected = runs_of(path)
    with open_registry(path) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION and database.notice == ""
    [kept] = kept_backups(path)
    assert runs_of(kept.path) == expected
    with sqlite3.connect(f"{kept.path.as_uri()}?immutable=1", uri=True) as copy:
        assert copy.execute("PRAGMA user_version").fetchone()[0] == version


def test_an_older_registry_is_brought_up_to_date_without_a_backup_where_none_can_be_made(older: Any) -> None:
    (older[0].parent / "backups").write_text("somebody's file")
    with open_registry(older[0]) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert "No backup" in database.notice


def test_a_damaged_older_registry_stays_as_it_is(older: Any) -> None:
    path, _ = older
    with sqlite3.connect(path) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_name'").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(os.urandom(4096))
    before = path.read_bytes()
    with pytest.raises(DamagedRegistryError, match="bertmt repair"):
        open_registry(path)
    assert path.read_bytes() == before


def test_gc_makes_a_backup_before_it_deletes(database: Database, add_run: AddRun) -> None:
    run = add_run("deleted for good")
    database.execute("UPDATE runs SET removed_at = '2026-01-01', state = 'cancelled' WHERE key = ?", (run.key,))
    garbage.free(database, garbage.find_garbage(database))
    assert database.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    [kept] = kept_backups(database.path)
    assert runs_of(kept.path) == ["deleted for good"]


def test_gc_frees_a_full_disk_without_a_backup_and_says_so_but_nothing_of_a_damaged_registry(
    database: Database, add_run: AddRun
) -> None:
    for name in ("a", "b"):
        run = add_run(name)
        database.execute("UPDATE runs SET removed_at = '2026-01-01', state = 'cancelled' WHERE key = ?", (run.key,))
    folder = database.path.parent / "backups"
    folder.write_text("somebody's file")
    first, second = garbage.find_garbage(database)
    assert "No backup" in garbage.free(database, [first]).remark
    assert database.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    folder.unlink()
    damage(database.path)
    with open_registry(database.path) as damaged, pytest.raises(DamagedRegistryError):
        garbage.free(damaged, [second])


KILLED = """
import sys
from pathlib import Path
from bertmt.registry.file import backups
from bertmt.registry.file.opening import open_registry
place, path = sys.argv[1:]
def stop_here(*_):
    print("half", flush=True)
    sys.stdin.read()
if place == "copying":
    backups._copy = lambda database, beside: (beside.write_bytes(database.path.read_bytes()[:5000]), stop_here())
elif place == "checking":
    backups._found_by = stop_here
else:
    real = Path.unlink
    Path.unlink = lambda path, **options: real(path, **options) if path.name.startswith(".") else stop_here()
backups.keep_backup(open_registry(Path(path)))
"""


@pytest.mark.parametrize("place", ["copying", "checking", "rotating"])
def test_a_kill_in_the_middle_leaves_no_torn_backup_and_costs_no_good_one(
    database: Database, add_run: AddRun, place: str
) -> None:
    for name in ("a", "b", "c", "d"):
        keep_backup(database)
        add_run(name)
    before = names(database)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, place, str(database.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert present(process.stdout).readline() == "half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    present(process.stdin).close()
    present(process.stdout).close()
    assert set(before) <= set(names(database))
    for each in kept_backups(database.path):
        assert backups._found_by("integrity_check", each.path) == ""
    assert (leftovers(database.path) != []) is (place != "rotating")
    add_run("e")
    keep_backup(database)
    assert len(names(database)) == 3 and leftovers(database.path) == []
    assert all_runs(database)[-1].name == "e"
