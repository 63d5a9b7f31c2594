"""The processes of a machine, from a fake /proc."""

import os
from pathlib import Path

from bertmt.devices.cpu import TICKS_PER_SECOND
from bertmt.devices.processes import MIB, PAGE, MachineProcess, read_processes
from bertmt.devices.user_names import user_name

ME = user_name(os.geteuid())
HOSTILE = b"a) R 1 (\x1b[2Jb"  # at most 15 bytes, whatever they are


def make(root: Path, pid: int, command: bytes = b"python", mib: int = 64, seconds: float = 0, began: int = 7) -> None:
    """A process of this user; fields as in proc_pid_stat(5), those that nobody reads are 99."""
    fields = ["S", "1", *["99"] * 9, str(round(seconds * TICKS_PER_SECOND)), "0", *["99"] * 6, str(began), "99"]
    fields += [str(mib * MIB // PAGE), *["99"] * 20]
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_bytes(b"%d (%s) %s\n" % (pid, command, " ".join(fields).encode()))


def test_a_process_has_an_owner_memory_and_processor_time(tmp_path: Path) -> None:
    make(tmp_path, 4711, b"python", mib=640, seconds=12.5)
    assert read_processes(tmp_path) == (MachineProcess(4711, 1, 7, ME, "python", 640, 12.5),)


def test_those_with_most_memory_come_first_and_kernel_threads_not_at_all(tmp_path: Path) -> None:
    for pid, mib in ((1, 10), (2, 0), (3, 900), (4, 50)):
        make(tmp_path, pid, mib=mib)
    assert [each.pid for each in read_processes(tmp_path)] == [3, 4, 1]


def test_a_name_with_parentheses_and_control_characters_is_one_name(tmp_path: Path) -> None:
    make(tmp_path, 5, HOSTILE, mib=3)
    (found,) = read_processes(tmp_path)
    assert found.command == HOSTILE.decode() and found.memory_mib == 3


def test_what_is_no_process_or_has_just_ended_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, 6)
    (tmp_path / "proc" / "7").mkdir()
    (tmp_path / "proc" / "8").mkdir()
    (tmp_path / "proc" / "8" / "stat").write_bytes(b"8 (half")
    (tmp_path / "proc" / "meminfo").mkdir()
    assert [each.pid for each in read_processes(tmp_path)] == [6]


def test_without_proc_there_are_none(tmp_path: Path) -> None:
    assert read_processes(tmp_path / "nowhere") == ()


def test_this_very_process_is_found() -> None:
    (own,) = [each for each in read_processes() if each.pid == os.getpid()]
    assert own.user == ME and own.memory_mib > 10 and own.parent == os.getppid()
