"""Importing what training children wrote into the registry.

Rows, summary and byte offset are stored in ONE immediate transaction, refused where the offset moved meanwhile: any
number of workers and front ends may import the same run at once, and no event is imported twice or lost.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bertmt import paths
from bertmt.errors import BertmtError, DataError, NotFoundError, RegistryError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, move, run_by_key
from bertmt.registry.states import Owner, State
from bertmt.registry.workers import running_workers
from bertmt.run_folder.events import now, read_events
from bertmt.run_folder.layout import RunFolder, is_alive

Event = Mapping[str, Any]
SILENT_AFTER_SECONDS = 2.0
LONGEST_ID = 100  # so that any file system can hold it
TASK_NAMES = ("sst", "para", "sts")


def folder_of(database: Database, run: Run) -> RunFolder:
    """The run's folder beside the registry.

    Raises:
        RegistryError: its id, which others may have written there, leads out of the folder of runs.
    """
    if run.id in ("", ".", "..") or "/" in run.id or not run.id.isprintable() or len(run.id) > LONGEST_ID:
        raise RegistryError(f"{database.path} holds a run with the id {run.id[:40]!r}, which bertmt never gives.")
    return RunFolder(paths.run_folder(database.path, run.id))


def sync(database: Database, run: Run) -> Run:
    """Import all complete events of the run's current attempt that are not imported yet; none where it is read-only."""
    while not database.read_only:
        offset = run.events_offset if run.events_attempt == run.attempt else 0
        events, end, broken = read_events(folder_of(database, run).events(run.attempt), offset)
        if end == offset:
            break
        _import(database, run, events, end, broken)
        run = run_by_key(database, run.key)
    return run


def _import(database: Database, run: Run, events: Sequence[Event], end: int, broken: int) -> None:
    """Import events up to byte `end`; nothing where another importer was faster or a new attempt began."""
    stored = _read_prediction_files(database, run, events)
    with database.immediate():
        current = database.execute(
            "SELECT attempt, events_attempt, events_offset FROM runs WHERE key = ?", (run.key,)
        ).fetchone()
        if current != (run.attempt, run.events_attempt, run.events_offset):
            return
        _apply(database, run, events)
        for store in stored:
            store()
        database.execute(
            "UPDATE runs SET events_attempt = ?, events_offset = ?, synced_at = ? WHERE key = ?",
            (run.attempt, end, now(), run.key),
        )
        last = next((event for event in reversed(events) if event["event"] in ("finished", "failed")), None)
        if last:
            _close(database, run, last)
        if broken:
            _note_broken_lines(database, run, broken)


def _apply(database: Database, run: Run, events: Sequence[Event]) -> None:
    """Events in their order; points are gathered and stored together between two resumptions."""
    points: list[metrics.Point] = []
    for event in events:
        kind = event["event"]
        if kind == "started":
            _begin_attempt(database, run, event)
        elif kind == "resumed":
            metrics.append(database, run.key, points)
            points = []
            metrics.delete_after(database, run.key, int(event["step"]))
        elif kind == "step":
            points += [(name, event["step"], value) for name, value in event["values"].items()]
        elif kind == "evaluated":
            points += _evaluation_points(event)
            _store_evaluation(database, run, event)
    metrics.append(database, run.key, points)
    steps = [event for event in events if event["event"] == "step"]
    if steps:
        _update_summary(
            database, run, **{name: steps[-1].get(name) for name in ("phase", "step", "epoch", "seconds_left")}
        )
    if events:
        _update_summary(database, run, last_event_at=events[-1]["at"])


def _begin_attempt(database: Database, run: Run, event: Event) -> None:
    """A new attempt starts from the beginning unless a `resumed` event says otherwise."""
    if not event.get("resumes"):
        metrics.delete_after(database, run.key, -1)
        database.execute("DELETE FROM predictions WHERE run = ?", (run.key,))
    _update_summary(
        database,
        run,
        started=json.dumps(event),
        steps_total=event.get("steps_total"),
        epochs_total=event.get("epochs_total"),
        finished=None,
        selected_epoch=None,
        sst=None,
        para=None,
        sts=None,
        overall=None,
        step=None,
        epoch=None,
    )


def _evaluation_points(event: Event) -> list[metrics.Point]:
    step = event["step"]
    named = {f"dev/{task}": value for task, value in event["scores"].items()}
    named |= {f"dev_loss/{task}": value for task, value in event.get("losses", {}).items()}
    if event.get("overall") is not None:
        named["dev/overall"] = event["overall"]
    return [(name, step, value) for name, value in named.items()]


def _store_evaluation(database: Database, run: Run, event: Event) -> None:
    scores = [event["scores"].get(task) for task in TASK_NAMES]
    database.execute(
        "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run.key, event["epoch"], event["step"], *scores, event.get("overall"), event.get("seconds")),
    )
    # While the run goes on its scores are the newest; its last event names the selected epoch.
    _show_scores(database, run, event["epoch"])


