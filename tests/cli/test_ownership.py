"""A registry or a bertmt.toml that is not in the user's hands alone: one line on stderr, once."""

import grp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from present import present

from bertmt.devices.user_names import user_name
from bertmt.services.upkeep import ownership

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NO OTHER USER: only root can be another user")


@pytest.fixture(autouse=True)
def nothing_said_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_ones_own_registry_and_settings_are_not_spoken_of(registry: Path, bertmt: Callable[..., Outcome]) -> None:
    (registry.parent / "bertmt.toml").touch()
    assert bertmt("show", "base").err == ""


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_all_may_write_is_said_once_per_registry(
    registry: Path, folder: Path, bertmt: Callable[..., Outcome], mode: int
) -> None:
    folder.chmod(mode)
    first, second = bertmt("show", "base"), bertmt("show", "base")
    assert first.err.splitlines() == [
        f"Warning: The registry {registry} is not yours alone: all users may write its folder {folder}. Use "
        "one of your own if you do not trust them. Said once; `bertmt doctor` repeats it."
    ]
    assert (first.code, second.code, second.err) == (0, 0, "") and first.out == second.out
    other = folder / "other"
    shutil.copytree(folder, other)
    assert str(other / "runs.db") in bertmt("show", "base", "--db", str(other / "runs.db")).err


def test_a_file_that_all_may_write_is_said_and_doctor_says_it_again(
    registry: Path, bertmt: Callable[..., Outcome]
) -> None:
    registry.chmod(0o666)
    assert "all users may write it. " in bertmt("show", "base").err
    assert bertmt("show", "base").err == ""
    assert "all users may write it" in bertmt("doctor").out.replace("\n", " ")


def test_settings_of_a_folder_above_that_all_may_write_are_said(
    registry: Path, folder: Path, bertmt: Callable[..., Outcome]
) -> None:
    (folder / "bertmt.toml").touch()
    (folder / "bertmt.toml").chmod(0o622)
    inner = folder / "inner"
    inner.mkdir()
    os.chdir(inner)
    said = bertmt("recipe")
    assert f"The file {folder / 'bertmt.toml'} is not yours alone: all users may write it." in said.err
    assert bertmt("recipe").err == ""


@needs_root
@pytest.mark.parametrize("name", ["runs.db", "bertmt.toml", "."])
def test_what_belongs_to_another_user_is_said_with_the_name(
    registry: Path, folder: Path, bertmt: Callable[..., Outcome], name: str
) -> None:
    (folder / "bertmt.toml").touch()
    os.chown(folder / name, NOBODY, NOBODY)
    said = bertmt("show", "base")
    assert said.code == 0 and f"belongs to {user_name(NOBODY)}" in said.err
    assert bertmt("show", "base").err == ""


@needs_root
def test_what_belongs_to_root_is_as_good_as_ones_own() -> None:
    program = (
        "import os, sys; from pathlib import Path; from bertmt.services.upkeep.ownership import foreign\n"
        f"os.seteuid({NOBODY}); print(foreign('registry', Path(sys.argv[1])))"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "runs.db").touch()
        command = [sys.executable, "-c", program, str(Path(folder) / "runs.db")]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "None\n", done.stderr


def test_a_group_counts_unless_it_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = tmp_path / "runs.db"
    registry.touch()
    registry.chmod(0o664)
    me = user_name(os.geteuid())
    for group, members, said in ((me, [], None), (me, ["mallory"], me), ("students", [], "students")):
        entry = grp.struct_group((group, "x", 1, members))
        monkeypatch.setattr(ownership.grp, "getgrgid", lambda gid, entry=entry: entry)  # type: ignore[attr-defined]  # its own name for it
        found = ownership.foreign("registry", registry)
        assert found is None if said is None else f"the group {said} may write it." in present(found)


def test_a_link_counts_with_the_folder_that_it_leads_to(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "runs.db").touch()
    theirs.chmod(0o777)
    (tmp_path / "runs.db").symlink_to(theirs / "runs.db")
    assert f"all users may write its folder {theirs}" in present(ownership.foreign("registry", tmp_path / "runs.db"))


def test_what_cannot_be_remembered_is_said_again_and_hinders_nothing(
    registry: Path, folder: Path, bertmt: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    folder.chmod(0o777)
    assert [bool(bertmt("show", "base").err) for _ in range(2)] == [True, True]


def test_a_registry_that_is_not_there_yet_is_not_spoken_of(folder: Path, bertmt: Callable[..., Outcome]) -> None:
    folder.chmod(0o777)
    assert bertmt("presets").err == ""
