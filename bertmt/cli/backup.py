"""`bertmt backup`."""

from pathlib import Path
from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.drawing.numbers import size
from bertmt.drawing.safe_text import safe_text

File = Annotated[str | None, typer.Argument(metavar="[FILE]", help="By default beside the registry, with the time.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


def backup(context: typer.Context, file: File = None, force: Force = False) -> None:
    """Copy the registry while everything goes on.

    The copy is whole or not there, checked, and private. Run folders are not in it: they hold what `bertmt import-run`
    would bring back, the trained weights and logs.
    """
    from bertmt.services.backup import back_up, backup_path

    database = existing_registry(context)
    target = Path(file) if file else backup_path(database.path)
    count = back_up(database, target, force)
    output.write_lines([safe_text(f"{target}: {size(count)}")])
    diagnostics.note("The run folders beside the registry are not in it: copy `runs/` for weights and logs.")
