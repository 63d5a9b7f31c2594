"""`bertmt logs`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import RunWord
from bertmt.drawing.safe_text import safe_text


def logs(
    context: typer.Context,
    run: RunWord,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing until the run has ended.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="Show the last N lines; 0 shows all.")] = 40,
    attempt: Annotated[int, typer.Option("--attempt", min=0, help="An earlier attempt; 0 is the latest.")] = 0,
) -> None:
    """Show a run's log."""
    from bertmt.services.browse.logs import follow_log, read_log
    from bertmt.services.browse.lookup import find_run

    database = existing_registry(context)
    found = find_run(database, run)
    if not follow:
        output.write_lines(safe_text(line) for line in read_log(database, found, lines, attempt))
        return
    if found.state in ("queued", "held"):
        diagnostics.note(f"Run {found.id} is {found.state}; its log comes when a worker takes it.")
    for line in follow_log(database, found, lines):
        output.write_lines([safe_text(line)])
