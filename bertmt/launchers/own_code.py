"""Starting the child that tries a user's own losses and heads, by its module's name."""

import json
import subprocess
import sys
from typing import Any

TRIAL_COMMAND = (sys.executable, "-P", "-m", "bertmt.own_code")
TRIED = "tried to the end"  # what `bertmt.own_code` writes last
LONGEST = 60.0  # seconds; torch takes some at its start, the toy batch none


def try_own_code(asked: dict[str, Any]) -> str:
    """What the child has against them, a sentence; "": nothing.

    Args:
        asked: `recipe`, `tasks` and `sources`, as `bertmt.own_code` reads them.

    Raises:
        OSError: it cannot be started.
    """
    try:
        ended = subprocess.run(
            TRIAL_COMMAND, input=json.dumps(asked), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"The losses or heads of your own took longer than {LONGEST:g} s on a toy batch."
    said, complaints = ended.stdout.strip().splitlines(), ended.stderr.strip().splitlines()
    if not ended.returncode and said[-1:] == [TRIED]:
        return ""
    if ended.returncode and complaints:
        return complaints[-1]
    return f"The losses or heads of your own ended the process that tries them, with code {ended.returncode}."
