"""Run folders from elsewhere: another machine, another registry, or one that was lost.

A run is imported as it would have been while it ran: its attempts one after the other, each by the code that imports
the events of running runs. Everything of one folder is there at once, and the folder whole before it.

What becomes of it is what its last attempt says: finished or failed; stopped with its worker: cancelled; nothing: lost.
It never waits in the queue: nobody asked for it here. `bertmt requeue` does, and lets it go on from its checkpoint.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, reason_of
from bertmt.recipe.loading import from_json, matching_preset, to_json
from bertmt.recipe.own_code import without_digest
from bertmt.recipe.recipe import Recipe
from bertmt.registry.database import Database
from bertmt.registry.file.short_lived import short_lived_registry
from bertmt.registry.file.staging import copy_rows, forget_abandoned, forget_staged, publish, stage
from bertmt.registry.finding import removed_with_ids, runs_with_ids
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import STAGED, NewRun, add_imported, change_state, run_by_key, transitions
from bertmt.registry.states import Actor, State
from bertmt.run_folder.copying import copy_run_folder, plain_entries
from bertmt.run_folder.event_files import attempts, read_events
from bertmt.run_folder.events import Event, Started
from bertmt.run_folder.layout import RunFolder, RunOrder, hold_alive, is_alive
from bertmt.services.ingest.definitions import read_definitions
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.reconcile import NO_LAST_WORD
from bertmt.services.names import LONGEST_NAME

BESIDE = STAGED  # a folder in which an import works; `bertmt gc` knows it
REGISTRY = "own.db"  # in that folder
MOST_ATTEMPTS = 10_000


@dataclass(frozen=True)
class Refused:
    """A folder that was not imported, and why."""

    folder: Path
    problem: BertmtError


@dataclass(frozen=True)
class Found:
    """What a run folder says of its run."""

    folder: RunFolder
    order: RunOrder
    recipe: Recipe
    began_at: str
    versions: Mapping[str, str]


def import_runs(database: Database, folders: Sequence[Path]) -> tuple[list[Run], list[Refused]]:
    """Import every folder that can be, in the order in which their runs began; those that cannot change nothing."""
    imported: list[Run] = []
    refused: list[Refused] = []
    for folder in sorted(folders, key=lambda each: _began_at(RunFolder(each), 1) or ""):
        try:
            imported.append(import_run(database, folder))
        except (BertmtError, OSError) as problem:
            ours = problem if isinstance(problem, BertmtError) else _as_sentence(folder, problem)
            refused.append(Refused(folder, ours))
    return imported, refused


def check_any(folders: Sequence[Path]) -> None:
    """Return if one of the folders can be read as a run's: else no registry need be made for them.

    Raises:
        BertmtError: what is wrong with the first.
    """
    problems: list[BertmtError] = []
    for folder in folders:
        try:
            read_run_folder(paths.expanded(folder).absolute())
            return
        except BertmtError as problem:
            problems.append(problem)
    raise problems[0] if problems else NotFoundError("None of these is a folder: name run folders, as in runs/*.")


def import_run(database: Database, folder: Path, origin: str = "") -> Run:
    """Import the run of a folder, which is copied beside the registry unless it lies there.

    Args:
        origin: where the run is from, for people; by default the folder.

    Raises:
        NotFoundError: this is not a run folder.
        RecipeError, DataError: what is in it is not what a run writes.
        BusyError: its run is here already, or is being worked.
        RegistryError: the registry cannot be written.
        OSError: the folder cannot be read or copied.
    """
    found = read_run_folder(paths.expanded(folder).absolute())
    target = paths.run_folder(database.path, found.order.run_id)
    with database.immediate():  # a registry that cannot be written says so before anything is copied
        _refuse_known(database, found.order.run_id)
    forget_abandoned(database)
    if target.is_dir() and not target.is_symlink() and target.samefile(found.folder.path):
        with hold_alive(found.folder):  # nobody works or deletes it meanwhile
            if not found.folder.order.is_file():
                raise NotFoundError(f"{target} is gone.")
            with _work_folder(target) as work:
                paths.run_folder(work / REGISTRY, target.name).symlink_to(target.absolute())
                return _store(database, found, work, lambda: None, origin)
    if os.path.lexists(target):
        raise BusyError(f"{target} already exists and belongs to no run: `bertmt import-run {target}` imports it.")
    placed = False

    def put_in_place() -> None:
        nonlocal placed
        copy.rename(target)  # which fails where somebody else has put files there meanwhile
        placed = True

    try:
        with _work_folder(target) as work:
            copy = paths.run_folder(work / REGISTRY, target.name)
            copy_run_folder(found.folder.path, copy)
            _refuse_working(found.folder)  # it may have been started while it was copied
            return _store(database, found, work, put_in_place, origin)
    except BaseException:
        if placed and run_by_id(database, found.order.run_id) is None:
            shutil.rmtree(target, ignore_errors=True)
        raise


@contextmanager
def _work_folder(target: Path) -> Iterator[Path]:
    """A folder beside the run's, for its copy and a registry of its own; held as long as the import lives."""
    work = target.with_name(f"{BESIDE}{target.name}.{os.urandom(6).hex()}")
    try:
        atomic_files.make_folder(paths.runs_folder(work / REGISTRY))
        with hold_alive(RunFolder(work)):
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def read_run_folder(path: Path) -> Found:
    """What a folder says of its run, checked.

    Raises:
        NotFoundError, DataError, RecipeError, BusyError: as `import_run`.
    """
    plain_entries(path)
    folder = RunFolder(path)
    order = folder.read_order()
    problem = order_problem(order)
    if problem:
        raise DataError(f"{folder.order} is not what a run writes: {problem}.")
    try:
        known = read_definitions(folder)
        recipe = from_json(read_text(folder.recipe, MOST_JSON), known)
    except (OSError, UnicodeDecodeError) as unread:
        raise DataError(f"{folder.recipe} cannot be read: {unread}.") from None
    _refuse_code_without_digest(folder, recipe)
    problem = order_problem(order, recipe)
    if problem:
        raise DataError(f"{folder.order} is not what a run writes: {problem}.")
    _refuse_working(folder)
    began_at = _began_at(folder, 1) or _changed_at(folder.recipe)
    started = _first_event(folder, max(attempts(path), default=1))
    return Found(folder, order, recipe, began_at, started.versions if isinstance(started, Started) else {})


