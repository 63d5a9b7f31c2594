"""Copies of the registry: of one moment, checked, private, whole or not there."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from call_types import AddRun
from present import present

from bertmt import paths
from bertmt.errors import BertmtError, RegistryError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.services.upkeep.backup import back_up


def test_a_copy_holds_what_the_registry_holds_and_is_private(database: Database, add_run: AddRun) -> None:
    run = add_run("first")
    made = back_up(database)
    assert made.path.parent == database.path.parent and made.runs == 1
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with open_registry(made.path) as copy:
        assert [(each.id, each.submission.recipe_json) for each in all_runs(copy)] == [
            (run.id, run.submission.recipe_json)
        ]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_only_in_the_log_of_the_registry_is_copied_too(database: Database, add_run: AddRun) -> None:
    database.execute("PRAGMA wal_autocheckpoint = 0")
    add_run("only in the log")
    assert back_up(database).runs == 1


def test_a_copy_beside_a_busy_writer_is_of_one_moment(database: Database, tmp_path: Path) -> None:
    """The writer keeps two settings equal in each transaction; a copy that mixes moments would find them unequal."""
    done = threading.Event()

    def write() -> None:
        with open_registry(database.path) as own:
            number = 0
            while not done.is_set():
                with own.immediate():
                    number += 1
                    for name in ("a", "b"):
                        own.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, str(number)))
                    own.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (f"x{number}", "y" * 5000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not database.execute("SELECT 1 FROM settings WHERE name = 'x50'").fetchone():
            time.sleep(0.001)
        for number in range(5):
            made = back_up(database, tmp_path / f"copy{number}.db")
            with open_registry(made.path) as copy:
                first, second = copy.execute("SELECT value FROM settings WHERE name IN ('a', 'b')").fetchall()
                assert first == second
    finally:
        done.set()
        writer.join()


def test_what_is_there_is_replaced_only_on_request(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "kept.db"
    target.write_text("precious")
    with pytest.raises(UsageError, match="--force"):
        back_up(database, target)
    assert target.read_text() == "precious"
    back_up(database, target, replace=True)
    with open_registry(target) as copy:
        assert all_runs(copy) == []


def test_neither_the_registry_itself_nor_one_in_use_is_replaced(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the registry itself"):
        back_up(database, database.path, replace=True)
    with open_registry(tmp_path / "other.db", create=True), pytest.raises(UsageError, match="in use"):
        back_up(database, tmp_path / "other.db", replace=True)
    with pytest.raises(UsageError, match="is a folder"):
        back_up(database, tmp_path, replace=True)


def test_a_place_that_cannot_be_written_is_a_sentence(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BertmtError, match="cannot be written"):
        back_up(database, tmp_path / "missing" / "copy.db")


def test_a_damaged_registry_is_not_copied(tmp_path: Path, add_run: AddRun, database: Database) -> None:
    for _ in range(200):
        add_run()
    database.close()
    content = bytearray(database.path.read_bytes())
    with open_registry(database.path) as intact:
        root = intact.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_name'").fetchone()[0]
    content[(root - 1) * 4096 + 3 : (root - 1) * 4096 + 400] = os.urandom(397)
    database.path.write_bytes(content)
    with open_registry(database.path) as damaged, pytest.raises(RegistryError, match="bertmt repair"):
        back_up(damaged, tmp_path / "copy.db")
    assert {each.name for each in tmp_path.iterdir()} == {"runs.db"}


KILLED = """
import sys
from pathlib import Path
from bertmt.registry.file.opening import open_registry
from bertmt.registry.file import backups
from bertmt.services.upkeep import backup
def stop_here(*_):
    print("half", flush=True)
    sys.stdin.read()
backups._found_by = stop_here
backup.back_up(open_registry(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_killed_copy_leaves_no_half_file_under_its_name(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(database.path), str(target)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert present(process.stdout).readline() == "half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    present(process.stdin).close()
    present(process.stdout).close()
    assert not target.exists()
    [leftover] = tmp_path.glob(".copy.db.*")
    assert stat.S_IMODE(leftover.stat().st_mode) == 0o600
    assert back_up(database, target).path == target


def test_the_folder_of_an_import_at_work_is_not_counted(database: Database, add_run: AddRun) -> None:
    for name in ("a1", ".import-1"):
        folder = paths.run_folder(database.path, name)
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    assert back_up(database).folders == 1
