"""`bertmt restore`."""

from typing import Annotated

import typer

from bertmt.cli import completion, output
from bertmt.cli.invocation import existing_registry
from bertmt.drawing.safe_text import safe_text

RemovedRuns = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="Ids or names of removed runs.", autocompletion=completion.removed_runs),
]


def restore(context: typer.Context, runs: RemovedRuns) -> None:
    """Bring back removed runs, until `bertmt gc`.

    They are as they were; runs that were waiting are cancelled, and `bertmt requeue` queues them again.
    """
    from bertmt.services.lifecycle import bulk

    for run in bulk.restore(existing_registry(context), runs):
        output.write_lines([safe_text(f"{run.id} {run.name}: {run.state}")])
