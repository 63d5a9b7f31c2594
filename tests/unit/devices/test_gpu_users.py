"""Who else uses a GPU, from a fake /proc."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from present import present

from bertmt.devices.gpu_users import GpuUser, gpu_users, users_sentence
from bertmt.devices.gpus import Gpu, GpuProcess
from bertmt.devices.user_names import user_name

ME = user_name(os.geteuid())


@pytest.fixture
def proc(tmp_path: Path) -> Callable[..., None]:
    """Makes a process of this user with that command's name."""

    def make(pid: Any, command: Any) -> None:
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "comm").write_bytes(command + b"\n")

    return make


def users_of(tmp_path: Path, *processes: Any) -> tuple[GpuUser, ...]:
    gpu = Gpu(
        uuid="GPU-1",
        index=0,
        name="NVIDIA Test",
        memory_total_mib=81920,
        memory_free_mib=1000,
        utilization=None,
        processes=tuple(GpuProcess(*each) for each in processes),
    )
    return gpu_users(gpu, tmp_path)


def test_a_process_is_named_by_its_user_and_its_command(tmp_path: Path, proc: Callable[..., None]) -> None:
    proc(4711, b"python")
    users = users_of(tmp_path, (4711, 70_000))
    assert users == (GpuUser(4711, ME, "python", 70_000, os.geteuid()),)
    assert users_sentence(users) == f"pid 4711 ({ME}, python) holds 70,000 MiB"


def test_a_process_that_cannot_be_seen_is_named_by_its_pid_alone(tmp_path: Path) -> None:
    assert users_sentence(users_of(tmp_path, (12, 500))) == "pid 12 holds 500 MiB"


def test_a_process_of_which_nvml_does_not_say_how_much_it_holds_comes_last(tmp_path: Path) -> None:
    sentence = users_sentence(users_of(tmp_path, (1, None), (2, 0), (3, 900)))
    assert sentence == "pid 3 holds 900 MiB; pid 2 holds 0 MiB; pid 1 holds an unknown amount"


def test_three_are_named_those_that_hold_most_and_the_others_counted(tmp_path: Path) -> None:
    sentence = users_sentence(users_of(tmp_path, (1, 10), (2, 50), (3, 30), (4, 40), (5, 20)))
    assert sentence == "pid 2 holds 50 MiB; pid 4 holds 40 MiB; pid 3 holds 30 MiB; and 2 more"


def test_where_nobody_is_seen_nothing_is_said(tmp_path: Path) -> None:
    assert users_sentence(users_of(tmp_path)) == ""


def test_a_command_that_is_no_text_is_no_crash(tmp_path: Path, proc: Callable[..., None]) -> None:
    proc(9, b"\xff\x1b[2J")
    [user] = users_of(tmp_path, (9, 1))
    assert user.command == "�\x1b[2J"


def test_a_real_process_is_found_in_the_real_proc() -> None:
    gpu = Gpu(
        uuid="GPU-1",
        index=0,
        name="NVIDIA Test",
        memory_total_mib=1,
        memory_free_mib=1,
        utilization=None,
        processes=(GpuProcess(os.getpid(), 1),),
    )
    [user] = gpu_users(gpu)
    assert user.user == ME and user.command
    assert 0 <= present(user.seconds_old) < 86_400


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_name(4_000_000) == "4000000"
