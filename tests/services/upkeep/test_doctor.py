"""What the doctor finds."""

import os
import time
from pathlib import Path

import pytest
from call_types import AddRun
from present import present

from bertmt.registry.database import Database
from bertmt.registry.file.backups import keep_backup
from bertmt.registry.file.opening import open_registry
from bertmt.services.upkeep import doctor
from bertmt.services.upkeep.doctor import Health, examine


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without defaults, on a machine without fetched weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)


def check(path: Path, name: str) -> doctor.Check:
    return next(each for each in examine(path / "runs.db") if each.name == name)


def test_a_fresh_folder_has_no_problem_and_gets_no_registry(tmp_path: Path) -> None:
    checks = examine(tmp_path / "runs.db")
    assert [each for each in checks if each.state is Health.PROBLEM] == []
    assert {"bertmt", "packages", "SQLite", "CPU", "defaults", "encoder tiny", "data", "registry"} <= {
        each.name for each in checks
    }
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_ok_says_what_to_do(tmp_path: Path) -> None:
    for each in examine(tmp_path / "runs.db"):
        assert each.state is Health.OK or each.advice, each


def test_an_old_sqlite_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SAFE_SQLITE", (99, 0, 0))
    assert check(tmp_path, "SQLite").state is Health.WARNING
    assert "pysqlite3" in check(tmp_path, "SQLite").advice


def test_a_configured_encoder_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    assert check(tmp_path, "encoder bert-base-uncased").state is Health.WARNING
    (tmp_path / "bertmt.toml").write_text('encoder = "bert-base-uncased"\n')
    assert check(tmp_path, "encoder bert-base-uncased").state is Health.PROBLEM


def test_configured_data_are_counted_or_missed(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text('data = "toy"\n')
    assert check(tmp_path, "data sst").found == "train 2,000, dev 1,000 examples in toy"
    (tmp_path / "bertmt.toml").write_text('data = "gone"\n')
    assert check(tmp_path, "data sst").state is Health.PROBLEM


def test_defaults_that_cannot_be_read_are_a_problem_and_the_rest_is_still_examined(tmp_path: Path) -> None:
    (tmp_path / "bertmt.toml").write_text("not toml at all")
    assert check(tmp_path, "defaults").state is Health.PROBLEM
    assert check(tmp_path, "free disk")


def test_a_registry_is_counted_and_checked(tmp_path: Path) -> None:
    open_registry(tmp_path / "runs.db", create=True).close()
    assert check(tmp_path, "registry").found.startswith("0 runs")
    assert check(tmp_path, "integrity").state is Health.OK


def test_a_damaged_registry_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"no database, " * 100)
    assert check(tmp_path, "registry").state is Health.PROBLEM


def test_a_page_that_was_overwritten_is_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with open_registry(path, create=True) as database:
        database.executemany("INSERT INTO settings VALUES (?, ?)", [(f"k{i}", "v" * 200) for i in range(500)])
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    found = [each for each in examine(path) if each.state is Health.PROBLEM]
    assert found, "quick_check or SQLite itself must notice"


def test_waiting_runs_without_a_worker_are_a_warning(tmp_path: Path, database: Database, add_run: AddRun) -> None:
    add_run()
    assert check(tmp_path, "workers").state is Health.WARNING
    assert "`bertmt worker --drain`" in check(tmp_path, "workers").advice


def test_little_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1 << 20}))
    assert check(tmp_path, "free disk").state is Health.PROBLEM


def test_a_check_that_breaks_is_itself_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "read_cpu", lambda: 1 / 0)
    assert check(tmp_path, "devices").found == "ZeroDivisionError: division by zero"


def test_the_backups_there_are_are_told_with_their_age(tmp_path: Path) -> None:
    with open_registry(tmp_path / "runs.db", create=True) as database:
        assert check(tmp_path, "backups").found.startswith("none yet")
        path = keep_backup(database)
    os.utime(present(path), (time.time() - 7200,) * 2)
    assert check(tmp_path, "backups").found == f"1 in {tmp_path / 'backups'}, made 2 h 00 m ago"
