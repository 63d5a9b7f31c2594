"""Registries that may be read and not written: what works, what is refused, and that nothing is left beside them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from call_types import AddRun

from bertmt.errors import NotFoundError, RegistryError
from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, setting, store_setting

NOBODY = 65534


@pytest.fixture
def path(database: Database, add_run: AddRun) -> Path:
    """A registry with one run, closed."""
    add_run("first")
    database.close()
    return database.path


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder whose parents everybody may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def as_stranger(look: Callable[..., tuple[bool, list[str], list[str]]]) -> str:
    """What `look()` says in a process that may not write what is not its own; root would be allowed everything."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(send, repr(look()).encode())
        except BaseException as problem:
            os.write(send, repr(problem).encode())
        finally:
            os._exit(0)
    os.close(send)
    os.waitpid(child, 0)
    with os.fdopen(receive, "rb") as file:
        return file.read().decode()


def test_what_can_be_written_is_opened_for_writing(path: Path) -> None:
    with open_registry(path) as database:
        assert not database.read_only
        store_setting(database, "a", "b")


def test_a_read_only_registry_is_read_and_a_write_is_a_sentence(path: Path) -> None:
    with open_registry(path, read_only=True) as database:
        assert database.read_only
        assert [run.name for run in all_runs(database)] == ["first"]
        with pytest.raises(RegistryError, match=r"is read-only, so nothing can be changed: .*--db"):
            store_setting(database, "a", "b")
    with open_registry(path) as database:
        assert setting(database, "a") is None


def test_a_reader_sees_what_a_writer_does_meanwhile(path: Path) -> None:
    with open_registry(path, read_only=True) as reader, open_registry(path) as writer:
        store_setting(writer, "a", "b")
        assert setting(reader, "a") == "b"
        assert not reader.reopen_if_written(), "it was never read without locks"


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o644, 0o555), (0o444, 0o777)], ids=["folder", "file"])
def test_a_stranger_reads_without_leaving_anything(
    path: Path, shared_folder: Path, file_mode: int, folder_mode: int
) -> None:
    copy = shared_folder / "runs.db"
    shutil.copy(path, copy)
    copy.chmod(file_mode)
    shared_folder.chmod(folder_mode)

    def look() -> tuple[bool, list[str], list[str]]:
        with open_registry(copy) as database:
            return (
                database.read_only,
                [run.name for run in all_runs(database)],
                [each.name for each in shared_folder.iterdir()],
            )

    assert as_stranger(look) == "(True, ['first'], ['runs.db'])"


def test_what_is_read_without_locks_is_opened_anew_once_somebody_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("bertmt.registry.file.opening._is_writable", lambda path: False)
        reader = open_registry(path)
    assert not reader.reopen_if_written()
    with open_registry(path) as writer:
        store_setting(writer, "a", "b")
        assert reader.reopen_if_written()
        assert setting(reader, "a") == "b"
        store_setting(writer, "a", "c")
        assert setting(reader, "a") == "c"
    reader.close()


def test_a_missing_registry_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="bertmt queue"):
        open_registry(tmp_path / "runs.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_registry_of_a_newer_version_is_refused(path: Path) -> None:
    with open_registry(path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(RegistryError, match="newer bertmt"):
        open_registry(path, read_only=True)


def test_a_read_only_registry_of_an_older_version_is_refused_and_left_as_it_is(path: Path) -> None:
    with open_registry(path) as database:
        database.execute("PRAGMA user_version = 1")
    with pytest.raises(RegistryError, match=r"has schema 1 and is read-only.*`bertmt runs`"):
        open_registry(path, read_only=True)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_what_is_no_registry_or_damaged_is_a_sentence_to_a_reader_too(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "damaged.db").write_bytes(os.urandom(8192))
    with pytest.raises(RegistryError, match="not a bertmt registry"):
        open_registry(tmp_path / "empty.db", read_only=True)
    with pytest.raises(RegistryError, match="damaged or not a registry"):
        open_registry(tmp_path / "damaged.db", read_only=True)


def test_a_lock_that_does_not_come_free_is_a_sentence(path: Path) -> None:
    with open_registry(path) as holder, open_registry(path, busy_seconds=0) as waiting, holder.immediate():
        assert [run.name for run in all_runs(waiting)] == ["first"], "readers do not wait"
        with pytest.raises(RegistryError, match="another process holds it"):
            store_setting(waiting, "a", "b")


def test_a_path_with_signs_of_an_address_is_found(path: Path, tmp_path: Path) -> None:
    odd = tmp_path / "50% of #1?mode=rw" / "runs.db"
    odd.parent.mkdir()
    shutil.copy(path, odd)
    with open_registry(odd, read_only=True) as database:
        assert [run.name for run in all_runs(database)] == ["first"]
