"""Starting the child that predicts, by its module's name."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PREDICTION_COMMAND = (sys.executable, "-m", "bertmt.prediction")


class Ended(NamedTuple):
    """What a child wrote, as bytes, and its exit code."""

    said: bytes
    complaints: bytes
    code: int


def ask_prediction(run_folder: Path, asked: bytes) -> Ended:
    """Start the child with a run's folder, write all that is asked, and wait for its end.

    Raises:
        OSError: it cannot be started.
    """
    # `communicate` reads while it writes, so neither side waits for the other over a full pipe.
    with subprocess.Popen(
        [*PREDICTION_COMMAND, str(run_folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            said, complaints = child.communicate(asked)
        except BaseException:
            child.kill()
            raise
    return Ended(said, complaints, child.returncode)
