"""Checkpoints under --checkpoint-dir: each run folder has its own, and those of older versions are read."""

import shutil
from pathlib import Path

import pytest

from bertmt.run_folder.checkpoints import Checkpoint, Checkpoints
from bertmt.run_folder.layout import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "registry" / "runs" / "abcdef")
    made.path.mkdir(parents=True)
    return made


def write(checkpoints: Checkpoints, text: str) -> Checkpoint:
    return checkpoints.write({"state": lambda path: path.write_text(text)}, 1)


def newest(folder: RunFolder, scratch: Path) -> Checkpoint | str | None:
    found = folder.checkpoints(str(scratch)).newest_intact(lambda path, why: pytest.fail(why))
    return found and found.read("state").decode()


def test_a_moved_run_folder_keeps_its_checkpoints_and_a_copy_has_none(folder: RunFolder, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    write(folder.checkpoints(str(scratch)), "original")
    shutil.copytree(folder.path, tmp_path / "copy" / "abcdef")
    copy = RunFolder(tmp_path / "copy" / "abcdef")
    assert newest(copy, scratch) is None
    assert copy.checkpoints(str(scratch)).of_others() == [folder.checkpoints(str(scratch)).folder]
    write(copy.checkpoints(str(scratch)), "copy")
    copy.checkpoints(str(scratch)).delete()
    (tmp_path / "registry").rename(tmp_path / "moved")
    assert newest(RunFolder(tmp_path / "moved" / "runs" / "abcdef"), scratch) == "original"


@pytest.fixture
def older(folder: RunFolder, tmp_path: Path) -> Path:
    """What a version that named the folder after the run alone left."""
    place = tmp_path / "scratch" / "abcdef"
    write(type(folder.checkpoints())(place, is_elsewhere=True), "older")
    return place


def test_what_an_older_version_wrote_is_read_until_the_first_new_one_and_stays(folder: RunFolder, older: Path) -> None:
    assert newest(folder, older.parent) == "older"
    assert folder.checkpoints(str(older.parent)).holds_nothing_else()
    write(folder.checkpoints(str(older.parent)), "new")
    assert newest(folder, older.parent) == "new"
    folder.checkpoints(str(older.parent)).delete()
    assert [path.name for path in older.iterdir()] == ["000001"]


def test_a_run_that_begins_anew_reads_no_older_ones(folder: RunFolder, older: Path) -> None:
    folder.checkpoints(str(older.parent)).begin_anew()
    assert newest(folder, older.parent) is None and older.is_dir()


def test_a_damaged_older_one_is_passed_over_and_left(folder: RunFolder, older: Path) -> None:
    (older / "000001" / "state").write_text("other")
    said = []
    assert folder.checkpoints(str(older.parent)).newest_intact(lambda path, why: said.append(why)) is None
    assert said and (older / "000001").is_dir()
