"""`bertmt worker` and `bertmt workers`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.browse.run_formatting import local_time, slot_words

if TYPE_CHECKING:
    from bertmt.registry.records import Worker
    from bertmt.services.browse.workload import Workload
    from bertmt.services.opening import Registry

COLUMNS = (
    Column("worker", True), Column("host"), Column("pid", True), Column("since"), Column("slots"), Column("works on"),
    Column("and then"),
)  # fmt: skip
# What was asked of a worker → what becomes of it.
ENDS = {
    None: "", "drain": "stops once the queue is empty", "stop": "stops; its runs go back to the queue",
    "go on": "starts runs again",
}  # fmt: skip
Drain = Annotated[bool, typer.Option("--drain", help="Exit once nothing is waiting or running here.")]
Slots = Annotated[int, typer.Option("--slots", metavar="N", min=1, help="Concurrent runs per device.")]
Device = Annotated[
    str, typer.Option("--device", metavar="SPEC", help="auto (GPUs, else the CPU), cpu, all, or GPUs such as 0,1.")
]
StopKeys = Annotated[
    list[int] | None,
    typer.Option("--stop", metavar="WORKER", help="Stop that worker now; its runs go back to the queue."),
]
DrainKeys = Annotated[
    list[int] | None,
    typer.Option("--drain", metavar="WORKER", help="Stop that worker once nothing is waiting or running there."),
]
GoOnKeys = Annotated[
    list[int] | None,
    typer.Option("--go-on", metavar="WORKER", help="Reset a worker halted by three consecutive crashes."),
]
Detach = Annotated[bool, typer.Option("--detach", help="Run in the background, where it outlives the terminal.")]
Launcher = Annotated[
    str, typer.Option("--launcher", metavar="NAME", help="Where runs are started: local (this machine) or slurm.")
]
LauncherSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting of the launcher, over those of [launcher.slurm] in bertmt.toml."
    ),
]


def worker(
    context: typer.Context,
    drain: Drain = False,
    slots: Slots = 1,
    device: Device = "auto",
    detach: Detach = False,
    launcher: Launcher = "local",
    settings: LauncherSettings = None,
) -> None:
    """Work the queue; Ctrl-C requeues what is running.

    Without --drain it waits for more runs. Runs go to the GPUs if there are any, else to the CPU, one per slot.
    With --launcher slurm each run is a job of Slurm's, which goes on without its worker.
    """
    from bertmt.services.lifecycle.workers import become_worker, elsewhere

    database = existing_registry(context)
    options = elsewhere(launcher, settings or ())
    if detach:
        _detach(database, drain, slots, device, options)
        return
    database.close()
    output.end()
    become_worker(database.path, drain, slots, device, options)


def workers(
    context: typer.Context,
    stop: StopKeys = None,
    drain: DrainKeys = None,
    go_on: GoOnKeys = None,
    as_json: AsJson = False,
) -> None:
    """List live workers and their runs, or stop some.

    --stop, --drain and --go-on reach workers on any machine that shares the registry.
    """
    from bertmt.services.browse.workload import workload

    database = existing_registry(context)
    said = _ask(database, stop or (), drain or (), go_on or ())
    if as_json:
        _write_document(workload(database))
    elif said:
        output.write_lines(said)
    else:
        _write_table(workload(database))


def _ask(database: "Registry", stop: Sequence[int], drain: Sequence[int], go_on: Sequence[int]) -> list[str]:
    """Ask workers to end or to go on; what each will do."""
    from bertmt.services.lifecycle.worker_control import drain_worker, find_worker, let_go_on, stop_worker

    # All are found before the first is asked: a mistyped number must not leave half of it done.
    stopping = [find_worker(database, key) for key in stop]
    draining = [find_worker(database, key) for key in drain]
    going_on = [find_worker(database, key) for key in go_on]
    asked = [stop_worker(database, each) for each in stopping] + [drain_worker(database, each) for each in draining]
    asked += [let_go_on(database, each) for each in going_on]
    return [safe_text(f"Worker {each.key} on {each.host} {_end_of(each)}.") for each in asked]


def _end_of(worker: "Worker") -> str:
    """What becomes of a worker; of jobs it takes none along."""
    has_jobs = worker.request == "stop" and any("-job-" in slot for slot in worker.slots)
    return "stops; its jobs go on" if has_jobs else ENDS[worker.request]


def _write_document(found: "Workload") -> None:
    listed = [
        {"key": each.key, "host": each.host, "pid": each.pid, "slots": list(each.slots), "request": each.request,
         "guard": each.guard,
         "started_at": each.started_at, "heartbeat_at": each.heartbeat_at, "runs": ids}
        for each, ids in found.workers
    ]  # fmt: skip
    output.write_document("bertmt.workers/1", {"workers": listed, "queued": found.queued, "held": found.held})


def _write_table(found: "Workload") -> None:
    from bertmt.cli.runs import HELD_QUEUE

    rows = [
        Row([str(each.key), each.host, str(each.pid), local_time(each.started_at), slot_words(each.slots),
             " ".join(ids), "starts nothing, see below" if each.starts_nothing else _end_of(each)])
        for each, ids in found.workers
    ]  # fmt: skip
    output.write_lines(table(COLUMNS, rows, output.table_width()) if rows else [])
    if rows:
        diagnostics.note("`bertmt workers --stop WORKER` stops one; its runs go back to the queue.")
    else:
        waiting = f"; {found.queued:,} queued" if found.queued else ""
        diagnostics.note(f"No worker is running{waiting}; `bertmt worker` starts one.")
    for each, _ in found.workers:
        if each.guard:
            diagnostics.note(safe_text(f"Worker {each.key}: {each.guard}."))
            diagnostics.note(f"`bertmt workers --go-on {each.key}` lets it start runs again.")
    if found.held:
        diagnostics.note(HELD_QUEUE)


def _detach(database: "Registry", drain: bool, slots: int, device: str, options: Sequence[str]) -> None:
    from bertmt.services.lifecycle.worker_start import await_worker
    from bertmt.services.lifecycle.workers import start_detached_worker, worker_log

    pid = start_detached_worker(database.path, drain, slots, device, options)
    await_worker(database, pid)
    output.write_lines([f"Worker started, process {pid}."])
    diagnostics.note(f"It writes to {worker_log(database.path)}; `bertmt workers` lists it, and stops it with --stop.")
