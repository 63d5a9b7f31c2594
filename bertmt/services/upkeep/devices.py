"""The devices of this machine at this moment: how busy each is, which run is where, and who holds their memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bertmt.devices.gpu_users import gpu_users
from bertmt.devices.gpus import Gpu
from bertmt.devices.processes import read_processes
from bertmt.devices.slots import CPU
from bertmt.registry.database import Database
from bertmt.registry.records import Run, Worker
from bertmt.registry.workers import is_on_this_host
from bertmt.services.browse.workload import workload
from bertmt.services.ingest.reconcile import its_process
from bertmt.services.upkeep.device_history import DeviceHistory
from bertmt.services.upkeep.machine import Machine, read_machine

ELSEWHERE = "?"  # a slot of a worker that nobody hears of


@dataclass(frozen=True)
class Place:
    """A slot of a worker, and the run on it; or a run whose worker is gone.

    Attributes:
        slot: its name, such as "gpu0"; which of two slots on one device a run is on, nobody noted.
        is_here: on this machine.
    """

    slot: str
    worker: Worker | None
    run: Run | None
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process, and what it holds; None: nobody says.

    Attributes:
        user, command: as the process and the system call them; "" where it is out of sight, as outside a container.
        busy: share of one hardware thread, so 2.0 is two of them.
        gpu_memory_mib: by the index of the GPU.
        what: the run or the worker that it is, for people; "" where it is neither.
        run: whose child it is.
    """

    pid: int
    began: int
    user: str
    command: str
    memory_mib: int | None
    busy: float | None
    gpu_memory_mib: Mapping[int, int | None]
    what: str = ""
    run: Run | None = None


@dataclass(frozen=True)
class Devices:
    """All of it; holders have those of GPUs first, then those with most memory."""

    machine: Machine
    places: tuple[Place, ...]
    holders: tuple[Holder, ...]


def look_at_devices(database: Database, running: Sequence[Run], history: DeviceHistory) -> Devices:
    """Look, and note it.

    Args:
        running: the runs that are running.
    """
    machine = read_machine()
    history.note(machine)
    workers = [worker for worker, _ in workload(database).workers]
    places = tuple(places_of(workers, running, machine.gpus))
    return Devices(machine, places, tuple(_holders(database, machine, workers, running, history)))


OF_JOBS = "-job-"  # in names of slots that are no device: one that is free is only a job more that may be submitted


def places_of(workers: Iterable[Worker], running: Iterable[Run], gpus: Sequence[Gpu]) -> list[Place]:
    """Every slot in the order of workers, each with its run; behind them the runs of no worker that is there."""
    of_worker: dict[int | None, list[Run]] = defaultdict(list)
    for run in sorted(running, key=lambda each: (each.execution.started_at or "", each.key)):
        of_worker[run.execution.worker].append(run)
    found: list[Place] = []
    for worker in workers:
        here = is_on_this_host(worker)
        on = _on_slots(worker.slots, of_worker.pop(worker.key, []), gpus)
        found += [Place(slot, worker, run, here) for slot, run in on if run or OF_JOBS not in slot]
    orphans = [run for runs in of_worker.values() for run in runs]
    return [*found, *(Place(_names(run, gpus)[0] or ELSEWHERE, None, run, False) for run in orphans)]


def _on_slots(slots: Sequence[str], runs: Sequence[Run], gpus: Sequence[Gpu]) -> list[tuple[str, Run | None]]:
    """The slots of a worker with their runs: by the device's name, else the first that is free of its kind."""
    taken: dict[int, Run] = {}
    behind: list[tuple[str, Run | None]] = []
    for run in runs:
        names = _names(run, gpus)
        free = [place for place in range(len(slots)) if place not in taken]
        named = [place for place in free if any(slots[place].startswith(f"{name}-") for name in names)]
        exact = [place for place in free if slots[place] in names]
        alike = [place for place in free if slots[place].startswith(CPU) == (run.execution.device == CPU)]
        chosen = [*exact, *named, *alike, *free]
        if chosen:
            taken[chosen[0]] = run
        else:  # adopted beyond its slots
            behind.append((names[0], run))
    return [*((slot, taken.get(place)) for place, slot in enumerate(slots)), *behind]


def _names(run: Run, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """How slots of a run's device are called, see `devices.slots`; the UUID where its card is not here."""
    device = run.execution.device or ""
    index = next((gpu.index for gpu in gpus if gpu.uuid == device), None)
    return (device,) if index is None else (f"gpu{index}", f"gpu{index}-{device[:12]}")


def _holders(
    database: Database, machine: Machine, workers: Iterable[Worker], running: Iterable[Run], history: DeviceHistory
) -> list[Holder]:
    on_gpus: dict[int, dict[int, int | None]] = defaultdict(dict)
    for gpu in machine.gpus:
        for user in gpu_users(gpu):
            on_gpus[user.pid][gpu.index] = user.memory_mib
    processes = read_processes()
    shares = history.busy_shares(processes)
    runs = {known.pid: run for run in running if (known := its_process(database, run)) is not None}
    names = {worker.pid: f"worker {worker.key}" for worker in workers if is_on_this_host(worker)}
    names |= {pid: f"run {run.id}" for pid, run in runs.items()}
    found = [
        Holder(
            pid=each.pid,
            began=each.began,
            user=each.user,
            command=each.command,
            memory_mib=each.memory_mib,
            busy=shares.get((each.pid, each.began)),
            gpu_memory_mib=on_gpus.pop(each.pid, {}),
            what=names.get(each.pid, ""),
            run=runs.get(each.pid),
        )
        for each in processes
    ]
    hidden = [
        Holder(pid=pid, began=0, user="", command="", memory_mib=None, busy=None, gpu_memory_mib=held)
        for pid, held in on_gpus.items()
    ]
    return sorted([*found, *hidden], key=lambda each: (-_sum(each.gpu_memory_mib.values()), -(each.memory_mib or 0)))


def memory_by_owner(holders: Iterable[Holder]) -> list[tuple[str, int, int]]:
    """Each user's memory and memory of GPUs in MiB, most first; "" stands for whoever is out of sight."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in holders:
        found[each.user][0] += each.memory_mib or 0
        found[each.user][1] += _sum(each.gpu_memory_mib.values())
    return sorted(((user, *held) for user, held in found.items()), key=lambda each: (-each[2], -each[1], each[0]))  # type: ignore[misc]


def _sum(amounts: Iterable[int | None]) -> int:
    return sum(each or 0 for each in amounts)
