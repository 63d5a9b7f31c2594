"""Importing what training children wrote into the registry.

Rows, summary and byte offset are stored in ONE immediate transaction, refused where the offset moved meanwhile: any
number of workers and front ends may import the same run at once, and no event is imported twice or lost.
"""

from collections.abc import Sequence
from typing import Any

from bertmt import paths
from bertmt.drawing.numbers import counted
from bertmt.errors import RegistryError
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.registry import metrics, summaries
from bertmt.registry.budgets import attempts
from bertmt.registry.database import Database
from bertmt.registry.jobs.rows import store_obeyed
from bertmt.registry.records import Evaluation, Run
from bertmt.registry.runs import change_state, note, run_by_key
from bertmt.registry.states import Actor, State
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import (
    LAST_EVENTS,
    Checkpointed,
    Displaced,
    Energy,
    Evaluated,
    Event,
    Failed,
    Finished,
    PartlyEvaluated,
    Resumed,
    Started,
    Step,
    Stopped,
    to_json,
)
from bertmt.run_folder.layout import RunFolder

LONGEST_ID = 100  # so that any file system can hold it


def folder_of(database: Database, run: Run) -> RunFolder:
    """The run's folder beside the registry.

    Raises:
        RegistryError: its id, which others may have written there, leads out of the folder of runs.
    """
    if run.id in ("", ".", "..") or "/" in run.id or not run.id.isprintable() or len(run.id) > LONGEST_ID:
        raise RegistryError(f"{database.path} holds a run with the id {run.id[:40]!r}, which bertmt never gives.")
    return RunFolder(paths.run_folder(database.path, run.id))


def ingest(database: Database, run: Run) -> Run:
    """Import all complete events of the run's current attempt that are not imported yet; none where it is read-only."""
    while not database.read_only:
        offset = run.imported.events_offset if run.imported.events_attempt == run.attempt else 0
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
        if not summaries.is_imported_as(database, run):
            return
        _apply(database, run, events)
        for store in stored:
            store()
        summaries.store_imported(database, run, end)
        last = next((event for event in reversed(events) if isinstance(event, LAST_EVENTS)), None)
        if last is not None:
            _close(database, run, last)
        if broken:
            note(
                database,
                run.key,
                Actor.EVENT,
                f"{counted(broken, 'unreadable line was', 'unreadable lines were')} skipped in its events",
            )


def _apply(database: Database, run: Run, events: Sequence[Event]) -> None:
    """Events in their order; points are gathered and stored together between two resumptions."""
    points: list[metrics.Point] = []
    last_step: Step | None = None
    if events:
        attempts.store_times(database, run, events[0].at, events[-1].at)
    for event in events:
        match event:
            case Step():
                points += [(name, event.step, value) for name, value in event.values.items()]
                last_step = event
            case Started():
                _begin_attempt(database, run, event)
            case Resumed():
                metrics.append(database, run.key, points)
                points = []
                _go_back(database, run, event)
            case Evaluated():
                points += _evaluation_points(event)
                _store_evaluation(database, run, event)
            case PartlyEvaluated():
                points += [(f"partial/{task}", event.step, value) for task, value in event.scores.items()]
            case Checkpointed():
                summaries.update(database, run.key, checkpoint_step=event.step)
            case Energy():
                attempts.store_energy(database, run, event.gpu_joules, event.cpu_joules, event.shared)
            case Displaced():
                note(database, run.key, Actor.EVENT, event.reason)
    metrics.append(database, run.key, points)
    if last_step is not None:
        step, left = last_step, last_step.seconds_left
        summaries.update(database, run.key, phase=step.phase, step=step.step, epoch=step.epoch, seconds_left=left)
    if events:
        attempts.sum_energy(database, run.key)
        summaries.update(database, run.key, last_event_at=events[-1].at)


def _begin_attempt(database: Database, run: Run, event: Started) -> None:
    """A new attempt starts from the beginning unless a `resumed` event says otherwise."""
    if not event.resumes:
        metrics.go_back(database, run.key, 0, -1, -1)
        summaries.update(database, run.key, step=None, epoch=None, checkpoint_step=None, **summaries.NO_SCORES)
    if event.begins_anew:
        note(database, run.key, Actor.EVENT, event.begins_anew)
    summaries.update(
        database,
        run.key,
        started=to_json(event).decode(),
        steps_total=event.steps_total,
        epochs_total=event.epochs_total,
        finished=None,
    )


def _go_back(database: Database, run: Run, event: Resumed) -> None:
    """The attempt goes on from a checkpoint: what the one before measured after it will be measured again."""
    step, epoch = event.step, event.evaluated_epoch
    metrics.go_back(database, run.key, step, epoch, event.evaluated_step)
    # `step` names the newest step, counted from 0.
    summaries.update(database, run.key, step=step - 1 if step else None, checkpoint_step=step, **summaries.NO_SCORES)
    summaries.show_scores(database, run, epoch)
    if event.differences:
        reason = f"resumed at step {step}, not bit-exact: {' '.join(event.differences)}"
        note(database, run.key, Actor.EVENT, reason)