def _refuse_code_without_digest(folder: RunFolder, recipe: Recipe) -> None:
    # Else it would look like what a person has just named, whose source is read and tried.
    for setting, code in without_digest(recipe).items():
        raise DataError(
            f"{folder.recipe} is not what a run writes: `{setting}` names {code.file} without the digest of its source."
        )


def order_problem(order: RunOrder, recipe: Recipe | None = None) -> str | None:
    """What a hostile or damaged run.json has that no run writes.

    Args:
        recipe: the run's, once it is read.
    """
    texts = (order.data, order.extra_data_file, order.device, order.checkpoint_dir)
    all_marks: tuple[Any, ...] = (order.fingerprints, order.encoder_fingerprints)
    if not paths.is_run_id(order.run_id):
        return f"its run_id is {order.run_id!r}"
    if not isinstance(order.name, str) or not order.name.isprintable() or not 0 < len(order.name) <= LONGEST_NAME:
        return f"its name is {order.name!r}"
    if type(order.attempt) is not int or not 0 <= order.attempt <= MOST_ATTEMPTS:
        return f"its attempt is {order.attempt!r}"
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        return "its data, device and checkpoint_dir are no printable texts"
    for marks in all_marks:
        if not isinstance(marks, dict) or not all(
            isinstance(each, str) and each.isprintable() for each in marks.values()
        ):
            return "its fingerprints are none"
    foreign = order.foreign_fingerprints(recipe.known) if recipe else []
    return f"it has a fingerprint {foreign[0][:LONGEST_NAME]!r}, which is of none of its tasks" if foreign else None


def _store(database: Database, found: Found, work: Path, put_in_place: Callable[[], object], origin: str) -> Run:
    """Enter the run and all that its folder tells: first into a registry of its own, since reading a large folder takes
    minutes, then from there in batches that nobody sees until the last, which is durable.
    """
    new, about = new_run(database, found), Snapshot("unknown", {}, {"packages": found.versions})
    with short_lived_registry(work / REGISTRY) as own:
        with own.immediate():
            reason = f"imported from {origin or found.folder.path}"
            run = add_imported(own, found.order.run_id, new, about, found.began_at, reason)
            replay(own, run, found.order)
        run = run_by_key(own, run.key)
        key = stage(database, work.name, new, about, found.began_at)
        try:
            copy_rows(database, key, own, run)
            with database.durable():
                _refuse_known(database, found.order.run_id)
                put_in_place()
                return publish(database, key, own, run)
        finally:
            forget_staged(database, key)


def new_run(database: Database, found: Found) -> NewRun:
    """What the registry stores of a run from elsewhere.

    Raises:
        DataError: its recipe has code of its own without a digest.
    """
    recipe, order = found.recipe, found.order
    _refuse_code_without_digest(found.folder, recipe)
    return NewRun(
        name=order.name,
        preset=matching_preset(recipe),
        from_preset=None,
        recipe_json=to_json(recipe),
        digest=recipe.digest(),
        seed=recipe.seed,
        data=order.data,
        extra_data_file=order.extra_data_file,
        fingerprints=order.fingerprints,
        encoder_fingerprints=order.encoder_fingerprints,
        tasks=recipe.named(),
        state=State.LOST,
        checkpoint_dir=order.checkpoint_dir if _has_its_checkpoints_there(database, found) else "",
    )


