"""The lock per GPU: between processes and users, and against what others put in its place."""

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bertmt.devices import start_lock
from bertmt.devices.start_lock import Starter, lock_path, take_start_lock, who_starts
from bertmt.devices.user_names import user_name
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
def start_holder(tmp_path):
    """Starts another process that takes the lock, and returns it and what it says: "held", "busy", or the problem."""
    started = []

    def start(folder=tmp_path, user=None):
        user = os.geteuid() if user is None else user
        command = [sys.executable, "-c", HOLDER, UUID, str(folder), str(user)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def shared_folder():
    """A folder in which all users may make files, as /tmp is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.fixture
def own_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


def refusal(tmp_path):
    with pytest.raises(BusyError, match="No run can be started on this GPU") as caught:
        take_start_lock(UUID, "mine", tmp_path)
    assert str(lock_path(UUID, tmp_path)) in str(caught.value)
    return str(caught.value)


def untouched(file, content):
    """Whether nobody wrote to a private file or opened it to others."""
    return file.read_text() == content and stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_second_of_two_processes_does_not_get_the_lock_until_the_first_gives_it_back(tmp_path, start_holder):
    lock = take_start_lock(UUID, "mine", tmp_path)
    assert start_holder()[1] == "busy"
    lock.release()
    assert start_holder()[1] == "held"
    assert take_start_lock(UUID, "mine", tmp_path) is None


def test_two_locks_of_one_process_exclude_each_other_too(tmp_path):
    first = take_start_lock(UUID, "first", tmp_path)
    assert take_start_lock(UUID, "second", tmp_path) is None
    first.release()
    assert take_start_lock(UUID, "second", tmp_path) is not None


def test_every_gpu_and_every_slice_has_a_lock_of_its_own(tmp_path):
    uuids = (UUID, "GPU-bbbb2222", "MIG-cccc", "MIG-GPU-aaaa1111/1/0", "MIG-GPU-aaaa1111/2/0")
    assert None not in [take_start_lock(uuid, "mine", tmp_path) for uuid in uuids]
    assert len(list(tmp_path.iterdir())) == len(uuids)


def test_the_lock_lies_in_the_systems_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(start_lock.tempfile, "gettempdir", lambda: str(tmp_path))
    lock = take_start_lock(UUID, "mine")
    assert who_starts(UUID).run_id == "mine"
    lock.release()
    assert [path.name for path in tmp_path.iterdir()] == [f"bertmt-{UUID}.lock"]


def test_whoever_asks_learns_who_starts_and_after_the_start_nobody(tmp_path, start_holder):
    assert who_starts(UUID, tmp_path) is None
    process, _ = start_holder()
    starter = who_starts(UUID, tmp_path)
    assert starter == Starter(user_name(os.geteuid()), process.pid, "theirs")
    assert starter.words() == f"run theirs of {user_name(os.geteuid())} (pid {process.pid})"
    process.communicate("")
    assert who_starts(UUID, tmp_path) is None


def test_asking_who_starts_does_not_take_the_lock_away(tmp_path):
    lock = take_start_lock(UUID, "mine", tmp_path)
    lock.release()
    assert who_starts(UUID, tmp_path) is None
    assert take_start_lock(UUID, "mine", tmp_path) is not None


def test_a_killed_holder_is_believed_no_longer_though_the_file_still_names_it(tmp_path, start_holder):
    process, _ = start_holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads(lock_path(UUID, tmp_path).read_text())["run"] == "theirs"
    assert who_starts(UUID, tmp_path) is None
    assert take_start_lock(UUID, "mine", tmp_path) is not None
    assert who_starts(UUID, tmp_path).run_id == "mine"


def test_releasing_twice_does_not_release_the_next_holders_lock(tmp_path):
    first = take_start_lock(UUID, "first", tmp_path)
    first.release()
    second = take_start_lock(UUID, "second", tmp_path)
    first.release()
    assert take_start_lock(UUID, "third", tmp_path) is None
    assert who_starts(UUID, tmp_path).run_id == "second"
    second.release()


def test_a_child_does_not_inherit_the_lock(tmp_path):
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
    lock.release()


def test_a_released_lock_is_free_while_a_child_that_is_being_started_has_a_copy_of_it(tmp_path):
    lock = take_start_lock(UUID, "mine", tmp_path)
    parent, child = os.pipe()
    pid = os.fork()
    if not pid:  # as between fork and exec
        os.close(child)
        os.read(parent, 1)
        os._exit(0)
    lock.release()
    assert take_start_lock(UUID, "next", tmp_path) is not None
    os.close(child)
    os.waitpid(pid, 0)
    os.close(parent)


def test_the_lock_is_for_all_users_whatever_the_umask(tmp_path, own_umask):
    take_start_lock(UUID, "mine", tmp_path)
    assert stat.S_IMODE(lock_path(UUID, tmp_path).stat().st_mode) == 0o666


def test_a_lock_that_its_owner_could_not_open_to_all_is_opened_at_the_next_start(tmp_path):
    lock_path(UUID, tmp_path).touch(mode=0o600)
    take_start_lock(UUID, "mine", tmp_path)
    assert stat.S_IMODE(lock_path(UUID, tmp_path).stat().st_mode) == 0o666


@needs_root
def test_another_user_takes_the_same_lock_and_is_named(shared_folder, start_holder):
    mine = take_start_lock(UUID, "mine", shared_folder)
    assert start_holder(shared_folder, NOBODY)[1] == "busy"
    mine.release()
    assert start_holder(shared_folder, NOBODY)[1] == "held"
    assert take_start_lock(UUID, "mine", shared_folder) is None
    assert who_starts(UUID, shared_folder).user == user_name(NOBODY)


@needs_root
def test_a_lock_that_another_user_made_first_is_taken_too(shared_folder, start_holder):
    process, _ = start_holder(shared_folder, NOBODY)
    process.communicate("")
    assert lock_path(UUID, shared_folder).stat().st_uid == NOBODY
    assert take_start_lock(UUID, "mine", shared_folder) is not None


def test_a_file_that_is_there_is_opened_without_asking_to_make_it(tmp_path, monkeypatch):
    """What Linux refuses with fs.protected_regular where the file is another user's."""
    take_start_lock(UUID, "mine", tmp_path).release()
    real = os.open

    def protected(path, flags, *more):
        if flags & os.O_CREAT and os.path.lexists(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, *more)

    monkeypatch.setattr(start_lock.os, "open", protected)
    assert take_start_lock(UUID, "mine", tmp_path) is not None


def test_two_who_make_the_file_at_once_meet_on_one_lock(tmp_path, monkeypatch):
    real = os.open
    other = []

    def raced(path, flags, *more):
        if flags & os.O_CREAT and not other:  # another makes the file between our two looks
            other.append(None)
            other.append(take_start_lock(UUID, "theirs", tmp_path))
        return real(path, flags, *more)

    monkeypatch.setattr(start_lock.os, "open", raced)
    assert take_start_lock(UUID, "mine", tmp_path) is None
    assert who_starts(UUID, tmp_path).run_id == "theirs"


def test_a_file_that_is_removed_while_it_is_locked_is_not_the_lock(tmp_path, monkeypatch):
    real = start_lock.fcntl.flock
    removed = []

    def swept(handle, operation):
        real(handle, operation)
        if not removed:  # as by a cleaner of temporary files
            removed.append(lock_path(UUID, tmp_path).unlink())

    monkeypatch.setattr(start_lock.fcntl, "flock", swept)
    assert take_start_lock(UUID, "mine", tmp_path) is not None
    monkeypatch.undo()
    assert take_start_lock(UUID, "second", tmp_path) is None


@pytest.mark.parametrize("target", ["precious", "missing"])
def test_a_symbolic_link_is_not_followed(tmp_path, target):
    (tmp_path / "precious").write_text("")  # as a lock begins
    (tmp_path / "precious").chmod(0o600)
    lock_path(UUID, tmp_path).symlink_to(tmp_path / target)
    assert re.search(r"symbolic links?\): remove it, or ask its owner", refusal(tmp_path))
    assert who_starts(UUID, tmp_path) is None
    assert untouched(tmp_path / "precious", "")
    assert not (tmp_path / "missing").exists()


def test_a_second_name_of_a_file_is_neither_written_to_nor_opened_to_all(tmp_path):
    (tmp_path / "precious").write_text("")
    (tmp_path / "precious").chmod(0o600)
    lock_path(UUID, tmp_path).hardlink_to(tmp_path / "precious")
    assert "second name of another file" in refusal(tmp_path)
    assert untouched(tmp_path / "precious", "")


def test_a_foreign_file_is_refused_and_kept_as_it_is(tmp_path):
    lock_path(UUID, tmp_path).write_text("my diary")
    lock_path(UUID, tmp_path).chmod(0o600)
    assert "something else is written in it" in refusal(tmp_path)
    assert untouched(lock_path(UUID, tmp_path), "my diary")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(lock_path(UUID, tmp_path))
    assert "no plain file" in refusal(tmp_path)
    assert who_starts(UUID, tmp_path) is None


def test_a_folder_in_the_place_of_the_lock_is_refused(tmp_path):
    lock_path(UUID, tmp_path).mkdir()
    assert "Is a directory" in refusal(tmp_path)
    assert who_starts(UUID, tmp_path) is None


def test_a_temporary_folder_that_is_missing_is_a_reason_and_no_crash(tmp_path):
    with pytest.raises(BusyError, match="cannot be used"):
        take_start_lock(UUID, "mine", tmp_path / "missing")


@needs_root
def test_a_lock_that_only_its_owner_may_open_is_a_reason_and_no_crash(shared_folder, start_holder):
    lock_path(UUID, shared_folder).touch(mode=0o600)
    assert "cannot be used (Permission denied)" in start_holder(shared_folder, NOBODY)[1]


@pytest.mark.parametrize(
    "said", ["", "[]", "not json", '{"bertmt": "start", "user": 7, "pid": "x", "run": null}', "[" * 100_000]
)
def test_a_holder_that_says_nothing_readable_is_somebody(tmp_path, said):
    lock = take_start_lock(UUID, "mine", tmp_path)
    lock_path(UUID, tmp_path).write_text(said)
    assert who_starts(UUID, tmp_path) == Starter()
    assert who_starts(UUID, tmp_path).words() == "a run of somebody"
    lock.release()
