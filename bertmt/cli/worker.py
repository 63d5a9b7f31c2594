"""`bertmt worker` and `bertmt workers`."""

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.cli.tables import Column, Row, table
from bertmt.services.run_words import local_time

if TYPE_CHECKING:
    from bertmt.services.opening import Database

COLUMNS = (
    Column("worker", True), Column("host"), Column("pid", True), Column("since"), Column("slots"), Column("works on"),
)  # fmt: skip
Drain = Annotated[bool, typer.Option("--drain", help="End when nothing waits and nothing runs here.")]
Slots = Annotated[int, typer.Option("--slots", metavar="N", min=1, help="Runs at a time per device.")]
Device = Annotated[
    str, typer.Option("--device", metavar="SPEC", help="auto (GPUs, else the CPU), cpu, all, or GPUs such as 0,1.")
]
Detach = Annotated[bool, typer.Option("--detach", help="In the background, where it survives the terminal.")]


def worker(
    context: typer.Context, drain: Drain = False, slots: Slots = 1, device: Device = "auto", detach: Detach = False
) -> None:
    """Work the queue; Ctrl-C puts running runs back.

    Without --drain it waits for more. Runs go to the GPUs that are here, else to the CPU, one per device and slot.
    """
    from bertmt.services.workers import worker_command

    database = existing_registry(context)
    if detach:
        _detach(database, drain, slots, device)
        return
    command = worker_command(database.path, drain, slots, device)
    database.close()
    output.end()
    # The worker takes this process' place: signals and exit code are its own.
    os.execv(command[0], command)


def workers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the workers that are alive and their runs."""
    from bertmt.services.workload import workload

    database = existing_registry(context)
    found = workload(database)
    if as_json:
        listed = [
            {"key": each.key, "host": each.host, "pid": each.pid, "slots": list(each.slots),
             "started_at": each.started_at, "heartbeat_at": each.heartbeat_at, "runs": ids}
            for each, ids in found.workers
        ]  # fmt: skip
        output.write_document("bertmt.workers/1", {"workers": listed, "queued": found.queued})
        return
    rows = [
        Row([str(each.key), each.host, str(each.pid), local_time(each.started_at), " ".join(each.slots), " ".join(ids)])
        for each, ids in found.workers
    ]
    output.write_lines(table(COLUMNS, rows, output.table_width()) if rows else [])
    if rows:
        diagnostics.note("`kill PID` stops one: its running runs go back to the queue.")
    else:
        waiting = f"; {found.queued:,} queued" if found.queued else ""
        diagnostics.note(f"No worker is alive{waiting}. `bertmt worker` starts one.")


def _detach(database: "Database", drain: bool, slots: int, device: str) -> None:
    from bertmt.services.worker_start import await_worker
    from bertmt.services.workers import start_detached_worker, worker_log

    pid = start_detached_worker(database.path, drain, slots, device)
    await_worker(database, pid)
    output.write_lines([f"Worker started, process {pid}."])
    diagnostics.note(f"It writes to {worker_log(database.path)}; `bertmt workers` lists it, `kill {pid}` stops it.")


def work_until_empty(registry: Path) -> int:
    """A draining worker as a child of this process, which only passes signals on; its exit code."""
    from bertmt.services.workers import worker_command

    output.end()
    child = subprocess.Popen(worker_command(registry, drain=True))
    # Ctrl-C reaches the whole process group, so the worker hears it too and puts its runs back; we wait for that.
    handlers = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        return child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
