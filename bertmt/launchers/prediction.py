"""Starting the child that predicts, by its module's name."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PREDICTION_COMMAND = (sys.executable, "-P", "-m", "bertmt.prediction")


class Ended(NamedTuple):
    """What a child wrote, as bytes, and its exit code."""

    said: bytes
    complaints: bytes
    code: int


def ask_prediction(run_folder: Path, allowed: Iterable[str], asked: bytes) -> Ended:
    """Start the child with a run's folder, write all that is asked, and wait for its end.

    Args:
        allowed: digests of a user's own code that the child may run.

    Raises:
        OSError: it cannot be started.
    """
    # `communicate` reads while it writes, so neither side waits for the other over a full pipe.
    command = [*PREDICTION_COMMAND, str(run_folder), *allowed]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            said, complaints = child.communicate(asked)
        except BaseException:
            child.kill()
            raise
    return Ended(said, complaints, child.returncode)
