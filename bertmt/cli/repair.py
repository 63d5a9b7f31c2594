"""`bertmt repair`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.upkeep.repair import Repaired

COLUMNS = (Column("id"), Column("name", elastic=True, is_name=True), Column("state"), Column("saved from"))


def repair(context: typer.Context, as_json: AsJson = False) -> None:
    """Go back from a damaged registry to its newest good backup.

    Also where it is empty or gone. Backups are made when a worker starts, hourly while something changes, and before
    `gc` deletes. What was measured since comes from the run folders, what is unfinished or was queued since is held,
    and what is lost is named. The damaged file is kept. End all workers and dashboards first.
    """
    from bertmt.services.upkeep.repair import repair as repair_registry

    registry = registry_path(context)
    done = repair_registry(registry)
    if as_json:
        _write_document(done)
    elif done.runs:
        rows = [Row([run.id, safe_text(run.name), run.state, run.source]) for run in done.runs]
        output.write_lines(table(COLUMNS, rows, output.table_width()))
    if not done.problems:
        diagnostics.note(f"Nothing is wrong with {registry}, and nothing was changed.")
        return
    _warn(done)
    origin = f"the backup of {done.backup.made_at}" if done.backup else "run folders alone: there was no good backup"
    kept = f" The damaged one is {done.kept}." if done.kept else ""
    held = counted(len(done.runs), "run")
    diagnostics.note(f"{registry}: {'; '.join(done.problems)}. A new one holds {held}, from {origin}.{kept}")


def _warn(done: "Repaired") -> None:
    """What is held, what was not saved, or not whole; every run by its name."""
    for path, problem in done.passed_over:
        diagnostics.warn(f"The backup {path} was passed over: {problem}.")
    for each in done.refused:
        diagnostics.warn(str(each.problem))
    if done.held:
        diagnostics.warn(f"Held, as it is uncertain whether they should start (`bertmt release`): {_all(done.held)}.")
    for run_id, what in done.lost.runs.items():
        diagnostics.warn(f"Lost, in neither a backup nor a folder: {run_id} ({what}).")
    for what, runs in done.lost.changes.items():
        diagnostics.warn(f"As it was before, {what} of: {_all(runs)}.")
    if not done.lost.is_all:
        since = f" since {done.backup.made_at}" if done.backup else ""
        diagnostics.warn(
            f"The damaged file cannot be read to its end, so more may be lost{since} than is listed: notes, tags, "
            "removals, order, and runs that had not started."
        )


def _all(names: Sequence[str]) -> str:
    return ", ".join(names)


def _write_document(done: "Repaired") -> None:
    content = {
        "problems": list(done.problems),
        "kept": str(done.kept) if done.kept else None,
        "backup": str(done.backup.path) if done.backup else None,
        "passed_over": [{"file": str(path), "reason": problem} for path, problem in done.passed_over],
        "runs": [{"id": run.id, "name": run.name, "state": run.state, "source": run.source} for run in done.runs],
        "refused": [{"folder": str(each.folder), "reason": str(each.problem)} for each in done.refused],
        "held": list(done.held),
        "lost": list(done.lost.runs),
        "lost_changes": {what: list(runs) for what, runs in done.lost.changes.items()},
        "is_all_told": done.lost.is_all,
    }
    output.write_document("bertmt.repaired/1", content)
