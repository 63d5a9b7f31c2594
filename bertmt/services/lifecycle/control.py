"""What a person may ask of runs: cancel, pause, resume, hold, release, requeue, edit, rename, note, tag."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertmt.errors import BusyError, DataError, NotFoundError, UsageError
from bertmt.launchers.local import signal_worker_of
from bertmt.launchers.orphans import stop_job
from bertmt.recipe.loading import from_json, to_json
from bertmt.recipe.rules import recipe_from, resolved, unresolved, with_present_names
from bertmt.registry import edits, summaries
from bertmt.registry.database import Database
from bertmt.registry.queue import highest_position, lowest_position
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key
from bertmt.registry.sources import store_sources
from bertmt.registry.states import Actor, State, check_transition
from bertmt.registry.workers import running_workers
from bertmt.run_folder.layout import hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import bring_up_to_date, its_process
from bertmt.services.lifecycle.budgets import without_used_up
from bertmt.services.lifecycle.reordering import waiting
from bertmt.services.names import check_name, check_tag
from bertmt.services.plan.known_tasks import known_tasks, refuse_missing_sources, with_tasks_of
from bertmt.services.plan.overlaps import store_overlaps
from bertmt.services.plan.own_code import Sources, settle_own_code, sources_of
from bertmt.services.plan.preset_list import equal_preset

if TYPE_CHECKING:
    from bertmt.services.plan.data_check import CheckedData

# Who checks data or an encoder imports what reads them: 35 ms of every start of the dashboard, which has these verbs.


def cancel(database: Database, run: Run) -> Run:
    """Cancel a waiting run at once; ask the worker of a running one to stop it.

    Raises:
        BusyError: it has ended already.
    """
    run = _as_it_is(database, run)
    if run.state is State.RUNNING:
        return _ask(database, run, "cancel")
    reason = "cancelled while it was paused" if run.state is State.PAUSED else "cancelled before it started"
    return change_state(database, run.key, State.CANCELLED, Actor.PERSON, reason)


def pause(database: Database, run: Run) -> Run:
    """Let a running run write a checkpoint and end, so that its device is free; `resume` lets it go on.

    Raises:
        BusyError: it is not running.
    """
    run = _as_it_is(database, run)
    if run.state is not State.RUNNING:
        check_transition(run.id, run.state, State.PAUSED, Actor.PERSON)
    if run.execution.request == "cancel":
        raise BusyError(f"Run {run.id} is being cancelled; `bertmt requeue {run.id}` resumes it afterwards.")
    return _ask(database, run, "pause")


def resume(database: Database, run: Run) -> Run:
    """Queue a paused run again, before all of its priority that wait; it goes on from its checkpoint.

    Raises:
        BusyError: it is not paused.
    """
    run = _as_it_is(database, run)
    if run.state is State.RUNNING and run.execution.request == "pause":
        if without_used_up(database, run):  # which would ask it to pause again
            edits.leave_budget(database, run.key)
        return _ask(database, run, None)
    if run.state is not State.PAUSED:
        raise BusyError(
            f"Run {run.id} is {run.state}; only paused runs can be resumed; use `bertmt requeue` for others."
        )
    with database.immediate():
        first = lowest_position(database) - 1
        columns: dict[str, Any] = {
            "position": first,
            "ended_at": None,
            "recoveries": 0,
            **_past_its_pause(database, run),
        }
        return _let_go_on(database, run, "resumed", columns)


def _past_its_pause(database: Database, run: Run) -> dict[str, int]:
    """Where it was evaluated after the epoch after which it was to pause, the column that lets it go on to its end."""
    is_past = summaries.evaluated_epoch(database, run.key) >= run.queueing.pause_after
    return {"pause_after": 0} if is_past else {}


def stop_orphans(database: Database, runs: Sequence[Run]) -> None:
    """Pass on what runs were asked for where their worker is gone: to their children themselves. Another that lives
    adopts only what a launcher like its own has started, and may be on another machine.

    After the transaction that asked: what it put back must not have stopped anything.
    """
    alive = {worker.key for worker in running_workers(database)}
    for run in runs:
        if run.state is State.RUNNING and run.execution.request and run.execution.worker not in alive:
            job = run.execution.job
            with suppress(DataError):
                if job is None:
                    signal_worker_of(folder_of(database, run), its_process(database, run))
                elif job.handle:  # a number in its lock may be of a process of another machine
                    stop_job(job.launcher, job.handle)


def _as_it_is(database: Database, run: Run) -> Run:
    """The run after all that happened to it since its record was read, as far as its folder can be read."""
    with suppress(DataError):
        return bring_up_to_date(database, run_by_key(database, run.key))
    return run_by_key(database, run.key)


def _ask(database: Database, run: Run, request: str | None) -> Run:
    """Leave a request to whoever works the run; it outlives the worker."""
    with database.immediate():
        edits.store_request(database, run.key, request)
        return run_by_key(database, run.key)


def hold(database: Database, run: Run) -> Run:
    """Keep a queued run from being taken."""
    return change_state(database, run.key, State.HELD, Actor.PERSON, "held")


def release(database: Database, run: Run) -> Run:
    """Let a held run be taken again; one whose budget is used up, without it."""
    return _let_go_on(database, run, "released", {})


def _let_go_on(database: Database, run: Run, reason: str, columns: dict[str, Any]) -> Run:
    """Queue a run because a person says so, whatever its budget says."""
    with database.immediate():
        run = run_by_key(database, run.key)
        freed = without_used_up(database, run)
        reason = f"{reason}, without its budget, which is used up" if freed else reason
        return change_state(database, run.key, State.QUEUED, Actor.PERSON, reason, **columns, **freed)


def requeue(
    database: Database,
    run: Run,
    data: str | None = None,
    extra_data_file: str | None = None,
    reason: str = "requeued",
) -> Run:
    """Queue a failed, cancelled, lost or paused run again, as its next attempt; behind all that wait.

    Args:
        data: where the same data lies now.

    Raises:
        BusyError: its state forbids it.
        DataError: the data there is not what the run was submitted with, the files of a user's task are not
            there, or the run was imported with code of its own.
    """
    run = _as_it_is(database, run)
    if run.recipe.get("members"):
        raise BusyError(f"Run {run.id} is the average of runs and was never trained, so it cannot be queued.")
    sources_of(database, run)
    refuse_missing_sources(run)
    columns: dict[str, Any] = {
        "request": None, "failure": None, "ended_at": None, "recoveries": 0,
        **_past_its_pause(database, run),
    }  # fmt: skip
    if data or extra_data_file:
        from bertmt.services.plan.data_check import check_data  # noqa: PLC0415

        before = run.submission
        recipe = from_json(before.recipe_json, run.known)
        new = {"data": data or before.data, "extra_data_file": extra_data_file or before.extra_data_file}
        checked = check_data(recipe.with_values(new))
        if checked.fingerprints != dict(before.fingerprints):
            marks = before.fingerprints.items()
            changed = sorted(name for name, mark in marks if checked.fingerprints.get(name) != mark)
            raise UsageError(
                f"{new['data']} does not hold the data that run {run.id} was submitted with: "
                f"{', '.join(changed)} differ; queue a new run with --data instead."
            )
        columns |= {"data": checked.data, "extra_data_file": checked.extra_data_file}
    with database.immediate():
        last = highest_position(database) + 1
        return _let_go_on(database, run, reason, {"position": last, **columns})


def begin_anew(
    database: Database, runs: Sequence[Run], data: str | None = None, extra_data_file: str | None = None
) -> list[Run]:
    """Queue runs again without their checkpoints, so that they do not go on from the newest; all or none.

    Raises:
        BusyError, DataError, UsageError: as `requeue`, of the first that it refuses; no checkpoint was deleted.
    """
    runs = [_as_it_is(database, run) for run in runs]
    with ExitStack() as locks:
        # No child begins until its checkpoints are gone, which they are once all is stored for good.
        for run in runs:
            folder = folder_of(database, run)
            if (
                run.submission.checkpoint_dir
            ):  # there they are named after this folder, even if it is gone and will be created again
                with suppress(OSError):
                    folder.make()
            if folder.path.is_dir():
                locks.enter_context(hold_alive(folder))
        queued = _queued_anew(database, runs, data, extra_data_file)
        for run in queued:
            folder_of(database, run).checkpoints(run.submission.checkpoint_dir).begin_anew()
        return queued


def _queued_anew(database: Database, runs: Sequence[Run], data: str | None, extra_data_file: str | None) -> list[Run]:
    with database.immediate():
        queued = [requeue(database, run, data, extra_data_file, "requeued, from the start") for run in runs]
        for run in queued:
            summaries.begin_anew(database, run.key)
        return [run_by_key(database, run.key) for run in queued]


@dataclass(frozen=True)
class Edited:
    """What a run is changed to, checked and not stored yet."""

    settings: edits.NewSettings
    sources: Sources
    checked: "CheckedData"
    evaluate_examples: int


def edit(database: Database, run: Run, values: Mapping[str, Any]) -> Run:
    """Change settings of a waiting run; an optional setting that followed another follows it still.

    Raises:
        RecipeError: the changed recipe is not valid.
        DataError, EncoderError: its data or its encoder cannot be used.
        UsageError: a loss or head of the user's own cannot.
        BusyError: it does not wait.
    """
    return store_edited(database, run, check_edited(database, run, values))


def check_edited(database: Database, run: Run, values: Mapping[str, Any]) -> Edited:
    """What `edit` would store. Data are read and the user's own code is run, which may take minutes: outside of
    transactions.
    """
    from bertmt.services.plan.data_check import check_data  # noqa: PLC0415
    from bertmt.services.plan.encoder_check import check_encoder  # noqa: PLC0415

    known = with_tasks_of(run.known, known_tasks(database.path.parent))  # it keeps what its own were at submit
    recipe = resolved(recipe_from(values, base=unresolved(from_json(run.submission.recipe_json, known))))
    recipe, encoder = check_encoder(recipe)
    checked = check_data(recipe)
    recipe = recipe.with_values({"data": checked.data, "extra_data_file": checked.extra_data_file})
    recipe, sources = settle_own_code(recipe, named=with_present_names(values))
    new = edits.NewSettings(
        recipe_json=to_json(recipe),
        digest=recipe.digest(),
        seed=recipe.seed,
        preset=equal_preset(recipe, database.path.parent, run.submission.from_preset),
        data=checked.data,
        extra_data_file=checked.extra_data_file,
        fingerprints=checked.fingerprints,
        encoder_fingerprints=encoder,
        tasks=recipe.named(),
    )
    return Edited(new, sources, checked, recipe.evaluate_examples)


def store_edited(database: Database, run: Run, edited: Edited) -> Run:
    """Store what was checked.

    Raises:
        BusyError: the run does not wait.
    """
    checked = edited.checked
    with database.immediate():
        store_sources(database, edited.sources)
        waiting(database, run, "edited")
        store_overlaps(database, checked.overlaps, checked.fingerprints, edited.evaluate_examples)
        edits.store_settings(database, run.key, edited.settings)
        return run_by_key(database, run.key)


def annotate(database: Database, run: Run, note: str) -> Run:
    """Replace a run's note."""
    with database.immediate():
        edits.store_note(database, run.key, note)
        return run_by_key(database, run.key)


def rename(database: Database, run: Run, name: str) -> Run:
    """Call a run otherwise. Names need not be unique: seeds of a recipe share one; all else refers to runs by id.

    Its folder keeps the name of its last start, which `import-run` and `repair` read.

    Raises:
        UsageError: it cannot have this name.
    """
    check_name(name)
    with database.immediate():
        edits.store_name(database, run.key, name)
        return run_by_key(database, run.key)


def tag(database: Database, run: Run, tag_name: str, present: bool = True) -> Run:
    """Give a run a tag, or take it away.

    Raises:
        UsageError: the tag is empty or holds white space, commas or control characters.
        NotFoundError: it has no such tag.
    """
    check_tag(tag_name)
    with database.immediate():
        if present:
            edits.add_tag(database, run.key, tag_name)
        elif not edits.remove_tag(database, run.key, tag_name):
            tags = ", ".join(run.annotations.tags) or "none"
            raise NotFoundError(f"Run {run.id} has no tag {tag_name!r}; it has {tags}.")
        return run_by_key(database, run.key)
