"""`python -m bertmt.training <run folder>`: the process that trains one run.

It knows its run folder and nothing else. Exit codes: 0 after a `finished` event, 1 after a `failed` one, 4 where
another process works the run, 143 or 130 where SIGTERM or SIGINT stopped it, without a last event.
"""

import logging
import os
import sys
import time
from pathlib import Path

from bertmt.errors import BertmtError, BusyError, NotFoundError, UsageError
from bertmt.run_folder.events import EventWriter
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive
from bertmt.training.progress import Progress
from bertmt.training.stopping import StopFlag, StoppedError

FAILED, USAGE, BUSY = 1, 2, 4
ERROR_LIMIT = 1000

log = logging.getLogger("bertmt.training")


def main(arguments: list[str]) -> int:
    """Train the run of a folder; returns the exit code."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("bertmt").setLevel(logging.INFO)
    stop = StopFlag()
    stop.install()
    try:
        if len(arguments) != 1:
            raise UsageError("Usage: python -m bertmt.training RUN_FOLDER")
        folder = RunFolder(Path(arguments[0]))
        if not folder.order.is_file():
            raise NotFoundError(f"{folder.path} is no run folder: it holds no run.json.")
        with hold_alive(folder):
            return train_folder(folder, folder.read_order(), stop)
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return BUSY if isinstance(problem, BusyError) else USAGE if isinstance(problem, UsageError) else FAILED


def train_folder(folder: RunFolder, order: RunOrder, stop: StopFlag) -> int:
    """Train the run whose lock is held, with every failure told as its last event; returns the exit code."""
    started = time.monotonic()
    progress = Progress()
    events = EventWriter(folder.events(order.attempt))
    try:
        prepare_environment(order)
        # torch must find the environment prepared, and a second child on a folder should be refused at once.
        from bertmt.training.attempt import train_attempt  # noqa: PLC0415

        train_attempt(folder, order, events, stop, progress, started)
    except StoppedError as request:
        log.info("The run was %s.", request)
        return request.exit_code
    except BertmtError as problem:
        log.error("%s", problem)
        events.write("failed", error=one_line(str(problem)), step=progress.step)
        return FAILED
    except Exception as fault:
        log.exception("This is a fault of bertmt or of a library, not of the run's recipe:")
        events.write("failed", error=one_line(f"{type(fault).__name__}: {fault}"), step=progress.step)
        return FAILED
    finally:
        events.close()
    return 0


def prepare_environment(order: RunOrder) -> None:
    """What libraries read from the environment when they are imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would come on top of the run's
    # Threads that wait for each other by spinning took 5 times as long where other processes wanted the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if order.device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = order.device.removeprefix("cuda:")


def one_line(text: str) -> str:
    """An error as the list of runs shows it."""
    line = " ".join(text.split())
    return line if len(line) <= ERROR_LIMIT else line[: ERROR_LIMIT - 1] + "…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
