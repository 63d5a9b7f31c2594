"""Taking in a run folder from elsewhere: another machine, another registry, or one that was lost."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, UsageError
from bertmt.recipe.loading import from_json, matching_preset, to_json
from bertmt.registry.database import Database
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import ID_CHARACTERS, NewRun, add_runs, all_runs, move, removed_runs, run_by_key
from bertmt.registry.states import Owner, State
from bertmt.run_folder.events import attempts, now, read_events
from bertmt.run_folder.layout import RunFolder, RunOrder, is_alive
from bertmt.services.submit import LONGEST_NAME
from bertmt.services.sync import folder_of, sync

LONGEST_ID = 40


def import_folder(database: Database, source: Path) -> Run:
    """Copy a run folder beside the registry, unless it lies there, and import all that its attempts wrote.

    All or nothing: a failure leaves neither rows nor a folder. A run that did not come to an end is lost, or held
    where it had been stopped: nothing starts by itself because it was imported.

    Raises:
        NotFoundError: it is no run folder.
        BusyError: a process works it, or the registry has a run of its id.
        UsageError: it holds what a run folder cannot, or its recipe is not valid.
    """
    folder = RunFolder(source.absolute())
    order = _order(folder)
    if is_alive(folder):
        raise BusyError(f"The run in {source} is being worked by a process: import it when that has ended.")
    if all_runs(database, "runs.id = ?", (order.run_id,)):
        raise BusyError(f"Run {order.run_id} is in this registry already: `bertmt show {order.run_id}`.")
    if removed_runs(database, "runs.id = ?", (order.run_id,)):
        raise BusyError(f"Run {order.run_id} was removed from this registry: `bertmt restore {order.run_id}`.")
    with _in_place(database, folder, order.run_id) as placed, database.immediate():
        return _import(database, placed, order)


def _order(folder: RunFolder) -> RunOrder:
    order = folder.read_order()
    found = order.run_id
    if not (isinstance(found, str) and 0 < len(found) <= LONGEST_ID and set(found) <= set(ID_CHARACTERS + "ilo01")):
        raise UsageError(f"{folder.order} holds the id {found!r:.60}, which no run has: expected letters and digits.")
    name = order.name
    if not (isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME and name.isprintable()):
        raise UsageError(f"{folder.order} holds the name {name!r:.60}, not 1 to {LONGEST_NAME} printable characters.")
    texts = (order.data, order.extra_data_file, *order.fingerprints, *order.fingerprints.values())
    if not all(isinstance(each, str) for each in texts):
        raise UsageError(f"{folder.order} is not what a worker writes: data and fingerprints are texts.")
    return order


@contextmanager
def _in_place(database: Database, folder: RunFolder, run_id: str) -> Iterator[RunFolder]:
    """The folder beside the registry, copied where it lies elsewhere, and deleted again where the block fails."""
    target = paths.run_folder(database.path, run_id)
    if target.exists():
        if not target.samefile(folder.path):
            raise BusyError(f"{target} is there already, and no run of this registry: `bertmt import-run {target}`.")
        yield RunFolder(target)
        return
    _refuse_links(folder.path)
    beside = target.with_name(f".{run_id}.{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(folder.path, beside)
        beside.chmod(0o700)
        beside.rename(target)
    except (OSError, shutil.Error) as problem:
        shutil.rmtree(beside, ignore_errors=True)
        raise DataError(f"The folder {folder.path} cannot be copied to {target}: {problem}.") from None
    try:
        yield RunFolder(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _refuse_links(folder: Path) -> None:
    """A link may lead to any file of this user, which would then be copied among the runs."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise UsageError(f"{path} is neither a file nor a folder, so {folder} is not imported: delete it first.")


def _import(database: Database, folder: RunFolder, order: RunOrder) -> Run:
    try:
        recipe = from_json(folder.recipe.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise NotFoundError(f"{folder.path} is no run folder: recipe.json cannot be read ({problem}).") from None
    numbers = list(attempts(folder.path))
    first = next((event for number in numbers for event in read_events(folder.events(number))[0]), {})
    new = NewRun(
        name=order.name, preset=matching_preset(recipe), from_preset=None, recipe_json=to_json(recipe),
        digest=recipe.digest(), seed=recipe.seed, data=order.data, extra_data_file=order.extra_data_file,
        fingerprints=order.fingerprints, state=State.HELD, checkpoint_dir=order.checkpoint_dir, run_id=order.run_id,
        submitted_at=_time_of(first),
    )  # fmt: skip
    versions = first.get("versions")
    source = {"version": str(versions.get("bertmt", "unknown")) if isinstance(versions, dict) else "unknown"}
    add_runs(database, [new], Snapshot("imported", source, versions if isinstance(versions, dict) else {}))
    run = all_runs(database, "runs.id = ?", (order.run_id,))[0]
    for number in numbers:
        run = _import_attempt(database, run, number, order.device)
    return _at_rest(database, run)


def _import_attempt(database: Database, run: Run, number: int, device: str) -> Run:
    """What one attempt wrote, as if it had been imported while it ran."""
    if run.state is State.FINISHED:  # what a folder cannot hold: nothing follows a finished attempt
        return run
    if run.state is not State.QUEUED:
        run = move(database, run.key, State.QUEUED, Owner.PERSON, f"imported: attempt {number}")
    at = _time_of(next(iter(read_events(folder_of(database, run).events(number))[0]), {}))
    run = move(
        database, run.key, State.RUNNING, Owner.CLAIM, f"imported: attempt {number}", attempt=number, failure=None,
        device=device.removeprefix("cuda:"), started_at=at, ended_at=None,
    )  # fmt: skip
    run = sync(database, run)
    if run.state is State.RUNNING:
        reason = "imported: it wrote no last event"
        run = move(database, run.key, State.LOST, Owner.DEATH, reason, ended_at=run.last_event_at)
    return run


def _time_of(event: Mapping[str, Any]) -> str:
    """When an event was written; now where it does not say so in a way that could be read again."""
    try:
        return datetime.fromisoformat(event["at"]).astimezone(UTC).isoformat(timespec="milliseconds")
    except (KeyError, ValueError, OverflowError):
        return now()


def _at_rest(database: Database, run: Run) -> Run:
    """An imported run as it stays: what would be started by itself is held."""
    if run.state is State.QUEUED:
        reason = "imported: `bertmt release` lets it go on"
        return move(database, run.key, State.HELD, Owner.PERSON, reason)
    return run_by_key(database, run.key)


def import_folders(database: Database, sources: list[Path]) -> Iterator[Run | BertmtError]:
    """Import several, each by itself: the run, or why it was not imported."""
    for source in sources:
        try:
            yield import_folder(database, source)
        except BertmtError as problem:
            yield problem
