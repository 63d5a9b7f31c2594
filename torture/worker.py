"""`python -m torture.worker PACE CHILD_COMMAND …`: the real worker with other children.

CHILD_COMMAND is a JSON list; what follows is for `python -m bertmt.worker`. Kills come by the hundred, so a "hurried"
worker looks more often than it would, and does not take them for a broken machine; a "calm" one is as it is.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bertmt.devices.slots import DeviceSlot, device_slots
from bertmt.launchers.local import LocalLauncher
from bertmt.launchers.protocol import Launcher
from bertmt.launchers.slurm.launcher import SlurmLauncher
from bertmt.launchers.slurm.settings import SLURM, read_settings
from bertmt.services.ingest import reconcile as reconciling
from bertmt.worker import __main__ as program
from bertmt.worker import crash_guard, settling, worker


def main() -> int:
    pace, command = sys.argv[1], json.loads(sys.argv[2])
    sys.argv = ["python -m bertmt.worker", *sys.argv[3:]]
    if pace == "hurried":
        LocalLauncher.round_seconds = 0.03
        worker.HEARTBEAT_SECONDS = 0.25
        worker.TROUBLE_SECONDS = 0.3
        settling.BUSY_PAUSE = timedelta(seconds=0.5)
        reconciling.SILENT_AFTER_SECONDS = 0.2
        reconciling.START_GRACE_SECONDS = 3.0
        crash_guard.FIRST_SECONDS = -1.0

    def chosen(
        name: str, tables: Mapping[str, Any], settings: Sequence[str], device: str = "auto", slots: int = 1
    ) -> tuple[Launcher, tuple[DeviceSlot, ...]]:
        if name == SLURM:
            jobs = SlurmLauncher(read_settings({}, settings), command)
            return jobs, jobs.slots()
        return LocalLauncher(command), device_slots(device, slots)

    program.chosen_launcher = chosen  # type: ignore[attr-defined]  # as `main` finds it
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
