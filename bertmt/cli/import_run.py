"""`bertmt import-run`."""

from pathlib import Path
from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_to_fill
from bertmt.drawing.safe_text import safe_text

Folders = Annotated[list[str], typer.Argument(metavar="FOLDER...", help="Run folders, such as elsewhere/runs/*.")]


def import_run(context: typer.Context, folders: Folders) -> None:
    """Take in run folders from elsewhere, or from a lost registry.

    Each is copied beside this registry, unless it lies there, and everything that it holds is imported. Nothing
    starts by itself because of it.
    """
    from bertmt.errors import BertmtError
    from bertmt.services.import_run import import_folders

    problems: list[BertmtError] = []
    for result in import_folders(registry_to_fill(context), [Path(each) for each in folders]):
        if isinstance(result, BertmtError):
            problems.append(result)
        else:
            output.write_lines([safe_text(f"{result.id} {result.name} (seed {result.seed}): {result.state}")])
    for problem in problems[:-1]:
        diagnostics.report(str(problem))
    if problems:
        raise problems[-1]
