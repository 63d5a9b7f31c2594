"""A sample of `make torture`; the whole is for an evening."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_sample_of_kills_failing_calls_and_damage_leaves_every_invariant_whole() -> None:
    command = [sys.executable, "-m", "torture", "--kills", "8", "--every", "150", "--damage", "1", "--real", "0"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " 0 violations" in done.stdout


def test_a_small_crowd_of_children_loses_no_point_and_is_never_refused() -> None:
    command = [sys.executable, "-m", "torture.crowd", "--children", "6", "--steps", "200"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "1,200 points of loss/sst" in done.stdout
