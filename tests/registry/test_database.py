"""Opening the registry: who may create it, who is refused, and that many may start at once."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.errors import NotFoundError, RegistryError
from bertmt.registry.database import SAFE_SQLITE, SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file.file_systems import file_system_type, refuse_network_file_system
from bertmt.registry.file.opening import open_registry
from bertmt.registry.migrations import m005_which_encoder, m006_transitions, migrations
from bertmt.registry.records import Transition
from bertmt.registry.runs import all_runs, transitions


def test_reading_a_missing_registry_names_the_next_step_and_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="bertmt queue"):
        open_registry(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []


def test_a_new_registry_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    with open_registry(tmp_path / "runs.db", create=True) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert stat.S_IMODE((tmp_path / "runs.db").stat().st_mode) == 0o600


def test_a_registry_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with open_registry(path, create=True) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(RegistryError, match="newer bertmt"):
        open_registry(path)


def test_somebody_elses_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match="not a bertmt registry"):
        open_registry(path)


def test_a_damaged_registry_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(os.urandom(8192))
    with pytest.raises(RegistryError, match="damaged or not a registry"):
        open_registry(path)


def test_many_processes_may_create_one_registry_at_once(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from bertmt.registry.file.opening import open_registry
open_registry(Path({str(tmp_path / "runs.db")!r}), create=True).execute("SELECT count(*) FROM runs")
"""
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6)]
    assert [process.wait(timeout=60) for process in started] == [0] * 6


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.immediate():
        database.execute("INSERT INTO settings VALUES ('a', 'b')")
        raise ZeroDivisionError
    assert database.execute("SELECT count(*) FROM settings").fetchone() == (0,)


def test_nested_transactions_are_one(database: Database) -> None:
    with database.immediate():
        database.execute("INSERT INTO settings VALUES ('a', 'b')")
        with database.immediate():
            database.execute("INSERT INTO settings VALUES ('c', 'd')")
        assert database.connection.in_transaction
    assert database.execute("SELECT count(*) FROM settings").fetchone() == (2,)


@pytest.mark.skipif(sys.platform != "linux", reason="pysqlite3's wheels are for Linux; doctor warns elsewhere")
def test_the_sqlite_in_use_is_free_of_the_wal_reset_race() -> None:
    assert sqlite3.sqlite_version_info >= SAFE_SQLITE


def test_the_longest_mount_decides_and_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n/dev/b {tmp_path}/local xfs rw 0 0\n")
    (tmp_path / "local").mkdir()
    assert file_system_type(tmp_path / "local", mounts) == "xfs"
    refuse_network_file_system(tmp_path / "local", mounts)
    with pytest.raises(RegistryError, match=r"nfs4.*BERTMT_DB"):
        refuse_network_file_system(tmp_path / "not-yet-there", mounts)


def test_the_advice_names_the_users_own_local_folder_and_none_that_others_could_prepare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net").mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path}/net nfs4 rw 0 0\n")
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    monkeypatch.setenv("XDG_STATE_HOME", "/local disk")
    with pytest.raises(RegistryError, match=r"export BERTMT_DB='/local disk/bertmt/runs.db'$"):
        refuse_network_file_system(tmp_path / "net", mounts)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "net" / "state"))
    with pytest.raises(RegistryError, match=r"a folder of yours there with BERTMT_DB\.$") as refused:
        refuse_network_file_system(tmp_path / "net", mounts)
    assert "/tmp" not in str(refused.value).replace(str(tmp_path), "")


def test_a_mount_point_with_a_space_is_understood(tmp_path: Path) -> None:
    folder = tmp_path / "my runs"
    folder.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path}/my\\040runs cifs rw 0 0\n")
    assert file_system_type(folder, mounts) == "cifs"


def test_a_registry_of_version_4_keeps_its_rows_and_knows_no_encoders(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m005_which_encoder.__name__)
    connection.execute("PRAGMA user_version = 4")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    connection.execute(
        "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state, position,"
        " submitted_at, snapshot) VALUES (5, 'abc234', 'old', '{}', 'd', 0, 'toy', '', '{}', 'finished', 1, 'now', 1)"
    )
    connection.execute("INSERT INTO summaries (run) VALUES (5)")
    connection.close()
    with open_registry(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert [(run.key, run.name, run.submission.encoder_fingerprints) for run in all_runs(database)] == [
            (5, "old", {})
        ]


def test_a_registry_of_version_5_keeps_its_history(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m006_transitions.__name__)
    connection.execute("PRAGMA user_version = 5")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    connection.execute(
        "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state, position,"
        " submitted_at, snapshot) VALUES (5, 'abc234', 'old', '{}', 'd', 0, 'toy', '', '{}', 'held', 1, 'now', 1)"
    )
    row = ("then", 0, "queued", "held", "person", "for later")
    connection.execute(
        "INSERT INTO moves (run, at, attempt, state_before, state_after, owner, reason) VALUES (5, ?, ?, ?, ?, ?, ?)",
        row,
    )
    connection.close()
    with open_registry(path) as database:
        assert transitions(database, 5) == [Transition(*row)]
        indices = SqliteUtilsDatabase(database.connection).table("transitions").indexes
        assert [(each.name, each.columns) for each in indices] == [("transitions_by_run", ["run"])]
