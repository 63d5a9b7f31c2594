"""Devices: CPU and cgroup limits from fake file systems, GPUs from a stand-in for NVML, slots."""

from pathlib import Path
from typing import Any

import pytest
from fake_nvml import GIB, FakeNvml
from present import present

from bertmt.devices.cgroup import read_limits
from bertmt.devices.cpu import (
    TICKS_PER_SECOND,
    CpuTimes,
    allowed_threads,
    busy_share,
    physical_cores,
    read_cpu,
    utilization,
)
from bertmt.devices.gpus import Gpu, GpuProcess, list_gpus, read_gpus
from bertmt.devices.slots import DeviceSlot, device_slots, parse_slots
from bertmt.errors import UsageError


def machine(root: Path, files: Any) -> Path:
    """A fake root of a file system."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return root


def topology(siblings: dict[Any, Any]) -> dict[Any, Any]:
    return {
        f"sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list": text + "\n"
        for thread, text in siblings.items()
    }


HYPERTHREADED = topology({0: "0,4", 4: "0,4", 1: "1,5", 5: "1,5", 2: "2,6", 6: "2,6", 3: "3,7", 7: "3,7"})
MEMINFO = {"proc/meminfo": "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\n"}
V2 = {"proc/self/cgroup": "0::/job/step\n"}
V1 = {"proc/self/cgroup": "4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n"}


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    root = machine(tmp_path, HYPERTHREADED)
    assert physical_cores({0, 4, 1}, root) == 2
    assert read_cpu(root, allowed=range(8)).cores == 4


def test_only_the_cores_of_the_affinity_mask_count(tmp_path: Path) -> None:
    cpu = read_cpu(machine(tmp_path, HYPERTHREADED), allowed={2, 6})
    assert (cpu.logical, cpu.cores) == (2, 1)


def test_without_a_topology_every_thread_is_a_core(tmp_path: Path) -> None:
    assert read_cpu(tmp_path, allowed={0, 1, 2}).cores == 3


def busy_for(user: int, idle: float, waiting: int = 0) -> dict[Any, Any]:
    """/proc/stat after so many seconds of each on threads 0 and 1; thread 2 does nothing, and guests are in user."""
    ticks = [round(each * TICKS_PER_SECOND) for each in (user, 0, 0, idle, waiting, 0, 0, 0)] + [7, 7]
    numbers = " ".join(map(str, ticks))
    rows = ("cpu  1 2 3 4 5 6 7 8 9 10", f"cpu0 {numbers}", f"cpu1 {numbers}", f"cpu2 0 0 0 {10**9} 0 0 0 0", "ctxt 1")
    return {"proc/stat": "\n".join(rows)}


def test_utilization_is_what_was_not_idle_between_two_looks_on_the_threads_of_the_process(tmp_path: Path) -> None:
    before = read_cpu(machine(tmp_path, busy_for(100, 900)), allowed={0, 1}).times
    after = read_cpu(machine(tmp_path, busy_for(103, 905, 2)), allowed={0, 1})
    assert utilization(after, present(before)) == pytest.approx(3 / 10), "3 s of 10; waiting for a disk is idle"
    assert utilization(after, present(after.times)) is None
    assert read_cpu(tmp_path / "elsewhere", allowed={0}).times is None


def test_each_thread_of_the_process_has_times_of_its_own(tmp_path: Path) -> None:
    threads = present(read_cpu(machine(tmp_path, busy_for(100, 900)), allowed={0, 2}).times).threads
    assert threads == {0: CpuTimes(100, 1000), 2: CpuTimes(0, 10**9 / TICKS_PER_SECOND)}
    assert busy_share(CpuTimes(103, 1010), threads[0]) == pytest.approx(0.3)
    assert busy_share(threads[0], threads[0]) is None


def test_under_a_quota_utilization_is_the_share_of_the_quota(tmp_path: Path) -> None:
    quota = {**V2, "sys/fs/cgroup/job/step/cpu.max": "100000 100000"}
    before = read_cpu(machine(tmp_path, {**quota, **busy_for(0, 0.1)}), allowed={0, 1}).times
    after = read_cpu(machine(tmp_path, {**quota, **busy_for(3, 7.1)}), allowed={0, 1})
    assert utilization(after, present(before)) == pytest.approx(0.6), (
        "3 s on each of two threads in 10 s, of one processor"
    )
    full = read_cpu(machine(tmp_path, {**quota, **busy_for(13, 7.2)}), allowed={0, 1})
    assert utilization(full, present(after.times)) == 1


@pytest.mark.parametrize(("quota", "cores"), [("250000 100000", 2), ("50000 100000", 1), ("max 100000", 4)])
def test_a_quota_of_cgroups_2_limits_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    root = machine(tmp_path, HYPERTHREADED | V2 | {"sys/fs/cgroup/job/step/cpu.max": quota})
    assert read_cpu(root, allowed=range(8)).cores == cores


def test_the_tightest_quota_of_all_ancestors_counts(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/job/step/cpu.max": "400000 100000", "sys/fs/cgroup/job/cpu.max": "150000 100000"}
    assert read_limits(machine(tmp_path, V2 | files)).cpus == 1.5


def test_a_quota_of_cgroups_1_limits_too(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000"}
    assert read_limits(machine(tmp_path, V1 | files)).cpus == 2.0


def test_minus_one_is_no_quota(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}
    assert read_limits(machine(tmp_path, V1 | files)).cpus is None


def test_a_container_sees_its_limits_at_the_root_of_the_mount(tmp_path: Path) -> None:
    assert read_limits(machine(tmp_path, V2 | {"sys/fs/cgroup/cpu.max": "300000 100000"})).cpus == 3.0


def test_a_memory_limit_counts_reclaimable_cache_as_free(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/job/step/memory.max": str(4 * GIB),
        "sys/fs/cgroup/job/step/memory.current": str(3 * GIB),
        "sys/fs/cgroup/job/step/memory.stat": f"anon 1\ninactive_file {GIB}\n",
    }
    cpu = read_cpu(machine(tmp_path, V2 | MEMINFO | files), allowed={0})
    assert (cpu.memory_total_mib, cpu.memory_free_mib) == (4096, 2048)


def test_without_a_limit_memory_is_the_machines(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(2**63 - 4096),
        "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1",
    }
    cpu = read_cpu(machine(tmp_path, V1 | MEMINFO | files), allowed={0})
    assert (cpu.memory_total_mib, cpu.memory_free_mib) == (16384, 8192)


def test_this_machine_has_at_least_one_core_and_some_memory() -> None:
    cpu = read_cpu()
    assert 1 <= cpu.cores <= cpu.logical == len(allowed_threads())
    assert present(cpu.memory_total_mib) > 100
    assert cpu.memory_free_mib is None or cpu.memory_free_mib <= present(cpu.memory_total_mib)


CARDS = [{"uuid": "GPU-aaaa1111"}, {"uuid": "GPU-aaaa2222"}, {"uuid": "GPU-bbbb3333"}]


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def indexes(visible: str | None = None, cards: list[Any] | list[object] | list[dict[str, str]] = CARDS) -> list[Any]:
    return [gpu.index for gpu in list_gpus(FakeNvml(cards), visible)]


def test_a_gpu_is_described() -> None:
    card = {"uuid": "GPU-1", "processes": [(4242, 3 * GIB), (4343, None)], "busy": 87}
    (gpu,) = list_gpus(FakeNvml([card]))
    assert (gpu.uuid, gpu.index, gpu.name) == ("GPU-1", 0, "NVIDIA Test")
    assert (gpu.memory_total_mib, gpu.memory_free_mib, gpu.utilization) == (16384, 15360, 0.87)
    assert (gpu.temperature_celsius, gpu.power_watts, gpu.energy_joules) == (61, 250.5, 7200.0)
    assert gpu.processes == (GpuProcess(4242, 3072), GpuProcess(4343, None))


def test_without_a_driver_there_are_no_gpus() -> None:
    assert list_gpus(FakeNvml(CARDS, driver=False)) == ()


def test_the_real_nvml_never_raises() -> None:
    assert isinstance(list_gpus(), tuple)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [0, 1, 2]),
        ("", []),
        (" ", []),
        ("-1", []),
        ("2,0", [2, 0]),
        (" 1 , 2 ", [1, 2]),
        ("GPU-bbbb3333,GPU-aaaa1111", [2, 0]),
        ("GPU-b", [2]),
        ("GPU-aaaa", []),
        ("0,7,1", [0]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(visible: str | None, expected: list[int]) -> None:
    assert indexes(visible) == expected


def test_the_variable_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert indexes() == [1]


def test_what_a_card_does_not_say_is_none() -> None:
    silent = dict.fromkeys(("memory", "busy", "celsius", "milliwatts", "millijoules"))
    (gpu,) = list_gpus(FakeNvml([{"uuid": "GPU-1", **silent}]))
    assert (gpu.memory_total_mib, gpu.memory_free_mib, gpu.utilization, gpu.processes) == (None, None, None, ())
    assert (gpu.temperature_celsius, gpu.power_watts, gpu.energy_joules) == (None, None, None)


def test_a_lost_card_is_left_out_and_the_others_keep_their_numbers() -> None:
    assert indexes(cards=[CARDS[0], {"uuid": "GPU-x", "lost": True}, CARDS[2]]) == [0, 2]


def test_a_card_that_fell_off_the_bus_while_in_use_is_left_out() -> None:
    cards = [CARDS[0], CARDS[1] | {"off_bus": True}, CARDS[2]]
    assert indexes(cards=cards) == [0, 2]
    assert uuids_read(["GPU-aaaa2222", "GPU-bbbb3333"], cards) == ["GPU-bbbb3333"]


def uuids_read(uuids: list[Any], cards: list[object] | list[dict[str, str]] = CARDS) -> list[Any]:
    return [gpu.uuid for gpu in present(read_gpus(uuids, FakeNvml(cards)))]


def test_gpus_are_read_by_uuid_whatever_cuda_visible_devices_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    cards = [{"uuid": "GPU-x", "lost": True}, *CARDS, {"uuid": "MIG-cccc", "mig": 1}]
    assert uuids_read(["GPU-aaaa2222", "MIG-cccc", "GPU-x", "GPU-aaaa"], cards) == ["GPU-aaaa2222", "MIG-cccc"]


def test_an_nvml_that_does_not_answer_is_not_a_machine_without_gpus() -> None:
    assert read_gpus(["GPU-aaaa1111"], FakeNvml(CARDS, driver=False)) is None
    assert read_gpus(["GPU-aaaa1111"], FakeNvml([])) == ()


def test_a_mig_slice_is_found_by_its_uuid() -> None:
    (gpu,) = list_gpus(FakeNvml([*CARDS, {"uuid": "MIG-cccc", "mig": 1}]), "MIG-cccc")
    assert (gpu.uuid, gpu.index) == ("MIG-cccc", 1)


def test_nvml_is_closed_again() -> None:
    nvml = FakeNvml(CARDS)
    list_gpus(nvml)
    read_gpus(["GPU-aaaa1111"], nvml)
    assert nvml.open == 0


GPUS = list_gpus(FakeNvml(CARDS), "0,1,2")


def test_auto_is_every_gpu_or_else_the_cpu() -> None:
    assert [slot.device for slot in parse_slots("auto", 1, 8, GPUS)] == [card["uuid"] for card in CARDS]
    assert parse_slots("auto", 1, 8, ()) == (DeviceSlot("cpu", "cpu", 8),)


def test_slots_share_the_cores() -> None:
    slots = parse_slots("cpu", 2, 5, GPUS)
    assert slots == (DeviceSlot("cpu-1", "cpu", 2), DeviceSlot("cpu-2", "cpu", 2))
    assert parse_slots("cpu", 4, 2, ())[0].threads == 1


def test_slots_are_per_device() -> None:
    slots = parse_slots("0,1", 2, 16, GPUS)
    assert [slot.name for slot in slots] == ["gpu0-1", "gpu0-2", "gpu1-1", "gpu1-2"]
    assert {slot.threads for slot in slots} == {4}


def test_all_adds_the_cpu_to_the_gpus() -> None:
    assert [slot.name for slot in parse_slots("all", 1, 8, GPUS)] == ["gpu0", "gpu1", "gpu2", "cpu"]


@pytest.mark.parametrize("device", ["2", "GPU-bbbb3333", "gpu-b", " 2 "])
def test_a_gpu_is_named_by_number_uuid_or_its_beginning(device: str) -> None:
    assert parse_slots(device, 1, 8, GPUS) == (DeviceSlot("gpu2", "GPU-bbbb3333", 8),)


def test_slices_of_one_card_have_names_of_their_own() -> None:
    cards = [*CARDS, {"uuid": "MIG-cccc", "mig": 1}, {"uuid": "MIG-dddd", "mig": 1}]
    slices = list_gpus(FakeNvml(cards), "MIG-cccc,MIG-dddd")
    assert [slot.name for slot in parse_slots("auto", 1, 8, slices)] == ["gpu1-MIG-cccc", "gpu1-MIG-dddd"]


@pytest.mark.parametrize(
    ("device", "gpus", "message"),
    [
        ("0", (), "GPUs that this process may use: none."),
        ("7", GPUS, "is not a device here"),
        ("GPU-aaaa", GPUS, "means several GPUs"),
        ("cuda", GPUS, "expected auto, cpu, all"),
        ("", GPUS, "is not a device here"),
        ("0,", GPUS, "is not a device here"),
        ("cpu,cpu", GPUS, "names cpu twice; for two runs at a time on it, add --slots 2."),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_those_that_are(
    device: str, gpus: tuple[Gpu, ...], message: str
) -> None:
    with pytest.raises(UsageError, match="--device") as problem:
        parse_slots(device, 1, 8, gpus)
    assert message in str(problem.value)


def test_one_slot_on_this_machines_cpu_has_all_of_its_cores() -> None:
    assert device_slots("cpu", 1) == (DeviceSlot("cpu", "cpu", read_cpu().cores),)


def test_no_slots_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1, not 0"):
        parse_slots("cpu", 0, 8, ())
