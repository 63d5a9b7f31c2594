"""Who may start a run on a GPU now, against a stand-in for NVML and real locks."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_nvml import FakeNvml, memory
from present import present

from bertmt.devices.gpus import Gpu, read_gpus
from bertmt.devices.slots import DeviceSlot
from bertmt.devices.start_lock import lock_path, take_start_lock, who_starts
from bertmt.devices.user_names import user_name
from bertmt.worker.admission import ASK_SECONDS, JUST_BEGUN_SECONDS, PATIENCE_SECONDS, Admission, Admitted, Refused

FIRST = DeviceSlot("gpu0-1", "GPU-aaaa", 2)
SECOND = DeviceSlot("gpu0-2", "GPU-aaaa", 2)
OTHER = DeviceSlot("gpu1", "GPU-bbbb", 2)
CPU = DeviceSlot("cpu", "cpu", 2)
ADMITTED = Admitted()


class Machine:
    """Two cards of 16,384 MiB, a clock that stands still, and the workers on it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.time = 100.0
        self.cards: list[dict[str, Any]] = [
            {"uuid": each, "memory": memory(16_384, 16_000)} for each in ("GPU-aaaa", "GPU-bbbb")
        ]
        self.nvml = FakeNvml(self.cards)

    def worker(self, *slots: Any) -> Admission:
        return Admission(
            slots or (FIRST, SECOND, OTHER, CPU),
            read=lambda uuids: read_gpus(uuids, self.nvml),
            clock=lambda: self.time,
            folder=self.folder,
            root=self.folder,
        )

    def free(self, mib: int, *processes: Any) -> None:
        """How much of the first card is free from now on, and who holds the rest."""
        self.cards[0] |= {"memory": memory(16_384, mib), "processes": [(pid, used << 20) for pid, used in processes]}

    def wait(self) -> None:
        """Until NVML is asked anew."""
        self.time += ASK_SECONDS + 0.1


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def reason(answer: Admitted | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.reason


def test_a_run_on_the_cpu_is_admitted_without_a_lock_and_without_asking_nvml(machine: Machine, tmp_path: Path) -> None:
    worker = machine.worker()
    assert worker.admit("mine", CPU, 10**9) == ADMITTED
    worker.first_step_done(CPU)
    worker.ended(CPU)
    assert not worker.vanished(CPU)
    assert machine.nvml.asked == 0
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_gpus_never_asks_nvml(machine: Machine) -> None:
    assert not machine.worker(CPU).vanished(CPU)
    assert machine.nvml.asked == 0


def test_a_gpu_is_reserved_until_the_first_step_also_for_the_same_workers_second_slot(machine: Machine) -> None:
    worker, neighbour = machine.worker(), machine.worker()
    assert worker.admit("first", FIRST, 4000) == ADMITTED
    who = f"run first (pid {os.getpid()})"
    waits = f"second waits for gpu0-2: {who} has not taken its first step there."
    assert worker.admit("second", SECOND, 4000) == Refused(waits)
    assert neighbour.admit("second", SECOND, 4000) == Refused(waits)
    worker.first_step_done(FIRST)
    assert worker.admit("second", SECOND, 4000) == ADMITTED
    assert reason(neighbour.admit("third", FIRST, 4000)).startswith("third waits for gpu0-1: run second (pid ")


def test_another_gpu_can_be_started_on_meanwhile(machine: Machine) -> None:
    worker = machine.worker()
    assert worker.admit("first", FIRST, 4000) == ADMITTED
    assert worker.admit("second", OTHER, 4000) == ADMITTED


def test_the_end_of_a_run_before_its_first_step_lets_others_start(machine: Machine) -> None:
    worker = machine.worker()
    worker.admit("first", FIRST, 4000)
    worker.ended(FIRST)
    assert worker.admit("second", SECOND, 4000) == ADMITTED


def test_the_end_of_a_run_after_its_first_step_leaves_the_next_ones_reservation(machine: Machine) -> None:
    worker = machine.worker()
    worker.admit("first", FIRST, 4000)
    worker.first_step_done(FIRST)
    worker.admit("second", SECOND, 4000)
    worker.first_step_done(FIRST)
    worker.ended(FIRST)
    assert present(who_starts("GPU-aaaa", machine.folder)).run_id == "second"


def test_another_process_that_starts_there_is_named(machine: Machine) -> None:
    program = (
        "import sys; from pathlib import Path\nfrom bertmt.devices.start_lock import take_start_lock\n"
        "lock = take_start_lock('GPU-aaaa', 'theirs', Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(machine.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert present(other.stdout).readline() == "held\n"
        assert f"run theirs (pid {other.pid})" in reason(machine.worker().admit("mine", FIRST, None))
    finally:
        other.communicate("")
    assert machine.worker().admit("mine", FIRST, None) == ADMITTED


def test_too_little_free_memory_is_refused_with_who_holds_the_rest(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "proc" / "4711").mkdir(parents=True)
    (tmp_path / "proc" / "4711" / "comm").write_text("python\n")
    machine.free(3000, (12, 1384), (4711, 12_000))
    assert machine.worker().admit("mine", FIRST, 7132) == Refused(
        "mine waits for memory of gpu0-1: it needs 7,132 MiB, and 3,000 of 16,384 MiB are free "
        f"(pid 4711 ({user_name(os.geteuid())}, python) holds 12,000 MiB; pid 12 holds 1,384 MiB)."
    )


@pytest.fixture
def begin_process(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`begin_process(4711, 5)`: a process that began so many seconds ago, of another user unless `mine`."""
    ticks = os.sysconf("SC_CLK_TCK")

    def begin(pid: Any, seconds_ago: Any, mine: bool = False) -> None:
        folder = machine.folder / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "comm").write_text("python\n")
        fields = f"{pid} (py) thon) S {' '.join(['0'] * 18)} {int(1000 - seconds_ago) * ticks} 0 0"
        (folder / "stat").write_text(fields)
        (machine.folder / "proc" / "uptime").write_text("1000.00 2000.00\n")
        me = folder.stat().st_uid
        monkeypatch.setattr("bertmt.worker.admission.os.geteuid", lambda: me if mine else me + 1)

    return begin


def test_a_process_that_another_user_has_just_begun_is_waited_for(
    machine: Machine, begin_process: Callable[..., None]
) -> None:
    begin_process(4711, JUST_BEGUN_SECONDS - 1)
    machine.free(15_000, (4711, 400))
    who = user_name(machine.folder.stat().st_uid)
    expected = f"mine waits for gpu0-1: pid 4711 ({who}, python) has just begun there."
    assert machine.worker().admit("mine", FIRST, 4000) == Refused(expected)
    assert machine.worker().admit("mine", FIRST, None) == Refused(expected)
    assert machine.worker().admit("mine", OTHER, 4000) == ADMITTED


@pytest.mark.parametrize(("seconds_ago", "mine"), [(JUST_BEGUN_SECONDS, False), (1, True)])
def test_one_that_is_older_or_ones_own_is_not(
    machine: Machine, begin_process: Callable[..., None], seconds_ago: float, mine: bool
) -> None:
    begin_process(4711, seconds_ago, mine)
    machine.free(15_000, (4711, 400), (12, 50))
    assert machine.worker().admit("mine", FIRST, 4000) == ADMITTED


def test_whoever_begins_again_and_again_stops_nobody_for_good(
    machine: Machine, begin_process: Callable[..., None]
) -> None:
    begin_process(4711, 1)
    machine.free(15_000, (4711, 400))
    worker = machine.worker()
    assert "has just begun" in reason(worker.admit("mine", FIRST, 4000))
    machine.time += PATIENCE_SECONDS - 1
    assert "has just begun" in reason(worker.admit("mine", FIRST, 4000))
    machine.time += 1
    assert worker.admit("mine", FIRST, 4000) == ADMITTED


def test_a_refusal_for_memory_without_visible_holders_names_nobody(machine: Machine) -> None:
    machine.free(3000)
    assert reason(machine.worker().admit("mine", FIRST, 7132)).endswith("and 3,000 of 16,384 MiB are free.")


@pytest.mark.parametrize(("free", "admitted"), [(4000, True), (3999, False)])
def test_memory_that_is_just_enough_is_enough(machine: Machine, free: int, admitted: bool) -> None:
    machine.free(free)
    assert (machine.worker().admit("mine", FIRST, 4000) == ADMITTED) is admitted


def test_memory_that_others_took_since_nvml_was_asked_is_seen_once_the_lock_is_held(machine: Machine) -> None:
    worker = machine.worker()
    assert not worker.vanished(FIRST)
    machine.free(3000)  # within the seconds in which the last answer is believed
    assert "3,000 of 16,384 MiB are free" in reason(worker.admit("mine", FIRST, 7000))
    assert take_start_lock("GPU-aaaa", "next", machine.folder) is not None


def test_memory_is_looked_at_while_the_lock_is_held(machine: Machine) -> None:
    seen = []

    def read(uuids: Any) -> tuple[Gpu, ...] | None:
        seen.append(who_starts("GPU-aaaa", machine.folder) is not None)
        return read_gpus(uuids, machine.nvml)

    admission = Admission([FIRST], read=read, clock=lambda: machine.time, folder=machine.folder)
    assert admission.admit("mine", FIRST, 7000) == ADMITTED
    assert seen[-1]


def test_nvml_is_asked_at_most_every_few_seconds_however_often_a_worker_asks(machine: Machine) -> None:
    machine.free(3000)
    worker = machine.worker()
    for _ in range(10):
        assert isinstance(worker.admit("mine", FIRST, 7000), Refused)
        assert not worker.vanished(OTHER)
    assert machine.nvml.asked == 1
    machine.free(9000)
    machine.wait()
    assert worker.admit("mine", FIRST, 7000) == ADMITTED


def test_a_run_that_needs_more_than_a_card_ever_has_waits_for_an_empty_one_and_no_longer(
    machine: Machine,
) -> None:
    machine.free(14_000)  # 85 %
    assert isinstance(machine.worker().admit("mine", FIRST, 20_000), Refused)
    machine.free(15_000)  # 92 %
    assert machine.worker().admit("mine", FIRST, 20_000) == ADMITTED


def test_where_the_need_or_the_free_memory_is_not_known_the_lock_alone_counts(machine: Machine) -> None:
    machine.free(10)
    machine.cards[1]["memory"] = None
    worker = machine.worker()
    assert worker.admit("first", FIRST, None) == ADMITTED
    assert worker.admit("second", OTHER, 7000) == ADMITTED
    assert isinstance(machine.worker().admit("third", OTHER, 7000), Refused)


@pytest.mark.parametrize("how", ["lost", "off_bus"])
def test_a_card_that_vanished_is_told_from_one_that_is_busy(machine: Machine, how: str) -> None:
    worker = machine.worker()
    machine.cards[0][how] = True
    assert worker.admit("mine", FIRST, 7000) == Refused(
        "gpu0-1 (GPU-aaaa) has disappeared; see `nvidia-smi`.", vanished=True
    )
    assert (worker.vanished(FIRST), worker.vanished(SECOND), worker.vanished(OTHER)) == (True, True, False)
    assert not lock_path("GPU-aaaa", machine.folder).exists()
    assert worker.admit("mine", OTHER, 7000) == ADMITTED


def test_a_card_that_vanishes_is_noticed_within_seconds_and_its_return_too(machine: Machine) -> None:
    worker = machine.worker()
    assert not worker.vanished(FIRST)
    machine.cards[0]["lost"] = True
    machine.wait()
    assert worker.vanished(FIRST)
    machine.cards[0]["lost"] = False
    machine.wait()
    assert not worker.vanished(FIRST)


def test_a_card_whose_neighbour_vanished_is_still_here_though_cuda_visible_devices_counts_both(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    machine.cards[0]["lost"] = True
    assert not machine.worker().vanished(OTHER)


def test_while_nvml_does_not_answer_nothing_starts_and_no_card_counts_as_vanished(machine: Machine) -> None:
    worker = machine.worker()
    machine.nvml.driver = False
    unanswered = "mine waits for gpu0-1: NVML does not answer; see `nvidia-smi`."
    assert worker.admit("mine", FIRST, 7000) == Refused(unanswered)
    assert not worker.vanished(FIRST)
    machine.nvml.driver = True
    machine.wait()
    assert worker.admit("mine", FIRST, 7000) == ADMITTED


def test_a_lock_that_cannot_be_used_is_a_refusal_with_its_reason_and_no_crash(machine: Machine, tmp_path: Path) -> None:
    lock_path("GPU-aaaa", tmp_path).symlink_to(tmp_path / "elsewhere")
    answer = machine.worker().admit("mine", FIRST, None)
    assert isinstance(answer, Refused) and "its lock" in reason(answer) and not answer.vanished
    assert not (tmp_path / "elsewhere").exists()
