"""Starting a user's own program with a message."""

import subprocess
from collections.abc import Sequence


def hand_to_program(command: Sequence[str], message: str, seconds: float) -> str:
    """Start it with the message as its last argument and wait; what went wrong, "" for nothing.

    Raises:
        OSError: it cannot be started.
    """
    quiet = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            [*command, message], stdin=quiet, stdout=quiet, stderr=quiet, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {seconds:.0f} s"
    return f"{command[0]} ended with code {ended.returncode}" if ended.returncode else ""
