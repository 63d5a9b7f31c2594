"""Repairing a registry disturbs nobody and is disturbed by nobody; what is not ours to repair is refused."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from present import present
from registry_builder import RegistryBuilder
from registry_to_damage import overwrite

from bertmt.errors import BusyError, DamagedRegistryError, NotFoundError, RegistryError
from bertmt.registry.database import SCHEMA_VERSION, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State
from bertmt.run_folder.layout import hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle.hold import release_queue
from bertmt.services.upkeep.repair import repair


def names(folder: Path) -> list[Any]:
    return sorted(path.name for path in folder.iterdir())


HOLDER = """
import sys
from pathlib import Path
from bertmt.registry.file.opening import open_registry
held = open_registry(Path(sys.argv[1]))
held.execute("SELECT count(*) FROM runs").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_registry_that_another_process_has_open_is_refused(registry: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(registry)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert present(process.stdout).readline() == "open\n"
        with pytest.raises(BusyError, match=r"has .* open"):
            repair(registry)
        present(process.stdin).close()
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


def test_nobody_can_open_it_until_the_new_one_is_in_place(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def look(new: Any) -> None:
        command = [sys.executable, "-c", SHARER, str(registry)]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    monkeypatch.setattr("bertmt.services.upkeep.repair._check", look)
    overwrite(registry, 0, bytes(100))
    assert repair(registry).problems
    assert said == ["refused\n"]


def test_a_kill_while_the_new_one_is_put_in_place_leaves_the_old_one_there_and_kept(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwrite(registry, 0, bytes(100))
    before = registry.read_bytes()

    def killed(self: Any, target: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.rename", killed)
    with pytest.raises(KeyboardInterrupt):
        repair(registry)
    [kept] = registry.parent.glob("runs-damaged-*.db")
    assert registry.read_bytes() == kept.read_bytes() == before


def test_an_emptied_registry_is_not_taken_for_a_new_one_where_there_are_run_folders(registry: Path) -> None:
    registry.write_bytes(b"")
    for create in (False, True):
        with pytest.raises(DamagedRegistryError, match="bertmt repair"):
            open_registry(registry, create=create)
    registry.unlink()
    with pytest.raises(NotFoundError, match="bertmt repair"):
        open_registry(registry)
    assert repair(registry).runs


def test_a_registry_with_a_run_at_work_is_refused(registry: Path) -> None:
    with open_registry(registry) as database:
        folder = folder_of(database, all_runs(database)[0])
    with hold_alive(folder), pytest.raises(BusyError, match="is being worked"):
        repair(registry)


def test_another_programs_file_and_a_newer_version_are_refused(registry: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "theirs.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(RegistryError, match="not a bertmt registry"):
        repair(tmp_path / "theirs.db")
    with open_registry(registry) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = registry.read_bytes()
    with pytest.raises(RegistryError, match="newer bertmt"):
        repair(registry)
    assert registry.read_bytes() == before


@pytest.mark.parametrize("version", [0, 14024707, 2**31 - 1])
def test_a_version_that_no_bertmt_has_is_damage(registry: Path, version: int) -> None:
    overwrite(registry, 60, version.to_bytes(4, "big"))
    assert repair(registry).problems == ("it does not say which version it is of",)


def test_where_there_is_nothing_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        repair(tmp_path / "runs.db")
    assert names(tmp_path) == []


def test_a_repaired_registry_can_be_worked_on(registry: Path) -> None:
    registry.write_bytes(os.urandom(20_000))
    repair(registry)
    builder = RegistryBuilder(registry)
    release_queue(builder.database)
    assert builder.finished("new").state is State.FINISHED
    builder.database.close()