def _has_its_checkpoints_there(database: Database, found: Found) -> bool:
    """Whether a run that lies beside the registry has its checkpoints in the folder that it names.

    Who deletes the run later deletes them too, so a folder of anything else must never be taken for them.
    """
    order = found.order
    if not order.checkpoint_dir or found.folder.path != paths.run_folder(database.path, order.run_id):
        return False
    return found.folder.checkpoints(order.checkpoint_dir).holds_nothing_else()


def replay(database: Database, run: Run, order: RunOrder) -> Run:
    """Import the events of all attempts of a run, the first one's first; inside a write transaction."""
    folder = RunFolder(paths.run_folder(database.path, run.id))
    numbers = {number for number in attempts(folder.path) if number <= MOST_ATTEMPTS} | {order.attempt}
    for number in sorted(numbers - {0}):
        run = _replay_attempt(database, run, folder, number, order.device)
    return _out_of_the_queue(database, run)


def catch_up(database: Database, run: Run) -> Run:
    """Import what a run's folder tells beyond what the registry knows: the rest of its attempt, then later ones.

    Nobody works the run: one that is said to be running is lost, unless its last event says otherwise.

    Raises:
        NotFoundError, DataError: its folder cannot be read.
        RegistryError: no folder can have its id, or the registry cannot be written.
    """
    folder = folder_of(database, run)
    run = ingest(database, run)
    later = [number for number in attempts(folder.path) if run.attempt < number <= MOST_ATTEMPTS]
    run = _ended(database, run)
    if later:
        device = folder.read_order().device
        with database.immediate():
            for number in later:
                run = _replay_attempt(database, run, folder, number, device)
    return run


def _replay_attempt(database: Database, run: Run, folder: RunFolder, number: int, device: str) -> Run:
    run = change_state(
        database, run.key, State.RUNNING, Actor.IMPORT, f"attempt {number}, as its folder tells", attempt=number,
        device=device.removeprefix("cuda:"), started_at=_began_at(folder, number), ended_at=None, failure=None,
    )  # fmt: skip
    return _ended(database, ingest(database, run))


def _ended(database: Database, run: Run) -> Run:
    """A run is lost whose attempt has no last event: nobody works what is imported, so no lock is asked, as in
    `reconcile`."""
    if run.state is not State.RUNNING:
        return run
    ended_at = run.progress.last_event_at
    return change_state(database, run.key, State.LOST, Actor.DEATH, NO_LAST_WORD, ended_at=ended_at, request=None)


def _out_of_the_queue(database: Database, run: Run) -> Run:
    """What sync queues again, since it assumes a worker: here it has ended until a person asks for more."""
    if run.state is not State.QUEUED:
        return run
    steps = [each for each in transitions(database, run.key) if each.state_before != each.state_after]
    if steps[-1].state_before == State.FAILED:
        error = steps[-2].reason
        return change_state(
            database, run.key, State.FAILED, Actor.IMPORT, error, failure=error, ended_at=run.progress.last_event_at
        )  # fmt: skip
    return change_state(
        database, run.key, State.CANCELLED, Actor.IMPORT, steps[-1].reason, ended_at=run.progress.last_event_at
    )


def _refuse_working(folder: RunFolder) -> None:
    if is_alive(folder):
        raise BusyError(f"The run in {folder.path} is being worked: import it once it has ended.")


def _refuse_known(database: Database, run_id: str) -> None:
    for run in runs_with_ids(database, [run_id]):
        raise BusyError(f"Run {run_id} is already here: {run.name}, seed {run.seed}, {run.state}; nothing was changed.")
    for run in removed_with_ids(database, [run_id]):
        raise BusyError(f"Run {run_id} ({run.name}) is here and was removed: `bertmt restore {run_id}`.")


def run_by_id(database: Database, run_id: str) -> Run | None:
    """The run of that id, removed or not."""
    found = runs_with_ids(database, [run_id]) or removed_with_ids(database, [run_id])
    return found[0] if found else None


def _began_at(folder: RunFolder, attempt: int) -> str | None:
    first = _first_event(folder, attempt)
    return None if first is None else first.at


def _first_event(folder: RunFolder, attempt: int) -> Event | None:
    """The first event of an attempt; None where there is none."""
    try:
        events = read_events(folder.events(attempt), limit_bytes=1 << 16)[0]
    except (OSError, ValueError, BertmtError):
        return None
    return events[0] if events else None


def _changed_at(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")


def _as_sentence(folder: Path, problem: OSError) -> BertmtError:
    return BertmtError(f"{folder} cannot be imported: {reason_of(problem)} ({problem.filename}).")
