"""What the machine at hand has to compute on, and how it does at this moment; these types come from here."""

from dataclasses import dataclass

from bertmt.devices.cpu import Cpu, CpuTimes, read_cpu, utilization
from bertmt.devices.gpus import Gpu, list_gpus

__all__ = ["Cpu", "CpuTimes", "Gpu", "Machine", "read_machine", "utilization"]


@dataclass(frozen=True)
class Machine:
    """The processor with its memory, and the GPUs that this process may use: none without a driver."""

    cpu: Cpu
    gpus: tuple[Gpu, ...]


def read_machine() -> Machine:
    """Ask the system and NVML now; neither loads CUDA nor takes memory of a GPU."""
    return Machine(read_cpu(), list_gpus())
