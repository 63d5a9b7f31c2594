"""`python -m bertmt.prediction.several`: loads the models of some runs once, and lets all of them answer what is typed.

JSON lines on standard input. The first names the runs: {"models": [{"run", "folder", "allowed"}, …]}; `allowed` are the
digests of sources of a user's own heads that may be run; several models of one run answer as one, by their mean. Each
later one asks: {"ask", "first", "second", "words"}, where `ask` is a number that is given back, `second` null for a
single sentence, and `words` whether to leave out each word in turn. Of questions that came while another was answered
only the newest is answered.

JSON lines on standard output: {"run", "tasks"} or {"run", "problem"} for each run, {"ready"}; then for each question
and each run's task {"ask", "run", "task", "label", "probabilities"} as in `bertmt.prediction`; behind all of these, for
each task {"ask", "run", "task", "words": [{"text", "label", "probabilities"}, …]}; {"problem"}, with "ask" and "run"
where they are known, where that cannot be had; and {"ask", "done"}. It ends with its input.
"""

import os
import sys

from bertmt.errors import BertmtError, UsageError
from bertmt.prediction.several.inbox import Inbox
from bertmt.prediction.several.lines import ModelToLoad, read_models

FAILED, CANNOT = 1, 2


def main() -> int:
    """Load what the first line names and answer the others; returns the exit code."""
    try:
        models = _first_line()
        inbox = Inbox(sys.stdin.buffer)
        os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in bertmt.training
        # Libraries must find the environment prepared.
        from bertmt.prediction.several.conversation import converse  # noqa: PLC0415

        converse(models, inbox, sys.stdout.buffer)
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT
    except BrokenPipeError:  # who asked is gone; Python would complain again while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return 0


def _first_line() -> list[ModelToLoad]:
    line = sys.stdin.buffer.readline()
    if not line:
        raise UsageError("The first line of input must name the models to load.")
    return read_models(line)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the thread that waits for input would be waited for
