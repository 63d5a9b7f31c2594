"""`python -m bertmt.prediction <run folder> [<digest> …]`: the process that predicts with a run's trained model.

The digests are of the sources of a user's own heads that may be run; who starts it knows them from the registry.
Reads questions from standard input, one JSON object per line: {"task", "id", "first", "second"}, where `second` is null
or left out for single sentences. Answers on standard output in the order of the questions, one JSON object per line:
{"task", "id", "label", "probabilities"}, see `answers`. Everything up to an empty line, or the end of the input, is
answered at once and flushed, so that a caller can keep the loaded model. The run folder is only read.

Exit codes: 0, 2 with one sentence on standard error where a person can mend it, 1 with a traceback where not.
"""

import os
import sys
from pathlib import Path

from bertmt.errors import BertmtError, NotFoundError, UsageError
from bertmt.run_folder.layout import RunFolder

FAILED, CANNOT = 1, 2


def main(arguments: list[str]) -> int:
    """Answer all questions with the model of a run folder; returns the exit code."""
    try:
        if not arguments:
            raise UsageError("Usage: python -m bertmt.prediction RUN_FOLDER [DIGEST ...]")
        folder = RunFolder(Path(arguments[0]))
        if not folder.model.is_dir():
            raise NotFoundError(
                f"There is no trained model in {folder.path}: the run has not finished, or was queued with "
                f"keep_model=false; `bertmt runs` shows which."
            )
        os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in bertmt.training
        # Libraries must find the environment prepared, and a missing model should be told without them.
        from bertmt.prediction.answers import answer_stream  # noqa: PLC0415

        answer_stream(folder, sys.stdin.buffer, sys.stdout.buffer, arguments[1:])
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT
    except BrokenPipeError:  # who asked is gone; Python would complain again while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
