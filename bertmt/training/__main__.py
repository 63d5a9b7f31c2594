"""`python -m bertmt.training <run folder> [<attempt>]`: the process that trains one run.

It knows its run folder and nothing else. Exit codes: 0 after a `finished` event or where it paused as it was to, 1
after a `failed` one, 4 where another process works the run or this attempt is over, 5 where a failed run could not even
write that, 6 where its folder was moved or became another's, 143 or 130 after a `stopped` one: SIGTERM or SIGINT.
"""

import errno
import logging
import os
import sys
import time
from pathlib import Path

from bertmt.devices.energy import EnergyMeter
from bertmt.errors import BertmtError, BusyError, NotFoundError, UsageError
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Displaced, Event, Failed, Stopped, now
from bertmt.run_folder.held_folder import DisplacedError, HeldFolder, Place
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.memory import memory_shortage
from bertmt.training.stopping import PausePointError, StopFlag, StoppedError
from bertmt.training.timing import MeteredEvents

FAILED, USAGE, BUSY, CANNOT_WRITE, DISPLACED = 1, 2, 4, 5, 6
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
        with HeldFolder(folder) as held:
            order = folder.read_order()
            if arguments[1:] not in ([], [str(order.attempt)]):
                raise BusyError(
                    f"The run in {folder.path} is at attempt {order.attempt}, not at {arguments[1]} any more."
                )
            return train_folder(held, order, stop)
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return BUSY if isinstance(problem, BusyError) else USAGE if isinstance(problem, UsageError) else FAILED


def train_folder(held: HeldFolder, order: RunOrder, stop: StopFlag) -> int:
    """Train the run whose lock is held, with every failure told as its last event; returns the exit code."""
    started = time.monotonic()
    progress = Progress()
    folder = held.folder
    events = MeteredEvents(folder.events(order.attempt), EnergyMeter(order.device))
    held.writes(folder.events(order.attempt))
    stop.held = held
    try:
        prepare_environment(order)
        # torch must find the environment prepared, and a second child on a folder should be refused at once.
        from bertmt.training.attempt import train_attempt  # noqa: PLC0415

        train_attempt(folder, order, events, stop, progress, started)
    except StoppedError as request:
        log.info("The run was %s.", request)
        after = request.epoch if isinstance(request, PausePointError) else None
        tell_end(events, Stopped(at=now(), step=progress.step, signal=request.signal_name, after_epoch=after))
        return request.exit_code
    except Exception as fault:
        if not isinstance(fault, DisplacedError) and held.place() in (Place.AWAY, Place.ANOTHER):
            log.error("%s", one_line(str(fault)))
            fault = held.displaced()  # no wonder that something failed
        return tell_failure(events, progress, fault)
    finally:
        events.close()
    return 0


def tell_failure(events: EventWriter, progress: Progress, fault: Exception) -> int:
    """Write to the log and as the last event why the run does not go on; the exit code."""
    if isinstance(fault, DisplacedError):
        log.error("%s", fault)
        tell_end(events, Displaced(at=now(), step=progress.step, reason=one_line(str(fault))))
        return DISPLACED
    shortage = memory_shortage(fault)
    if shortage is not None and not isinstance(fault, BertmtError):
        log.error("%s", shortage)
        return tell_end(events, Failed(at=now(), error=one_line(shortage), step=progress.step, out_of_memory=True))
    error = one_line(str(fault) if isinstance(fault, BertmtError) else f"{type(fault).__name__}: {fault}")
    if isinstance(fault, BertmtError) or (isinstance(fault, OSError) and fault.errno in DISK_TROUBLE):
        log.error("%s", error)
    else:
        log.error("This is a fault of bertmt or of a library, not of the run's recipe:", exc_info=fault)
    return tell_end(events, Failed(at=now(), error=error, step=progress.step))


def tell_end(events: EventWriter, event: Event) -> int:
    """Write the last event; the exit code of a failed run. On a full disk the code alone can tell."""
    try:
        events.write(event)
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
