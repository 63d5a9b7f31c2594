"""What a repair could not bring back, by name, as far as the damaged file still tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bertmt import paths
from bertmt.registry.database import Database
from bertmt.registry.file.salvage import Row
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, removed_runs
from bertmt.registry.sources import sources_with
from bertmt.registry.states import WAITING, State
from bertmt.services.plan.own_code import digests_in


@dataclass(frozen=True)
class NotRestored:
    """What is lost.

    Attributes:
        runs: by id, "name, state" of runs that are neither in the backup nor in a folder.
        changes: by what was changed since the backup, "id name" of each run that is as it was then.
        is_all: whether the damaged file could be read through; else more may be lost, of which it tells nothing.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_all: bool = True


def not_restored(new: Database, rows: Sequence[Row], is_whole: bool) -> NotRestored:
    """Compare a repaired registry with what the damaged file says of its runs.

    Args:
        is_whole: whether the rows are all that there were.
    """
    removed = {run.id: run for run in removed_runs(new)}
    there = {run.id: run for run in all_runs(new)} | removed
    runs: dict[str, str] = {}
    changes: dict[str, list[str]] = {}
    for row in rows:
        if not paths.is_run_id(row["id"]):
            is_whole = False
            continue
        run, was_removed = there.get(row["id"]), row["removed_at"] is not None
        if run is None:
            runs[row["id"]] = f"{row['name']}, {'removed' if was_removed else row['state']}"
            continue
        if was_removed != (run.id in removed):
            changes.setdefault("removal", []).append(f"{run.id} {run.name}")
        submitted = row["sources"].intersection(digests_in(run.submission.recipe_json))
        if len(sources_with(new, submitted)) < len(submitted):
            changes.setdefault("source of its own losses and heads", []).append(f"{run.id} {run.name}")
        for what in _changed(run, row):
            changes.setdefault(what, []).append(f"{run.id} {run.name}")
    return NotRestored(runs, changes, is_whole)


def _changed(run: Run, row: Row) -> list[str]:
    """What of a run is not as the damaged file has it, and no folder tells."""
    waits = run.state in WAITING
    looks = {
        "note": run.annotations.note != row["note"],
        "tags": set(run.annotations.tags) != row["tags"],
        "recipe": run.submission.recipe_json != row["recipe"],
        "place in the queue": waits and run.queueing.position != row["position"],
        "conditions of its start": waits and _conditions(run) != _conditions_of(row),
        "state": row["state"] in (State.HELD, State.CANCELLED, State.PAUSED)
        and not waits
        and run.state != row["state"],
    }
    return [what for what, differs in looks.items() if differs]


def _conditions(run: Run) -> tuple[object, ...]:
    asked = run.queueing
    return asked.priority, asked.not_before_at, asked.wants, run.submission.checkpoint_dir, len(asked.awaits)


def _conditions_of(row: Row) -> tuple[object, ...]:
    columns = ("priority", "not_before_at", "wants", "checkpoint_dir")
    return *(row[name] for name in columns), len(row["awaits"])
