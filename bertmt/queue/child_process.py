"""One training child: started in its own process session, so that it outlives the worker; stopped politely first."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.devices.slots import CPU
from bertmt.registry.records import Run
from bertmt.run_folder.layout import RunFolder, RunOrder, is_alive

STOP_GRACE_SECONDS = 20.0
TRAINING_COMMAND = (sys.executable, "-m", "bertmt.training")


@dataclass
class ChildProcess:
    """A started child and when it was asked to stop.

    Attributes:
        stopped_at: monotonic seconds, or None.
    """

    process: subprocess.Popen[bytes]
    stopped_at: float | None = None

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def exit_reason(self) -> str:
        """How it ended, for people."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"killed by signal {-code} ({signal.Signals(-code).name})"
        return f"ended with exit code {code}"

    def ask_to_stop(self) -> None:
        """SIGTERM at first; SIGKILL once the grace time is over. Safe to call again and again."""
        if self.has_ended():
            return
        if self.stopped_at is None:
            self.stopped_at = time.monotonic()
            self.process.terminate()
        elif time.monotonic() - self.stopped_at > STOP_GRACE_SECONDS:
            self.process.kill()


def start_child(
    run: Run, folder: RunFolder, device: str, threads: int, command: Sequence[str] = TRAINING_COMMAND
) -> ChildProcess:
    """Make the run folder, open its log, and start the child.

    Args:
        device: "cpu", or the UUID of a GPU.
        command: what is started, with the run folder as its last argument.

    Raises:
        OSError: the folder cannot be written or the process not be started.
    """
    order = RunOrder(
        run_id=run.id,
        name=run.name,
        attempt=run.attempt,
        data=run.data,
        extra_data_file=run.extra_data_file,
        fingerprints=run.fingerprints,
        device=device if device == CPU else f"cuda:{device}",
        threads=threads,
    )
    folder.create(order, run.recipe_json)
    # Waiting OpenMP threads that spin make a step a hundred times slower where another process has the core
    # (measured with tiny: 2,107 ms instead of 19 ms).
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONUNBUFFERED": "1"}
    if threads:
        # Two children that each take all cores slow each other down by far more than half.
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    handle = os.open(folder.log(run.attempt), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [*command, str(folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    return ChildProcess(process)


def ask_orphan_to_stop(run: Run, folder: RunFolder) -> None:
    """SIGTERM to the child of a worker that is gone.

    The held lock proves that the attempt's child is alive, and its first event tells its pid: no other process can
    have that pid meanwhile.
    """
    pid = run.started.get("pid")
    if isinstance(pid, int) and run.started.get("attempt") == run.attempt and is_alive(folder):
        # Where it ended in this very moment there is nothing to stop.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
