"""The layout of a run folder, the order in it, and the lock that says whether its child lives."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from present import present

from bertmt.errors import BusyError, NotFoundError
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive, is_alive

ORDER = RunOrder(
    run_id="r1",
    name="try",
    attempt=2,
    data="toy",
    extra_data_file="",
    fingerprints={"sst-train": "0123456789abcdef"},
    device="cpu",
    threads=2,
)
HOLDER = """
import sys, time
from pathlib import Path
from bertmt.run_folder.layout import RunFolder, hold_alive
try:
    lock = hold_alive(RunFolder(Path(sys.argv[1])))
except Exception as refused:
    sys.exit(type(refused).__name__)
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "r1")
    made.create(ORDER, "{}")
    return made


def start_holder(folder: RunFolder) -> subprocess.Popen[bytes]:
    """A process that holds the lock until it reads a line or dies; returns once it holds it."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.path)], stdin=pipe, stdout=pipe, stderr=pipe)
    assert present(process.stdout).readline() == b"held\n", present(process.stderr).read()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.communicate(b"\n", timeout=10)


def test_the_order_comes_back_as_it_was_given(folder: RunFolder) -> None:
    assert folder.read_order() == ORDER


def test_a_run_folder_is_private_to_its_user(folder: RunFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_new_attempt_replaces_the_order_and_keeps_the_rest(folder: RunFolder) -> None:
    folder.events(1).write_text("kept")
    folder.create(RunOrder(run_id="r1", name="try", attempt=3, data="elsewhere", extra_data_file=""), '{"seed": 1}')
    assert (folder.read_order().attempt, folder.read_order().data) == (3, "elsewhere")
    assert folder.events(1).read_text() == "kept"
    assert folder.recipe.read_text() == '{"seed": 1}'


def test_every_file_lies_in_the_folder_and_none_twice(folder: RunFolder) -> None:
    files = [
        folder.order, folder.recipe, folder.alive, folder.model, folder.events(1), folder.events(2),
        folder.log(1), folder.examples("sst", "dev"), folder.predictions(0, "sst", "dev"),
        folder.predictions(1, "sst", "dev"), folder.predictions(0, "sts", "dev"),
    ]  # fmt: skip
    assert len(set(files)) == len(files)
    assert all(folder.path in file.parents for file in files)


def test_predictions_of_later_epochs_sort_later(folder: RunFolder) -> None:
    names = [folder.predictions(epoch, "sst", "dev").name for epoch in (2, 10, 100)]
    assert names == sorted(names)


def test_naming_files_creates_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "nowhere")
    assert not is_alive(folder)
    assert not folder.events(1).exists() and not folder.path.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"run_id": "r1"}', b'{"unknown": 1}', b"\xff"])
def test_a_folder_without_a_readable_order_is_no_run_folder(folder: RunFolder, content: bytes) -> None:
    folder.order.write_bytes(content)
    with pytest.raises(NotFoundError, match=r"is not a run folder: run\.json cannot be read"):
        folder.read_order()


def test_a_folder_that_does_not_exist_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        RunFolder(tmp_path / "none").read_order()
    with pytest.raises(NotFoundError):
        hold_alive(RunFolder(tmp_path / "none"))


def test_a_run_is_alive_while_its_lock_is_held_and_not_after(folder: RunFolder) -> None:
    assert not is_alive(folder)
    with hold_alive(folder):
        assert is_alive(folder)
    assert not is_alive(folder)
    assert folder.alive.exists()


def test_a_second_child_is_refused_while_the_first_lives(folder: RunFolder) -> None:
    first = start_holder(folder)
    with pytest.raises(BusyError, match="already being worked by another process"):
        hold_alive(folder)
    second = subprocess.run([sys.executable, "-c", HOLDER, str(folder.path)], capture_output=True, text=True)
    assert second.stderr.strip() == "BusyError"
    end(first)


def test_a_child_that_ended_leaves_the_lock_free(folder: RunFolder) -> None:
    process = start_holder(folder)
    assert is_alive(folder)
    end(process)
    assert not is_alive(folder)


def test_a_child_killed_with_9_leaves_the_lock_free_at_once(folder: RunFolder) -> None:
    process = start_holder(folder)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not is_alive(folder)
    hold_alive(folder).close()


def test_a_stopped_child_is_still_alive(folder: RunFolder) -> None:
    process = start_holder(folder)
    os.kill(process.pid, signal.SIGSTOP)
    assert is_alive(folder)
    os.kill(process.pid, signal.SIGCONT)
    end(process)


def test_the_lock_is_not_inherited_by_programs_that_the_child_starts(folder: RunFolder) -> None:
    lock = hold_alive(folder)
    pipe = subprocess.PIPE
    program = "print('running', flush=True); input()"
    grandchild = subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, close_fds=False)
    assert present(grandchild.stdout).readline() == b"running\n"
    lock.close()
    alive = is_alive(folder)
    end(grandchild)
    assert not alive


def test_asking_whether_a_run_lives_never_stops_it_from_starting(folder: RunFolder) -> None:
    hold_alive(folder).close()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            is_alive(folder)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(200):
            hold_alive(folder).close()
    finally:
        stop.set()
        asker.join()
