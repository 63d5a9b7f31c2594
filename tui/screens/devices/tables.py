"""Which run is where, and who holds memory: the columns of both tables."""

from collections.abc import Mapping, Sequence

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line, wrap_parts
from bertmt.services.browse.run_formatting import pending, place_of_work, speed_text
from bertmt.services.upkeep.devices import Holder, Place, memory_by_owner
from tui.formatting.run_signs import running_bar, state_sign
from tui.widgets.tables.columns import Column

PLACES = (
    Column("slot", "slot", 6, rank=1, meaning="device slot"),
    Column("worker", "worker", 6, rank=5, right=True, meaning="its worker's number"),
    Column("host", "host", 8, rank=7, from_width=90, meaning="machine, where it is another one; of a job its node"),
    Column("state", "", 1, rank=3, words=9),
    Column("id", "run", 6, rank=2, meaning="id of the run"),
    Column("name", "name", 10, rank=4, elastic=True, is_name=True, meaning="its name"),
    Column("seed", "seed", 4, rank=8, right=True, meaning="its seed"),
    Column("progress", "progress", 18, rank=6, meaning="how far it is, and the time left"),
    Column("speed", "speed", 12, rank=9, right=True, meaning="steps per second, or seconds per step"),
)
HOLDERS = (
    Column("pid", "pid", 7, rank=3, right=True, meaning="process id"),
    Column("user", "owner", 8, rank=2, meaning="its user"),
    Column("memory", "memory", 9, rank=1, right=True, meaning="resident memory"),
    Column("gpu", "gpu memory", 15, rank=4, right=True, meaning="memory held on GPUs"),
    Column("busy", "cpu", 5, rank=5, right=True, meaning="100 % is one hardware thread"),
    Column("what", "is", 10, rank=6, meaning="run or worker"),
    Column("command", "process", 8, rank=7, elastic=True, meaning="name of the process"),
)
GIB, LEAST_GIB = 1024, 1000  # MiB; and from how many on GiB are said
HIDDEN = "unknown"  # out of sight, as outside of a container
MOST_OWNER_LINES = 2


def place_cell(row: Place, column: Column, speeds: Mapping[str, float]) -> Span:
    """The cell of a column for a slot.

    Args:
        speeds: steps per second, by ids of runs.
    """
    run = row.run
    match column.key:
        case "slot":
            return Span(safe_text(row.slot), "" if run else "dim")
        case "worker":
            return Span("none" if row.worker is None else str(row.worker.key), "bad" if row.worker is None else "dim")
        case "host":
            if run is not None and run.execution.job is not None:
                return Span(place_of_work(run) if run.execution.job.node else "", "dim")
            return Span("" if row.worker is None or row.is_here else safe_text(row.worker.host), "dim")
    if run is None:
        return Span("idle" if column.key == "id" else "", "dim")
    match column.key:
        case "state":
            return state_sign(run)
        case "id":
            return Span(run.id)
        case "name":
            return Span(safe_text(run.name))
        case "seed":
            return Span(str(run.seed), "dim")
        case "speed":
            return Span(speed_text(speeds.get(run.id)), "dim")
        case _ if pending(run):
            return Span(pending(run), "dim")
        case _:
            return Span("starting", "dim") if run.share_done is None else running_bar(run, run.share_done)


def holder_cell(row: Holder, column: Column) -> Span:
    """The cell of a column for a process."""
    match column.key:
        case "pid":
            return Span(str(row.pid), "dim")
        case "user":
            return Span(safe_text(row.user) if row.user else HIDDEN, "" if row.user else "dim")
        case "memory":
            return Span(amount(row.memory_mib))
        case "gpu":
            return _on_gpus(row)
        case "busy":
            return Span(numbers.MISSING if row.busy is None else f"{row.busy:.0%}", "dim")
        case "what":
            return Span(safe_text(row.what), "good" if row.run is not None else "dim")
        case _:
            return Span(safe_text(row.command), "dim")


def _on_gpus(row: Holder) -> Span:
    """What a process holds there, all GPUs together, and where."""
    held = row.gpu_memory_mib
    if not held:
        return Span("")
    where = f"gpu{min(held)}" if len(held) == 1 else f"{len(held)} GPUs"
    known = [each for each in held.values() if each is not None]
    return Span(f"{amount(sum(known) if known else None)} {where}", "series2")


def owner_lines(holders: Sequence[Holder], width: int) -> list[Line]:
    """Memory by owner, most first, as many as fit."""
    parts = [line(Span("memory by owner", "dim"))]
    for user, memory, on_gpus in memory_by_owner(holders):
        on_cpu = f" {amount(memory)}{',' * bool(on_gpus)}" if memory else ""
        gpu = Span(f" {amount(on_gpus)} on GPUs", "series2") if on_gpus else ""
        parts.append(line(Span(safe_text(user) if user else HIDDEN, "title"), on_cpu, gpu))
    return wrap_parts(parts, width)[:MOST_OWNER_LINES]


def amount(mib: int | None) -> str:
    """An amount of memory; a dash where nobody says it."""
    if mib is None:
        return numbers.MISSING
    return f"{mib / GIB:.1f} GiB" if mib >= LEAST_GIB else f"{mib} MiB"
