"""A registry that was put back to its backup, brought up to now: by its run folders, and by what waited since.

What was measured comes from the folders. What is unfinished or waits is held unless the damaged file says that it was
to start, and the backup too: nothing starts that somebody may have cancelled since.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bertmt import paths
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RegistryError
from bertmt.recipe.loading import from_json
from bertmt.registry.database import Database, sqlite3
from bertmt.registry.edits import store_pause
from bertmt.registry.file.salvage import Row
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import add_imported, all_runs, bring_back, change_state, removed_runs
from bertmt.registry.states import WAITING, Actor, State
from bertmt.run_folder.event_files import attempts
from bertmt.run_folder.events import is_time, now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.services.ingest.import_run import (
    Found,
    Refused,
    catch_up,
    import_runs,
    new_run,
    order_problem,
)
from bertmt.services.ingest.ingest import folder_of
from bertmt.tasks import definitions

MOST_EPOCHS = 2**31 - 1  # what is more is damage
NOT_SURE = "after a repair: whether it was to start is not sure; `bertmt release` lets it"


@dataclass(frozen=True)
class CaughtUp:
    """What came of it.

    Attributes:
        sources: by run id, where the run is from.
        held: ids of the runs that were held.
    """

    sources: Mapping[str, str]
    refused: tuple[Refused, ...]
    held: tuple[str, ...]


def bring_up_to_now(new: Database, folders: Sequence[Path], rows: Sequence[Row]) -> CaughtUp:
    """Add what happened since.

    Args:
        folders: all run folders.
        rows: what the damaged file still says of its runs.
    """
    _bring_back_what_went_on(new)
    backed_up = {run.id: run for run in all_runs(new)}
    sources = {run.id: "backup" for run in (*backed_up.values(), *removed_runs(new))}
    refused: list[Refused] = []
    for run in backed_up.values():
        try:
            if catch_up(new, run) != run:
                sources[run.id] = "backup and folder"
        except (NotFoundError, DataError, BusyError) as problem:
            refused.append(Refused(folder_of(new, run).path, problem))
    imported, not_imported = import_runs(new, [folder for folder in folders if folder.name not in sources])
    sources |= {run.id: "folder" for run in imported}
    rows = [row for row in rows if paths.is_run_id(row["id"])]
    _keep_pauses(new, imported, {row["id"]: row["pause_after"] for row in rows})
    held = _hold(new, backed_up, {row["id"]: row["state"] for row in rows})
    for row in rows:
        waits = row["state"] in WAITING and row["removed_at"] is None
        if row["id"] not in sources and waits and _store_waiting(new, row):
            sources[row["id"]] = "damaged file"
            held.append(row["id"])
    return CaughtUp(sources, (*refused, *not_imported), tuple(held))


def _bring_back_what_went_on(new: Database) -> None:
    """A removed run that has a later attempt was brought back since, or it would not have gone on."""
    for run in removed_runs(new):
        if max(attempts(folder_of(new, run).path), default=0) > run.attempt:
            bring_back(new, run.key)


def _keep_pauses(new: Database, imported: Sequence[Run], said: Mapping[str, object]) -> None:
    """Where runs that came in from their folders are to pause: as the damaged file says, or else as at their start."""
    for run in imported:
        epoch = said.get(run.id)
        store_pause(new, run.key, _epoch(folder_of(new, run).read_order().pause_after if epoch is None else epoch))


def _epoch(value: object) -> int:
    """After which a run pauses; 0, to its end, where this is no epoch."""
    return value if type(value) is int and 0 <= value <= MOST_EPOCHS else 0


def _hold(new: Database, backed_up: Mapping[str, Run], states: Mapping[str, object]) -> list[str]:
    """Hold what waits or has not ended by itself, unless the backup and the damaged file agree about it."""
    held = []
    for run in runs_in(new, State.QUEUED, State.LOST, State.CANCELLED):
        before = backed_up.get(run.id)
        is_as_it_was = before is not None and (before.state, before.attempt) == (run.state, run.attempt)
        if is_as_it_was and (run.state is not State.QUEUED or states.get(run.id) == State.QUEUED):
            continue
        if before is None and states.get(run.id) == run.state == State.CANCELLED:
            continue
        change_state(new, run.key, State.HELD, Actor.IMPORT, NOT_SURE, ended_at=None, failure=None, recoveries=0)
        held.append(run.id)
    return held


def _store_waiting(new: Database, row: Row) -> bool:
    """Store a run that was queued since and never started, so that it has no folder; False where its row is not one."""
    try:
        marks = {name: json.loads(row[name]) for name in ("fingerprints", "encoder_fingerprints")}
        order = RunOrder(
            run_id=row["id"], name=row["name"], attempt=0, data=row["data"], extra_data_file=row["extra_data_file"],
            **marks,
        )  # fmt: skip
        at = row["submitted_at"] if is_time(row["submitted_at"]) else now()
        if order_problem(order) or not isinstance(row["note"], str):
            return False
        folder = RunFolder(paths.run_folder(new.path, order.run_id))
        known = definitions.from_json(row["definitions"] or "")
        recipe = from_json(row["recipe"], known)
        if order_problem(order, recipe):
            return False
        run = new_run(new, Found(folder, order, recipe, at, {}))
        restored = replace(run, state=State.HELD, note=row["note"], pause_after=_epoch(row["pause_after"]))
        with new.immediate():
            unknown = Snapshot("unknown", {}, {})
            add_imported(new, order.run_id, restored, unknown, at, NOT_SURE)
        return True
    except (RegistryError, sqlite3.Error):  # the new registry's trouble, not the row's
        raise
    except (BertmtError, KeyError, TypeError, ValueError, RecursionError):
        return False
