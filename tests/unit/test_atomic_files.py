"""Files appear whole or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt import atomic_files


def names(folder: Path) -> list[Any]:
    return sorted(path.name for path in folder.iterdir())


@given(st.binary(max_size=1000))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("atomic") / "file"
    atomic_files.write_bytes(path, content)
    assert path.read_bytes() == content


def test_text_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    atomic_files.write_text(tmp_path / "file", "ρ = 0.86\n")
    assert (tmp_path / "file").read_bytes() == "ρ = 0.86\n".encode()


def test_an_existing_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    atomic_files.write_text(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("new", ["file"])


def test_a_reader_that_has_the_old_file_open_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as reader:
        atomic_files.write_text(path, "new")
        assert reader.read() == "old"


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_a_failing_disk_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output error"):
        atomic_files.write_text(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("old", ["file"])


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_files.write_text(tmp_path / "none" / "file", "new")


@pytest.mark.parametrize(
    ("umask", "mode", "expected"), [(0o000, {}, 0o600), (0o022, {}, 0o600), (0o027, {"mode": 0o666}, 0o640)]
)
def test_a_file_is_private_unless_it_is_meant_for_others(
    tmp_path: Path, umask: int, mode: dict[str, int], expected: int
) -> None:
    previous = os.umask(umask)
    try:
        atomic_files.write_text(tmp_path / "file", "new", **mode)
    finally:
        os.umask(previous)
    assert (tmp_path / "file").stat().st_mode & 0o777 == expected


def test_every_folder_that_is_made_is_private_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    previous = os.umask(0)
    try:
        for _ in range(2):
            atomic_files.make_folder(tmp_path / "there" / "new" / "inner")
    finally:
        os.umask(previous)
    modes = [path.stat().st_mode & 0o777 for path in sorted((tmp_path / "there").rglob("*"))]
    assert modes == [0o700, 0o700]
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o755


def test_the_content_is_on_disk_before_its_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    really_sync, really_replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("sync"), really_sync(handle)))
    monkeypatch.setattr(Path, "replace", lambda *paths: (steps.append("rename"), really_replace(*paths)))
    atomic_files.write_text(tmp_path / "file", "new")
    assert steps == ["sync", "rename", "sync"]


def test_a_process_killed_between_write_and_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    program = f"""
import os, signal
from pathlib import Path
from bertmt import atomic_files
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
atomic_files.write_text(Path({str(path)!r}), "new")
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode < 0
    assert path.read_text() == "old"


def test_a_file_left_by_a_killed_process_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".file.000000000000").write_text("left behind")
    atomic_files.write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
