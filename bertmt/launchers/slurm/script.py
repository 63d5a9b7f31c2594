"""What a job of Slurm's executes, and how it is asked for."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from bertmt.launchers.slurm.settings import SlurmSettings
from bertmt.launchers.training import TRAINING_COMMAND

# What sbatch says where it cannot know whether the controller has the job: it may have.
UNSURE = ("contact", "timed out", "zero bytes", "connect", "communication", "transport")


def job_name(run_id: str, attempt: int) -> str:
    """By this a job is found whose number was never heard of."""
    return f"bertmt-{run_id}-{attempt}"


def sbatch_command(name: str, folder: Path, log: Path, settings: SlurmSettings) -> list[str]:
    """The command that submits it; the script is its input."""
    return [
        "sbatch", "--parsable",
        # The registry is the queue: it requeues, as a new attempt with a job of its own.
        "--no-requeue",
        f"--job-name={name}", "--nodes=1", "--ntasks=1",
        f"--chdir={_literal(folder)}", f"--output={_literal(log)}", "--open-mode=append",
        # To the processes of its step, which is the child alone; before a preemption too where the cluster has
        # SlurmctldParameters=preempt_send_user_signal.
        f"--signal=TERM@{settings.stop_seconds}",
        *settings.options(),
    ]  # fmt: skip


def _literal(path: Path) -> str:
    """A path in which sbatch replaces nothing."""
    return str(path).replace("%", "%%")


def script(folder: Path, attempt: int, settings: SlurmSettings, command: Sequence[str] = TRAINING_COMMAND) -> str:
    """What the node executes: the user's own lines, then the child.

    With srun, since signals before a time limit or a preemption go to the steps of a job, not to its script. The two
    variables of threads are those of `start_training`.
    """
    threads = f"export OMP_NUM_THREADS={settings.cpus} MKL_NUM_THREADS={settings.cpus}" if settings.cpus else ""
    cpus = [f"--cpus-per-task={settings.cpus}"] if settings.cpus else []
    started = shlex.join(["srun", "--ntasks=1", *cpus, *command, str(folder), str(attempt)])
    lines = ["#!/bin/bash", settings.setup, "export PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}"]
    return "\n".join([*lines, threads, f"exec {started}", ""])


def is_unsure(complaint: str) -> bool:
    """Whether a submission that failed may have reached the controller all the same."""
    return any(word in complaint.lower() for word in UNSURE)
