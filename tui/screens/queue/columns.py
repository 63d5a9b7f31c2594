"""The columns of the queue and of the workers, each in one table."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.recipe.marks import toggle_marks
from bertmt.registry.records import Run, Worker, reader_of
from bertmt.registry.states import WAITING, State
from bertmt.services.browse.queue_times import Expected
from bertmt.services.browse.run_formatting import (
    asked,
    conditions,
    local_time,
    pending,
    place_of_work,
    progress,
    seconds_since,
    slot_words,
)
from tui.bindings import bound
from tui.formatting.run_signs import MARK_OF_REQUEST, running_bar, short_duration, state_sign
from tui.formatting.run_standing import standing
from tui.widgets.tables.columns import WIDE, Column, Spanning

COLUMNS = (
    Column("state", "", 1, rank=1, meaning="state, as a sign", words=9),
    Column("place", "#", 3, rank=3, right=True, meaning="place in the queue"),
    Column("id", "id", 6, rank=8, from_width=WIDE, meaning="id, for commands"),
    Column("name", "name", 12, rank=2, elastic=True, is_name=True, meaning="name, by default the preset's"),
    Column("seed", "seed", 4, rank=6, right=True, meaning="seed"),
    Column("toggles", "toggles", 9, rank=7, meaning="active toggles, a letter each"),
    Column("when", "when", 19, rank=4, meaning="progress, or expected start"),
    Column("takes", "takes", 8, rank=5, right=True, meaning="expected duration"),
    Column("device", "device", 6, rank=9, meaning="device"),
    Column("submitted", "submitted", 16, rank=10, from_width=WIDE, meaning="when it was queued"),
    Column("note", "note", 16, rank=11, elastic=True, from_width=WIDE + 40, meaning="note"),
)
WORKER_COLUMNS = (
    Column("worker", "worker", 6, rank=1, right=True, meaning="its number"),
    Column("host", "host", 8, rank=3, elastic=True, meaning="machine"),
    Column("pid", "pid", 7, rank=6, right=True, meaning="process id"),
    Column("slots", "slots", 8, rank=4, elastic=True, meaning="slots"),
    Column("since", "since", 16, rank=8, from_width=96, meaning="start time"),
    Column("heard", "heard of", 9, rank=5, meaning="time since its last heartbeat"),
    Column("runs", "works on", 12, rank=2, elastic=True, meaning="its runs"),
    Column("then", "and then", 15, rank=7, meaning="what it was asked to do"),
)
THEN = {None: "waits for more", "drain": "drains, ends", "stop": "stops", "go on": "starts again"}
STARTS_NOTHING = "starts nothing"
AGO_SECONDS = 10.0  # a worker says every few seconds that it is alive
LONG_AGO_SECONDS = 60.0


@dataclass(frozen=True)
class QueueLine:
    """A run of the queue's screen.

    Attributes:
        place: in the queue, from 1; 0 of a run that does not wait.
        is_stopped: nothing is started: the queue is held.
        obstacle: why it will not start without somebody's help; None: it will.
    """

    run: Run
    place: int = 0
    expected: Expected = Expected(None, None)
    is_stopped: bool = False
    obstacle: str | None = None


@dataclass(frozen=True)
class WorkerLine:
    """A worker that is alive, and the ids of its runs."""

    worker: Worker
    run_ids: tuple[str, ...]


def queue_cell(row: QueueLine, column: Column) -> Span:
    """The cell of a column for a run."""
    run = row.run
    match column.key:
        case "state":
            return state_sign(run)
        case "place":
            return Span(numbers.count(row.place) if row.place else "")
        case "name":
            return Span(safe_text(run.name))
        case "toggles":
            return Span(toggle_marks(run.recipe), "accent")
        case "when":
            return _when(row)
        case "takes":
            return Span(short_duration(row.expected.seconds), "dim")
        case "submitted":
            return Span(local_time(run.submission.submitted_at)[:16], "dim")
        case "device":
            return Span((place_of_work(run) or numbers.MISSING) if run.state is State.RUNNING else "", "dim")
        case _:
            return Span(safe_text(str(reader_of(column.key)(run))), "dim")


def _when(row: QueueLine) -> Span:
    run, word = row.run, asked(row.run)
    if word is not None:
        return Span(f"{word} {progress(run)}", MARK_OF_REQUEST[word].style)
    if run.state is State.LOST:
        return Span(f"lost: {bound('queue.requeue')} queues it", "bad")
    if run.state is State.PAUSED:
        step = run.progress.checkpoint_step
        at = "" if step is None else f" at step {numbers.count(step)}"
        return Spanning(f"paused{at}: {bound('runs.pause')} resumes", "accent")
    if pending(run):
        return Spanning(pending(run), "dim")
    if run.state is State.RUNNING:
        return Span("starting", "dim") if run.share_done is None else running_bar(run, run.share_done)
    if row.obstacle is not None:
        return Spanning(safe_text(f"stays: {row.obstacle}"), "bad")
    starts, said = _starts(row), safe_text(conditions(run))
    return Spanning(f"{starts.text}; {said}", starts.style) if said else starts


def _starts(row: QueueLine) -> Span:
    """When a waiting run is expected to start."""
    if row.run.state is State.HELD:
        return Span(f"held: {bound('queue.hold')} releases it", "dim")
    if row.is_stopped or row.expected.starts_in is None:
        return Span("queued", "dim")
    return Span("next" if not row.expected.starts_in else f"in {short_duration(row.expected.starts_in)}")


def at_hand(row: QueueLine | None) -> str:
    """What a line has no room for: all that the run waits for, and what stands in its way; "" where that is nothing."""
    if row is None or row.run.state not in WAITING:
        return ""
    run = row.run
    parts = [standing(run).text] if conditions(run) else []
    if parts and row.expected.starts_in is not None and not row.is_stopped:
        parts.append("starts now" if not row.expected.starts_in else f"starts {_starts(row).text}")
    if parts and row.expected.seconds is not None:
        parts.append(f"takes {short_duration(row.expected.seconds)}")
    if row.obstacle is not None:
        parts.append(f"will not start: {row.obstacle}")
    return f"{run.id} {'; '.join(parts)}" if parts else ""


def guarded(workers: Sequence[Worker]) -> list[Worker]:
    """The workers that start nothing because runs died, and were not told to go on."""
    return [worker for worker in workers if worker.starts_nothing]


def worker_cell(row: WorkerLine, column: Column) -> Span:
    """The cell of a column for a worker."""
    worker = row.worker
    match column.key:
        case "worker":
            return Span(str(worker.key))
        case "host":
            return Span(safe_text(worker.host), "dim")
        case "slots":
            return Span(slot_words(worker.slots))
        case "since":
            return Span(local_time(worker.started_at)[:16], "dim")
        case "heard":
            return _heard(worker)
        case "runs":
            return Span(safe_text(" ".join(row.run_ids) or numbers.MISSING), "good" if row.run_ids else "dim")
        case "then":
            then = STARTS_NOTHING if worker.starts_nothing else THEN.get(worker.request) or numbers.MISSING
            return Span(then, "bad" if then in (STARTS_NOTHING, THEN["stop"]) else "dim")
        case _:
            return Span(safe_text(str(getattr(worker, column.key))), "dim")


def _heard(worker: Worker) -> Span:
    silence = seconds_since(worker.heartbeat_at)
    if silence is None or silence < AGO_SECONDS:
        return Span("now", "dim")
    text = f"{short_duration(silence)} ago"
    return Span(text, "bad" if silence > LONG_AGO_SECONDS else "dim")
