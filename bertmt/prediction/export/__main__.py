"""`python -m bertmt.prediction.export <run folder> [<digest> …]`: the process that writes a model for another library.

The digests are as of `bertmt.prediction`. Reads one JSON object from standard input, {"to", "folder", "task", "base"},
see `writing.Wanted`, and fills the folder, which is there and empty. Answers on standard output with one JSON object,
{"predicted_by", "left_out"}, see `trained.Files`. The run folder is only read.

Exit codes: 0, 2 with one sentence on standard error where a person can mend it, 1 with a traceback where not.
"""

import json
import os
import sys
from pathlib import Path

from bertmt.errors import BertmtError, UsageError
from bertmt.run_folder.layout import RunFolder

CANNOT = 2


def main(arguments: list[str]) -> int:
    """Write what is asked for; returns the exit code."""
    try:
        if not arguments:
            raise UsageError("Usage: python -m bertmt.prediction.export RUN_FOLDER [DIGEST ...]")
        asked = json.loads(sys.stdin.buffer.readline())
        os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        # Libraries must find the environment prepared.
        from bertmt.prediction.export.writing import Wanted, write  # noqa: PLC0415

        wanted = Wanted(asked["to"], Path(asked["folder"]), asked["task"], asked["base"])
        files = write(RunFolder(Path(arguments[0])), wanted, arguments[1:])
        sys.stdout.write(json.dumps({"predicted_by": files.predicted_by, "left_out": files.left_out}) + "\n")
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
