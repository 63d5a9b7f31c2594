"""A sample of `make cluster`: real trainings as jobs of a real Slurm of two nodes on this machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from torture.slurm.__main__ import UNAVAILABLE

REPOSITORY = Path(__file__).parents[2]
# The first three kinds of faults: the process of a job is killed, the worker is, a higher partition preempts.
SAMPLE = ("--runs", "2", "--presets", "1", "--faults", "3", "--kinds", "3")


@pytest.mark.slow
def test_real_trainings_as_jobs_survive_kills_and_preemption_and_end_with_the_weights_of_local_ones() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "torture.slurm", *SAMPLE], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if ended.returncode == UNAVAILABLE:
        pytest.skip(f"no real Slurm here: {ended.stdout.strip()}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
