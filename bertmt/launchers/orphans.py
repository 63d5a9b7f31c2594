"""Stopping a job that no worker looks after, by what its scheduler calls it."""

from bertmt.launchers.slurm.commands import ask
from bertmt.launchers.slurm.settings import SLURM

SECONDS = 10.0


def stop_job(launcher: str, handle: str) -> None:
    """Ask its scheduler once to stop it, in its own way; the next worker hears how that ended, or asks again."""
    if launcher == SLURM:
        ask(("scancel", handle), seconds=SECONDS)
