"""`python -m bertmt.training <run folder> [<attempt>]`: the process that trains one run.

It knows its run folder and nothing else. Exit codes: 0 after a `finished` event, 1 after a `failed` one, 4 where
another process works the run or this attempt is over, 5 where a failed run could not even write that, 143 or 130 after
a `stopped` one: SIGTERM or SIGINT.
"""

import errno
import logging
import os
import sys
import time
from pathlib import Path

from bertmt.errors import BertmtError, BusyError, NotFoundError, UsageError
from bertmt.run_folder.events import EventWriter
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive
from bertmt.training.memory import memory_shortage
from bertmt.training.progress import Progress
from bertmt.training.stopping import StopFlag, StoppedError

FAILED, USAGE, BUSY, CANNOT_WRITE = 1, 2, 4, 5
# The machine's business, neither ours nor the recipe's.
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
ERROR_LIMIT = 1000

log = logging.getLogger("bertmt.training")


def main(arguments: list[str]) -> int:
    """Train the run of a folder; returns the exit code."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("bertmt").setLevel(logging.INFO)
    stop = StopFlag()
    stop.install()
    try:
        if not 1 <= len(arguments) <= 2:
            raise UsageError("Usage: python -m bertmt.training RUN_FOLDER [ATTEMPT]")
        folder = RunFolder(Path(arguments[0]))
        if not folder.order.is_file():
            raise NotFoundError(f"{folder.path} is no run folder: it holds no run.json.")
        with hold_alive(folder):
            order = folder.read_order()
            if arguments[1:] not in ([], [str(order.attempt)]):
                raise BusyError(
                    f"The run in {folder.path} is at attempt {order.attempt}, not at {arguments[1]} any more."
                )
            return train_folder(folder, order, stop)
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return BUSY if isinstance(problem, BusyError) else USAGE if isinstance(problem, UsageError) else FAILED


def train_folder(folder: RunFolder, order: RunOrder, stop: StopFlag) -> int:
    """Train the run whose lock is held, with every failure told as its last event; returns the exit code."""
    started = time.monotonic()
    progress = Progress()
    events = EventWriter(folder.events(order.attempt), fresh=True)
    try:
        prepare_environment(order)
        # torch must find the environment prepared, and a second child on a folder should be refused at once.
        from bertmt.training.attempt import train_attempt  # noqa: PLC0415

        train_attempt(folder, order, events, stop, progress, started)
    except StoppedError as request:
        log.info("The run was %s.", request)
        tell_end(events, "stopped", step=progress.step, signal=request.signal_name)
        return request.exit_code
    except BertmtError as problem:
        log.error("%s", problem)
        return tell_end(events, "failed", error=one_line(str(problem)), step=progress.step)
    except Exception as fault:
        shortage = memory_shortage(fault)
        if shortage is not None:
            log.error("%s", shortage)
            return tell_end(events, "failed", error=one_line(shortage), step=progress.step, out_of_memory=True)
        error = one_line(f"{type(fault).__name__}: {fault}")
        if isinstance(fault, OSError) and fault.errno in DISK_TROUBLE:
            log.error("%s", error)
        else:
            log.exception("This is a fault of bertmt or of a library, not of the run's recipe:")
        return tell_end(events, "failed", error=error, step=progress.step)
    finally:
        events.close()
    return 0


def tell_end(events: EventWriter, event: str, **content: object) -> int:
    """Write the last event; the exit code of a failed run. On a full disk the code alone can tell."""
    try:
        events.write(event, **content)
    except OSError as problem:
        log.error("The last event could not be written: %s", problem)
        return CANNOT_WRITE
    return FAILED


def prepare_environment(order: RunOrder) -> None:
    """What libraries read from the environment when they are imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would come on top of the run's
    # Threads that wait for each other by spinning took 5 times as long where other processes wanted the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What deterministic=true needs of cuBLAS; nobody else is slower for it.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if order.device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = order.device.removeprefix("cuda:")


def one_line(text: str) -> str:
    """An error as the list of runs shows it."""
    line = " ".join(text.split())
    return line if len(line) <= ERROR_LIMIT else line[: ERROR_LIMIT - 1] + "…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
