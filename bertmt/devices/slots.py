"""The device slots of a worker: each runs one child at a time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.devices.cpu import read_cpu
from bertmt.devices.gpus import Gpu, list_gpus
from bertmt.errors import UsageError

CPU = "cpu"


@dataclass(frozen=True)
class DeviceSlot:
    """A place for one child.

    Attributes:
        name: unique within a worker: "cpu", "gpu0", with several slots per device "cpu-1", "gpu0-2".
        device: "cpu", or the UUID of the GPU that the child alone shall see.
        threads: CPU threads for the child.
    """

    name: str
    device: str
    threads: int


def device_slots(device: str, slots: int) -> tuple[DeviceSlot, ...]:
    """The slots that `--device` and `--slots` ask for on this machine; see `parse_slots`."""
    return parse_slots(device, slots, read_cpu().cores, list_gpus())


def parse_slots(device: str, slots: int, cores: int, gpus: Sequence[Gpu]) -> tuple[DeviceSlot, ...]:
    """The slots that `--device` and `--slots` ask for.

    Args:
        device: "auto" (every GPU, else the CPU), "cpu", "all" (every GPU and the CPU), or a list of nvidia-smi's
            numbers, UUIDs or their beginnings, and "cpu", with commas between.
        slots: per device.
        cores: physical cores, shared evenly among all slots.
        gpus: those that this process may use, as `list_gpus` gives them.

    Raises:
        UsageError: a device is not here or named twice, or `slots` is below 1.
    """
    if slots < 1:
        raise UsageError(f"--slots is the number of runs at a time on one device, at least 1, not {slots}.")
    devices = _devices(device.strip(), gpus)
    threads = max(1, cores // (len(devices) * slots))
    names = _names(devices, gpus)
    return tuple(
        DeviceSlot(f"{name}-{number}" if slots > 1 else name, each, threads)
        for name, each in zip(names, devices, strict=True)
        for number in range(1, slots + 1)
    )


def _devices(device: str, gpus: Sequence[Gpu]) -> list[str]:
    word = device.lower()
    if word == "auto":
        return [gpu.uuid for gpu in gpus] or [CPU]
    if word == "all":
        return [*(gpu.uuid for gpu in gpus), CPU]
    chosen = [_device(each.strip(), gpus) for each in device.split(",")]
    twice = [each for each, count in Counter(chosen).items() if count > 1]
    if twice:
        raise UsageError(f"--device names {twice[0]} twice; for two runs at a time on it, add --slots 2.")
    return chosen


def _device(word: str, gpus: Sequence[Gpu]) -> str:
    """One device of a list."""
    if word.lower() == CPU:
        return CPU
    if word.isdecimal():
        found = [gpu.uuid for gpu in gpus if gpu.index == int(word)]
    else:
        found = [gpu.uuid for gpu in gpus if word and gpu.uuid.lower().startswith(word.lower())]
    if len(found) == 1:
        return found[0]
    here = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in gpus) or "none"
    problem = "means several GPUs" if found else "is not a device here"
    raise UsageError(
        f"--device {word!r} {problem}: expected auto, cpu, all, or a list of GPUs such as 0,1 or GPU-3f…; "
        f"GPUs that this process may use: {here}. `bertmt doctor` lists them."
    )


def _names(devices: Sequence[str], gpus: Sequence[Gpu]) -> list[str]:
    """gpu0, gpu1, cpu; slices of one card share its number and are told apart by their UUIDs."""
    by_uuid = {gpu.uuid: f"gpu{gpu.index}" for gpu in gpus}
    names = [by_uuid.get(device, device) for device in devices]
    count = Counter(names)
    return [name if count[name] == 1 else f"{name}-{device[:12]}" for name, device in zip(names, devices, strict=True)]
