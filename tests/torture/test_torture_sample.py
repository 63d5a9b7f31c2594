"""A sample of `make torture`; the whole is for an evening."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_sample_of_kills_leaves_every_invariant_whole():
    command = [sys.executable, "-m", "torture", "--kills", "8", "--every", "0", "--damage", "0", "--real", "0"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " 0 violations" in done.stdout
