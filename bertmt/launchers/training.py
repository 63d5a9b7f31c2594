"""Starting a training child by its module's name."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bertmt.devices.slots import CPU
from bertmt.registry.records import Run, Submission
from bertmt.run_folder.layout import RunFolder, RunOrder

TRAINING_COMMAND = (sys.executable, "-P", "-m", "bertmt.training")


def order_of(run: Run, device: str, threads: int, keeps_checkpoints: bool = False) -> RunOrder:
    """What the child of a claimed run is told.

    Args:
        device: "cpu", or the UUID of a GPU.
    """
    return RunOrder(
        run_id=run.id,
        name=run.name,
        attempt=run.attempt,
        data=run.submission.data,
        extra_data_file=run.submission.extra_data_file,
        fingerprints=run.submission.fingerprints,
        device=device if device == CPU else f"cuda:{device}",
        threads=threads,
        checkpoint_dir=run.submission.checkpoint_dir,
        saves_memory=bool(run.execution.saves_memory),
        keeps_checkpoints=keeps_checkpoints,
        checkpoint_step=run.progress.checkpoint_step,
        encoder_fingerprints=run.submission.encoder_fingerprints,
        pause_after=run.queueing.pause_after,
    )


def start_training(
    folder: RunFolder,
    order: RunOrder,
    submission: Submission,
    sources: Mapping[str, str],
    command: Sequence[str] = TRAINING_COMMAND,
) -> "subprocess.Popen[bytes]":
    """Make the run folder, open the attempt's log, and start the child in its own process session.

    Args:
        sources: of losses and heads of a user's own, by digest.
        command: what is started, with the run folder and the attempt as its last arguments.

    Raises:
        OSError: the folder cannot be written or the process not be started.
        DataError: the registry does not say what its tasks are.
    """
    folder.create(order, submission.recipe_json, submission.known, sources=sources)
    # Waiting OpenMP threads that spin make a step a hundred times slower where another process has the core
    # (measured with tiny: 2,107 ms instead of 19 ms).
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONUNBUFFERED": "1"}
    if order.threads:
        # Two children that each take all cores slow each other down by far more than half.
        environment |= {"OMP_NUM_THREADS": str(order.threads), "MKL_NUM_THREADS": str(order.threads)}
    handle = os.open(folder.log(order.attempt), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [*command, str(folder.path), str(order.attempt)],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(handle)
