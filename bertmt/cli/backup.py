"""`bertmt backup`."""

from pathlib import Path
from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted, size_words
from bertmt.drawing.safe_text import safe_text


def backup(
    context: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="By default runs-<UTC>.db beside the registry.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the registry, even while workers write to it.

    The copy is consistent, checked, and complete or absent. Run folders are not in it. To go back to it, stop
    all workers and dashboards, delete runs.db-wal and runs.db-shm, and move the copy to runs.db.
    """
    from bertmt.services.upkeep.backup import back_up

    made = back_up(existing_registry(context), Path(file) if file else None, force)
    if as_json:
        content = {
            "file": str(made.path), "size_bytes": made.size_bytes, "runs": made.runs, "folders": made.folders,
            "folders_bytes": made.folders_bytes,
        }  # fmt: skip
        output.write_document("bertmt.backup/1", content)
        return
    output.write_lines([safe_text(f"{made.path}: {counted(made.runs, 'run')}, {size_words(made.size_bytes)}")])
    diagnostics.note(
        "It holds recipes, scores, curves, predictions, notes and the queue. Not in it: "
        f"{counted(made.folders, 'run folder')} ({size_words(made.folders_bytes)}) with models, logs and checkpoints."
    )
