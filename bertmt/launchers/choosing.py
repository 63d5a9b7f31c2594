"""The launcher that a name stands for, and its settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertmt.devices.slots import DeviceSlot, device_slots
from bertmt.errors import UsageError
from bertmt.launchers.local import LocalLauncher
from bertmt.launchers.protocol import LOCAL, Launcher
from bertmt.launchers.slurm.launcher import SlurmLauncher
from bertmt.launchers.slurm.settings import SLURM, read_settings
from bertmt.launchers.training import TRAINING_COMMAND

LAUNCHERS = (LOCAL, SLURM)


def local_launcher(command: Sequence[str] = TRAINING_COMMAND) -> Launcher:
    """The one that starts processes of this machine."""
    return LocalLauncher(command)


def chosen_launcher(
    name: str, tables: Mapping[str, Any], settings: Sequence[str], device: str = "auto", slots: int = 1
) -> tuple[Launcher, tuple[DeviceSlot, ...]]:
    """A launcher and the slots that it has.

    Args:
        tables: `[launcher]` of a user's settings: by the name of a launcher its settings.
        settings: "key=value" each, which win over those.
        device, slots: of this machine's processes, see `device_slots`.

    Raises:
        UsageError: there is no such launcher, or a setting is not one.
    """
    if name == LOCAL:
        if settings:
            raise UsageError("--set is for settings of another launcher: add --launcher slurm, or leave it out.")
        return local_launcher(), device_slots(device, slots)
    if name == SLURM:
        if (device, slots) != ("auto", 1):
            raise UsageError("--device and --slots are of this machine; for Slurm say --set gres=… and max_jobs=….")
        launcher = SlurmLauncher(read_settings(tables.get(SLURM, {}), settings))
        return launcher, launcher.slots()
    raise UsageError(f"There is no launcher {name!r}; there are {' and '.join(LAUNCHERS)}.")
