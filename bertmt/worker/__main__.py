"""`python -m bertmt.worker --db PATH`: a worker in the foreground; `bertmt worker` starts it."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from bertmt.drawing.safe_text import safe_text
from bertmt.errors import BertmtError, UsageError
from bertmt.launchers.choosing import chosen_launcher
from bertmt.launchers.protocol import LOCAL
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.opening import opened_registry
from bertmt.services.plan.user_settings import LAUNCHER
from bertmt.services.upkeep.own_tables import read_own_table
from bertmt.worker.backing_up import backups_meanwhile
from bertmt.worker.telling import telling_meanwhile
from bertmt.worker.worker import Worker

INTERRUPTED = 130
MOST_NAMED = 8  # slots
STOPPING = "Stopping: running runs write a checkpoint and are requeued; after 60 s they are killed."
JOBS_GO_ON = "Stopping: jobs go on without this worker; the next one with this launcher looks after them."


def say(line: str) -> None:
    """One line for people; names and failures in it may come from anywhere."""
    sys.stdout.write(safe_text(line) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Work until the queue is empty (--drain) or until stopped; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bertmt.worker")
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--drain", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--launcher", default=LOCAL)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    try:
        # A cluster's `setup` is shell that runs as this user; processes of this machine have no settings there.
        tables = read_own_table(LAUNCHER)[1] if arguments.launcher != LOCAL else {}
        asked = arguments.set, arguments.device, arguments.slots
        launcher, slots = chosen_launcher(arguments.launcher, tables, *asked)
        with (
            opened_registry(arguments.db, create=True) as database,
            backups_meanwhile(arguments.db, say),
            telling_meanwhile(arguments.db, say),
        ):
            if database.notice:
                say(database.notice)
            ingest_running(database, silent_only=False)  # and settle what former workers left
            worker = Worker(database, slots, say, launcher=launcher)
            stopped_by: list[int] = []

            def stop(number: int, frame: FrameType | None) -> None:
                worker.stopping = True
                stopped_by.append(number)
                if len(stopped_by) == 1 and worker.children:
                    say(JOBS_GO_ON if launcher.outlive_worker else STOPPING)

            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, stop)
            places = ", ".join(slot.name for slot in slots[:MOST_NAMED])
            more = f" … {slots[-1].name}" if len(slots) > MOST_NAMED else ""
            say(f"Worker {worker.key} on {places}{more}; Ctrl-C stops it; no run is lost.")
            worker.work(arguments.drain)
            return INTERRUPTED if worker.stopping else 0
    except UsageError as problem:
        sys.stderr.write(f"bertmt: {safe_text(str(problem))}\n")
        return 2
    except (BertmtError, OSError) as problem:
        sys.stderr.write(f"bertmt: {safe_text(str(problem))}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
