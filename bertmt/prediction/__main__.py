"""`python -m bertmt.prediction <run folder>`: questions on stdin, answers on stdout, both JSON lines.

Exit codes: 0, or 2 with one sentence on stderr. The run folder is only read.
"""

import json
import logging
import os
import sys
from pathlib import Path

from bertmt.errors import BertmtError, NotFoundError, UsageError
from bertmt.run_folder.layout import RunFolder

USAGE = 2


def main(arguments: list[str]) -> int:
    """Answer every question; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        if len(arguments) != 1:
            raise UsageError("Usage: python -m bertmt.prediction RUN_FOLDER")
        folder = RunFolder(Path(arguments[0]))
        if not folder.model.is_dir():
            raise NotFoundError(
                f"{folder.path} holds no trained weights: the run has not finished, or its recipe has keep_model=false."
            )
        answer_questions(folder)
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return USAGE
    return 0


def answer_questions(folder: RunFolder) -> None:
    """Read all of stdin, and write the answers in its order."""
    # A run without weights is refused at once, without the seconds that torch takes.
    from bertmt.models.saving import load_model  # noqa: PLC0415
    from bertmt.prediction.answering import answers  # noqa: PLC0415
    from bertmt.prediction.questions import read_questions  # noqa: PLC0415

    model, tokenizer = load_model(folder.model)
    for answer in answers(model, tokenizer, read_questions(sys.stdin, model.tasks)):
        sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
