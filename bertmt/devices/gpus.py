"""The NVIDIA GPUs that this process may use, by NVML: without CUDA, so looking takes none of their memory."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
VISIBLE_VARIABLE = "CUDA_VISIBLE_DEVICES"
MIG = "MIG-"  # how the UUID of a slice begins


@dataclass(frozen=True)
class GpuProcess:
    """A process that holds memory of a GPU; None where NVML does not say how much (containers, WSL)."""

    pid: int
    memory_mib: int | None


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, or one MIG slice of it, at the moment of asking; None: NVML does not say.

    Attributes:
        uuid: what a child is bound to by CUDA_VISIBLE_DEVICES: unlike a number, it means the same card in CUDA,
            which counts the fastest first, and in NVML and nvidia-smi, which count along the bus.
        index: nvidia-smi's number.
        utilization: share of the last moments in which the GPU computed, 0 to 1.
        power_watts: drawn now by the whole card.
        energy_joules: drawn since the driver was loaded; a difference of two is what was used in between. Cards
            before Volta do not count it.
    """

    uuid: str
    index: int
    name: str
    memory_total_mib: int | None
    memory_free_mib: int | None
    utilization: float | None
    temperature_celsius: int | None = None
    power_watts: float | None = None
    energy_joules: float | None = None
    processes: tuple[GpuProcess, ...] = ()


def list_gpus(nvml: Any = None, visible: str | None = None) -> tuple[Gpu, ...]:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves to this process, in its order; none without a driver.

    Args:
        nvml: the `pynvml` module or a stand-in; imported if None.
        visible: a value for CUDA_VISIBLE_DEVICES; the environment's if None.
    """
    visible = os.environ.get(VISIBLE_VARIABLE) if visible is None else visible
    if visible is not None and not visible.strip():
        return ()
    with _opened(nvml) as opened:
        if opened is None:
            return ()
        gpus = _physical(opened)
        return gpus if visible is None else _only_visible(opened, gpus, visible)


def read_gpus(uuids: Iterable[str], nvml: Any = None) -> tuple[Gpu, ...] | None:
    """Those of some GPUs and MIG slices that are here now; None where NVML cannot be asked.

    CUDA_VISIBLE_DEVICES has no part in it: by number, the variable means other cards once one is gone. And a driver
    that is being exchanged answers nothing, while runs go on: that is no card that vanished.
    """
    with _opened(nvml) as opened:
        if opened is None:
            return None
        found = (_mig_slice(opened, uuid) if uuid.startswith(MIG) else _whole_card(opened, uuid) for uuid in uuids)
        return tuple(gpu for gpu in found if gpu is not None)


@contextmanager
def _opened(nvml: Any) -> Iterator[Any]:
    """NVML while it is in use; None without a driver or where it does not answer."""
    nvml = nvml or _import_nvml()
    if nvml is None or not _initialised(nvml):
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _initialised(nvml: Any) -> bool:
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return False
    return True


def _import_nvml() -> Any:
    try:
        import pynvml  # noqa: PLC0415 - optional, and only asked for where devices are
    except ImportError:
        return None
    return pynvml


def _physical(nvml: Any) -> tuple[Gpu, ...]:
    """All cards; one that fell off the bus is left out."""
    found = []
    for index in range(_ask(nvml, nvml.nvmlDeviceGetCount) or 0):
        handle = _ask(nvml, nvml.nvmlDeviceGetHandleByIndex, index)
        gpu = _describe(nvml, handle, index) if handle is not None else None
        if gpu is not None:
            found.append(gpu)
    return tuple(found)


def _only_visible(nvml: Any, gpus: Sequence[Gpu], visible: str) -> tuple[Gpu, ...]:
    """As CUDA reads the variable: in its order, and nothing from the first entry on that means no device.

    Source: CUDA C++ Programming Guide, "CUDA Environment Variables". Numbers are taken along the bus, which is
    CUDA's own order too where all cards are alike or CUDA_DEVICE_ORDER=PCI_BUS_ID.
    """
    chosen: list[Gpu] = []
    for entry in (word.strip() for word in visible.split(",")):
        if entry.startswith(MIG):
            gpu = _mig_slice(nvml, entry)
        elif entry.isdecimal():
            gpu = next((each for each in gpus if each.index == int(entry)), None)
        else:
            begins = [each for each in gpus if entry and each.uuid.startswith(entry)]
            gpu = begins[0] if len(begins) == 1 else None
        if gpu is None or gpu in chosen:
            break
        chosen.append(gpu)
    return tuple(chosen)


def _mig_slice(nvml: Any, uuid: str) -> Gpu | None:
    """A slice by its UUID, under the number of the card that it is a part of."""
    handle = _ask(nvml, nvml.nvmlDeviceGetHandleByUUID, uuid)
    card = None if handle is None else _ask(nvml, nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle, handle)
    index = None if card is None else _ask(nvml, nvml.nvmlDeviceGetIndex, card)
    return None if index is None else _describe(nvml, handle, index)


def _whole_card(nvml: Any, uuid: str) -> Gpu | None:
    handle = _ask(nvml, nvml.nvmlDeviceGetHandleByUUID, uuid)
    index = None if handle is None else _ask(nvml, nvml.nvmlDeviceGetIndex, handle)
    return None if index is None else _describe(nvml, handle, index)


def _describe(nvml: Any, handle: Any, index: int) -> Gpu | None:
    uuid = _ask(nvml, nvml.nvmlDeviceGetUUID, handle)
    if uuid is None:
        return None
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError_GpuIsLost:  # it fell off the bus, while its handle and its UUID can still be had
        return None
    except nvml.NVMLError:
        memory = None
    rates = _ask(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    temperature = _ask(nvml, nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
    milliwatts = _ask(nvml, nvml.nvmlDeviceGetPowerUsage, handle)
    millijoules = _ask(nvml, nvml.nvmlDeviceGetTotalEnergyConsumption, handle)
    processes = _ask(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
    return Gpu(
        uuid=_text(uuid),
        index=index,
        name=_text(_ask(nvml, nvml.nvmlDeviceGetName, handle) or ""),
        memory_total_mib=None if memory is None else memory.total // MIB,
        memory_free_mib=None if memory is None else memory.free // MIB,
        utilization=None if rates is None else rates.gpu / 100,
        temperature_celsius=temperature,
        power_watts=None if milliwatts is None else milliwatts / 1000,
        energy_joules=None if millijoules is None else millijoules / 1000,
        processes=tuple(
            GpuProcess(each.pid, None if each.usedGpuMemory is None else each.usedGpuMemory // MIB)
            for each in processes
        ),
    )


def _ask(nvml: Any, question: Callable[..., Any], *about: Any) -> Any:
    """NVML's answer, or None where this card or driver does not give one."""
    try:
        return question(*about)
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    # Old releases of pynvml answer in bytes.
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