def _evaluation_points(event: Evaluated) -> list[metrics.Point]:
    named = {f"dev/{task}": value for task, value in event.scores.items()}
    named |= {f"dev_loss/{task}": value for task, value in event.losses.items()}
    if event.overall is not None:
        named["dev/overall"] = event.overall
    return [(name, event.step, value) for name, value in named.items()]


def _store_evaluation(database: Database, run: Run, event: Evaluated) -> None:
    found = Evaluation(
        epoch=event.epoch, step=event.step, overall=event.overall, seconds=event.seconds,
        scores=event.scores, metrics=_metrics(run, event),
    )  # fmt: skip
    summaries.store_evaluation(database, run.key, found)
    # While the run goes on its scores are the newest; its last event names the selected epoch.
    summaries.show_scores(database, run, event.epoch)


def _metrics(run: Run, event: Evaluated) -> dict[str, dict[str, float | None]]:
    """What was measured of the run's tasks, by the metrics of each; older versions told its score alone."""
    found: dict[str, dict[str, float | None]] = {}
    for name, task in run.tasks.items():
        if name in event.scores:
            told = event.metrics.get(name, {})
            found[name] = {metric: told[metric] for metric in task.metrics if metric in told}
            found[name][task.metric.name] = event.scores[name]
    return found


def _close(database: Database, run: Run, event: Finished | Failed | Stopped) -> None:
    """The child's last event decides the state of the run."""
    if run.state not in (State.RUNNING, State.LOST):
        return
    at = {"ended_at": event.at, "request": None}
    if isinstance(event, Finished):
        told = to_json(event).decode()
        summaries.update(database, run.key, finished=told, step=event.step, epoch=event.epoch, seconds_left=0)
        summaries.show_scores(database, run, event.selected_epoch)
        brought = run.recipe.get("encoder") == OTHER_PROGRAM
        how = "predictions of another program were imported" if brought else "trained to its end"
        how = "predictions of its members were averaged" if run.recipe.get("members") else how
        change_state(database, run.key, State.FINISHED, Actor.EVENT, how, **at)
    elif isinstance(event, Stopped) and event.after_epoch is None and _is_left_to_its_scheduler(database, run):
        store_obeyed(database, run, event.signal)
    elif isinstance(event, Stopped):
        stopped(database, run, Actor.EVENT, event.signal, event.at, event.after_epoch)
    else:
        change_state(database, run.key, State.FAILED, Actor.EVENT, event.error, failure=event.error, **at)
        if event.out_of_memory and not (run.execution.saves_memory or run.recipe.get("activation_checkpointing")):
            reason = "out of memory: once more, with activation checkpointing"
            change_state(
                database, run.key, State.QUEUED, Actor.EVENT, reason, failure=None, ended_at=None, saves_memory=1
            )


def _is_left_to_its_scheduler(database: Database, run: Run) -> bool:
    """Whether only a scheduler knows why a job was stopped that nobody asked here: preempted, or cancelled there."""
    now_so = run_by_key(database, run.key)
    return now_so.state is State.RUNNING and now_so.execution.job is not None and now_so.execution.request is None


def where_it_goes_on(run: Run) -> str:
    """Where the next attempt begins, as the rest of a sentence."""
    step = run.progress.checkpoint_step
    return "it starts over" if step is None else f"it resumes from step {step}"


def stopped(
    database: Database, run: Run, actor: Actor, signal: str, ended_at: str, after_epoch: int | None = None
) -> Run:
    """Settle a running or lost run whose child obeyed a signal; inside a write transaction.

    What the signal was for is in the run's request, or else its worker or its machine stopped.

    Args:
        after_epoch: there was no signal, and it paused after this epoch, as it was to.
    """
    run = run_by_key(database, run.key)  # as it is now: with its newest checkpoint, and what was asked meanwhile
    goes_on = where_it_goes_on(run)
    at = {"ended_at": ended_at, "request": None}
    if run.execution.request == "cancel":
        return change_state(database, run.key, State.CANCELLED, actor, f"cancelled; requeued, {goes_on}", **at)
    if run.execution.request == "pause":
        return change_state(database, run.key, State.PAUSED, actor, f"paused; {goes_on}", **at)
    if run.state is State.RUNNING and after_epoch is not None:
        return change_state(
            database, run.key, State.PAUSED, actor, f"paused after epoch {after_epoch}; {goes_on}", **at
        )
    if run.state is State.RUNNING:
        return change_state(database, run.key, State.QUEUED, actor, f"stopped by {signal}; {goes_on}", request=None)
    return run


def _read_prediction_files(database: Database, run: Run, events: Sequence[Event]) -> list[Any]:
    """Read the files that `evaluated` events name, outside the transaction; returns what stores them inside.

    A file that is missing or damaged costs these predictions, not the run's metrics.
    """
    partial = [event for event in events if isinstance(event, PartlyEvaluated)][-1:]  # its files are written over
    told: list[Evaluated | PartlyEvaluated] = [event for event in events if isinstance(event, Evaluated)]
    told += partial
    named = [entry for event in told for entry in event.predictions]
    if not named:
        return []
    # numpy is needed here only; lists of runs are drawn without it.
    from bertmt.services.ingest.predictions import reader_of  # noqa: PLC0415

    folder = folder_of(database, run)
    return [reader_of(database, run, folder, entry) for entry in named]
