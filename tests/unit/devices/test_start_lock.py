"""The lock per GPU and user: between processes, and out of reach of other users."""

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from present import present

from bertmt.devices.start_lock import Starter, lock_path, take_start_lock, who_starts
from bertmt.errors import BusyError

UUID = "GPU-aaaa1111"
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NO OTHER USER: only root can be another user")

# The user changes after the imports: another one may not be able to read the files of this Python.
HOLDER = """
import os, sys
from pathlib import Path
from bertmt.devices.start_lock import take_start_lock
from bertmt.errors import BusyError
if int(sys.argv[3]) != os.geteuid():
    os.setuid(int(sys.argv[3]))
try:
    lock = take_start_lock(sys.argv[1], "theirs", Path(sys.argv[2]))
    print("held" if lock else "busy", flush=True)
except BusyError as problem:
    print(problem, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start_holder(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts another process that takes the lock, and returns it and what it says: "held", "busy", or the problem."""
    started = []

    def start(folder: Path = tmp_path, user: Any = None) -> tuple[subprocess.Popen[str], Any]:
        user = os.geteuid() if user is None else user
        command = [sys.executable, "-c", HOLDER, UUID, str(folder), str(user)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, present(process.stdout).readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder in which all users may make files, as /tmp is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def refusal(tmp_path: Path) -> str:
    with pytest.raises(BusyError, match="No run can be started on this GPU") as caught:
        take_start_lock(UUID, "mine", tmp_path)
    assert str(lock_path(UUID, tmp_path)) in str(caught.value)
    return str(caught.value)


def test_the_second_of_two_processes_does_not_get_the_lock_until_the_first_gives_it_back(
    tmp_path: Path, start_holder: Any
) -> None:
    lock = take_start_lock(UUID, "mine", tmp_path)
    assert start_holder()[1] == "busy"
    present(lock).release()
    assert start_holder()[1] == "held"
    assert take_start_lock(UUID, "mine", tmp_path) is None


def test_two_locks_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    first = take_start_lock(UUID, "first", tmp_path)
    assert take_start_lock(UUID, "second", tmp_path) is None
    present(first).release()
    assert take_start_lock(UUID, "second", tmp_path) is not None


def test_every_gpu_and_every_slice_has_a_lock_of_its_own(tmp_path: Path) -> None:
    uuids = (UUID, "GPU-bbbb2222", "MIG-cccc", "MIG-GPU-aaaa1111/1/0", "MIG-GPU-aaaa1111/2/0")
    assert None not in [take_start_lock(uuid, "mine", tmp_path) for uuid in uuids]
    assert len(list(tmp_path.iterdir())) == len(uuids)


def test_the_lock_lies_in_the_users_own_folder_which_nobody_else_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    before = os.umask(0)
    try:
        lock = take_start_lock(UUID, "mine")
    finally:
        os.umask(before)
    assert present(who_starts(UUID)).run_id == "mine"
    present(lock).release()
    [made] = (tmp_path / "state" / "bertmt").iterdir()
    assert made == lock_path(UUID)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600 and stat.S_IMODE(made.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", [f"bertmt-{UUID}.lock", f"start-{UUID}.lock", "bertmt"])
def test_what_others_hold_in_the_temporary_folder_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (tmp_path / name).open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        assert take_start_lock(UUID, "mine") is not None


@needs_root
def test_another_user_can_neither_hold_nor_see_the_lock(
    shared_folder: Path, start_holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(shared_folder))
    mine = take_start_lock(UUID, "mine")
    present(mine).release()
    assert "cannot be used (Permission denied)" in start_holder(shared_folder / "bertmt", NOBODY)[1]
    assert take_start_lock(UUID, "mine") is not None


@needs_root
def test_each_user_has_a_lock_of_their_own(shared_folder: Path, start_holder: Any) -> None:
    mine = take_start_lock(UUID, "mine", shared_folder / "mine")
    assert start_holder(shared_folder / "theirs", NOBODY)[1] == "held"
    present(mine).release()


def test_a_folder_that_cannot_be_made_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BusyError, match=r"cannot be used .*XDG_STATE_HOME"):
        take_start_lock(UUID, "mine", tmp_path / "file" / "bertmt")


def test_a_user_without_a_home_is_a_reason_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(BusyError, match=r"no home folder.*XDG_STATE_HOME"):
        take_start_lock(UUID, "mine")
    assert who_starts(UUID) is None


def test_whoever_asks_learns_who_starts_and_after_the_start_nobody(tmp_path: Path, start_holder: Any) -> None:
    assert who_starts(UUID, tmp_path) is None
    process, _ = start_holder()
    starter = who_starts(UUID, tmp_path)
    assert starter == Starter(process.pid, "theirs")
    assert starter.words() == f"run theirs (pid {process.pid})"
    process.communicate("")
    assert who_starts(UUID, tmp_path) is None


def test_asking_who_starts_does_not_take_the_lock_away(tmp_path: Path) -> None:
    lock = take_start_lock(UUID, "mine", tmp_path)
    present(lock).release()
    assert who_starts(UUID, tmp_path) is None
    assert take_start_lock(UUID, "mine", tmp_path) is not None


def test_a_killed_holder_is_believed_no_longer_though_the_file_still_names_it(
    tmp_path: Path, start_holder: Any
) -> None:
    process, _ = start_holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads(lock_path(UUID, tmp_path).read_text())["run"] == "theirs"
    assert who_starts(UUID, tmp_path) is None
    assert take_start_lock(UUID, "mine", tmp_path) is not None
    assert present(who_starts(UUID, tmp_path)).run_id == "mine"


def test_releasing_twice_does_not_release_the_next_holders_lock(tmp_path: Path) -> None:
    first = take_start_lock(UUID, "first", tmp_path)
    present(first).release()
    second = take_start_lock(UUID, "second", tmp_path)
    present(first).release()
    assert take_start_lock(UUID, "third", tmp_path) is None
    assert present(who_starts(UUID, tmp_path)).run_id == "second"
    present(second).release()


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = take_start_lock(UUID, "mine", tmp_path)
    program = (
        "import os, sys\nlock = os.stat(sys.argv[1])\n"
        "for number in range(256):\n"
        "    try: print(os.path.samestat(os.fstat(number), lock))\n"
        "    except OSError: pass"
    )
    command = [sys.executable, "-c", program, str(lock_path(UUID, tmp_path))]
    said = subprocess.run(command, close_fds=False, capture_output=True, text=True, check=True).stdout.split()
    assert set(said) == {"False"}
    present(lock).release()


def test_a_released_lock_is_free_while_a_child_that_is_being_started_has_a_copy_of_it(tmp_path: Path) -> None:
    lock = take_start_lock(UUID, "mine", tmp_path)
    parent, child = os.pipe()
    pid = os.fork()
    if not pid:  # as between fork and exec
        os.close(child)
        os.read(parent, 1)
        os._exit(0)
    present(lock).release()
    assert take_start_lock(UUID, "next", tmp_path) is not None
    os.close(child)
    os.waitpid(pid, 0)
    os.close(parent)


@pytest.mark.parametrize("target", ["precious", "missing"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "precious").write_text("my diary")
    lock_path(UUID, tmp_path).symlink_to(tmp_path / target)
    assert re.search(r"symbolic links?\): fix that", refusal(tmp_path))
    assert who_starts(UUID, tmp_path) is None
    assert (tmp_path / "precious").read_text() == "my diary"
    assert not (tmp_path / "missing").exists()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(lock_path(UUID, tmp_path))
    assert "not a plain file" in refusal(tmp_path)
    assert who_starts(UUID, tmp_path) is None


def test_a_folder_in_the_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    lock_path(UUID, tmp_path).mkdir()
    assert "Is a directory" in refusal(tmp_path)
    assert who_starts(UUID, tmp_path) is None


@pytest.mark.parametrize("said", ["", "[]", "not json", '{"pid": "x", "run": null}', "[" * 100_000])
def test_a_holder_that_says_nothing_readable_is_another_run(tmp_path: Path, said: str) -> None:
    lock = take_start_lock(UUID, "mine", tmp_path)
    lock_path(UUID, tmp_path).write_text(said)
    assert who_starts(UUID, tmp_path) == Starter()
    assert present(who_starts(UUID, tmp_path)).words() == "another run"
    present(lock).release()
