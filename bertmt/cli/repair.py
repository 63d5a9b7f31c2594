"""`bertmt repair`."""

from typing import TYPE_CHECKING

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted, named
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.upkeep.repair import Repaired

COLUMNS = (Column("id"), Column("name", elastic=True), Column("state"), Column("saved from"))


def repair(context: typer.Context, as_json: AsJson = False) -> None:
    """Save a damaged, empty or lost registry.

    Makes a new one of what can be read of it (names, notes, tags, the queue, the history) and of the run folders beside
    it (all that was measured), and keeps the damaged one under another name. End all workers and dashboards first.
    """
    from bertmt.services.upkeep.repair import repair as repair_registry

    registry = registry_path(context)
    done = repair_registry(registry)
    if as_json:
        _write_document(done)
    elif done.runs:
        rows = [Row([run.id, safe_text(run.name), run.state, run.source]) for run in done.runs]
        output.write_lines(table(COLUMNS, rows, output.table_width()))
    _warn(done)
    if not done.problems:
        diagnostics.note(f"Nothing is wrong with {registry}, and nothing was changed.")
    else:
        kept = f" The damaged one is {done.kept}." if done.kept else ""
        diagnostics.note(
            f"{registry}: {'; '.join(done.problems)}. A new one holds {counted(len(done.runs), 'run')}.{kept}"
        )


def _warn(done: "Repaired") -> None:
    """What was not saved, or not whole."""
    for each in done.refused:
        diagnostics.warn(str(each.problem))
    if done.lost:
        lost = f"{counted(len(done.lost), 'run')} could not be saved, neither from the registry nor from a folder"
        diagnostics.warn(f"{lost}: {named(done.lost)}.")
    if done.kept and any(run.source == "folder" for run in done.runs):
        diagnostics.warn(
            "Of those saved from a folder alone notes, tags and history are lost, unless a backup or the damaged file "
            "tells them."
        )


def _write_document(done: "Repaired") -> None:
    content = {
        "problems": list(done.problems),
        "kept": str(done.kept) if done.kept else None,
        "runs": [{"id": run.id, "name": run.name, "state": run.state, "source": run.source} for run in done.runs],
        "refused": [{"folder": str(each.folder), "reason": str(each.problem)} for each in done.refused],
        "lost": list(done.lost),
    }
    output.write_document("bertmt.repaired/1", content)