def _show_scores(database: Database, run: Run, epoch: int) -> None:
    database.execute(
        "UPDATE summaries SET (selected_epoch, sst, para, sts, overall) ="
        " (SELECT epoch, sst, para, sts, overall FROM evaluations WHERE run = ? AND epoch = ?) WHERE run = ?",
        (run.key, epoch, run.key),
    )


def _update_summary(database: Database, run: Run, **columns: Any) -> None:
    assignments = ", ".join(f"{name} = ?" for name in columns)
    database.execute(f"UPDATE summaries SET {assignments} WHERE run = ?", (*columns.values(), run.key))


def _close(database: Database, run: Run, event: Event) -> None:
    """The child's last event moves the run."""
    if run.state not in (State.RUNNING, State.LOST):
        return
    if event["event"] == "finished":
        _update_summary(
            database, run, finished=json.dumps(event), step=event["step"], epoch=event["epoch"], seconds_left=0
        )
        _show_scores(database, run, event["selected_epoch"])
        move(database, run.key, State.FINISHED, Owner.EVENT, "trained to its end", ended_at=event["at"], request=None)
    else:
        error = str(event["error"])
        move(database, run.key, State.FAILED, Owner.EVENT, error, ended_at=event["at"], failure=error, request=None)


def _note_broken_lines(database: Database, run: Run, count: int) -> None:
    database.execute(
        "INSERT INTO moves (run, at, attempt, state_before, state_after, owner, reason)"
        " SELECT key, ?, attempt, state, state, 'event', ? FROM runs WHERE key = ?",
        (now(), f"{count} unreadable line(s) of its events were skipped", run.key),
    )


def _read_prediction_files(database: Database, run: Run, events: Sequence[Event]) -> list[Any]:
    """Read the files that `evaluated` events name, outside the transaction; returns what stores them inside.

    A file that is missing or damaged costs these predictions, not the run's metrics.
    """
    named = [entry for event in events if event["event"] == "evaluated" for entry in event.get("predictions", ())]
    if not named:
        return []
    # numpy is needed here only; lists of runs are drawn without it.
    from bertmt.services.import_predictions import reader_of  # noqa: PLC0415

    folder = folder_of(database, run)
    return [reader_of(database, run, folder, entry) for entry in named]


def sync_running(database: Database, silent_only: bool = True) -> None:
    """Import the events of the running runs, and move those whose process is gone to lost.

    Args:
        silent_only: leave out runs that somebody imported less than 2 s ago.
    """
    if database.read_only:
        return
    limit = (datetime.now(UTC) - timedelta(seconds=SILENT_AFTER_SECONDS)).isoformat(timespec="milliseconds")
    for run in all_runs(database, "runs.state IN ('running', 'lost')"):
        if silent_only and run.synced_at and run.synced_at > limit and run.state is State.RUNNING:
            continue
        # Somebody removed it meanwhile, or its folder cannot be read now: no reason to leave the others alone.
        with suppress(NotFoundError, DataError):
            settle(database, sync(database, run))


CLAIM_GRACE_SECONDS = 30.0
WORKER_SILENCE_SECONDS = 60.0  # a worker says that it is alive every 5 s


def settle(database: Database, run: Run) -> Run:
    """Move a running run whose process is gone without a last event to lost; the free lock is the proof.

    A run that was claimed moments ago may not hold its lock yet: its child is still starting. And while its worker is
    there the run is the worker's to settle, which alone knows the exit code and what it asked the child to do.
    """
    if database.read_only or run.state is not State.RUNNING or is_alive(folder_of(database, run)):
        return run
    if _has_its_worker(database, run):
        return run
    claimed = datetime.fromisoformat(run.started_at) if run.started_at else datetime.now(UTC)
    # A lock that was never taken in this attempt proves nothing within the grace time.
    has_begun = folder_of(database, run).events(run.attempt).exists()
    if not has_begun and datetime.now(UTC) - claimed < timedelta(seconds=CLAIM_GRACE_SECONDS):
        return run
    # The child may have written its last event between our reading and its death.
    run = sync(database, run)
    if run.state is not State.RUNNING:
        return run
    after, reason = State.LOST, "its process is gone without a last word"
    if run.request == "cancel":
        after, reason = State.CANCELLED, "cancelled while it ran"
    try:
        return move(database, run.key, after, Owner.DEATH, reason, ended_at=now(), request=None)
    except BertmtError:  # somebody else moved it first
        return run_by_key(database, run.key)


def _has_its_worker(database: Database, run: Run) -> bool:
    """Whether the worker that took the run is there and was heard of lately."""
    limit = (datetime.now(UTC) - timedelta(seconds=WORKER_SILENCE_SECONDS)).isoformat(timespec="milliseconds")
    return any(each.key == run.worker and each.heartbeat_at > limit for each in running_workers(database))
