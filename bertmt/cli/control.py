"""`bertmt cancel`, `requeue` and `rm`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import DataFolder, ExtraData, RunWords
from bertmt.drawing.safe_text import safe_text


def cancel(context: typer.Context, runs: RunWords) -> None:
    """Cancel waiting runs, stop running ones."""
    from bertmt.services import control
    from bertmt.services.all_or_none import for_all

    database = existing_registry(context)
    for after in for_all(database, named_runs(database, runs), control.cancel):
        word = "will stop" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])


def requeue(context: typer.Context, runs: RunWords, data: DataFolder = None, extra_data: ExtraData = None) -> None:
    """Queue failed, cancelled or lost runs again.

    As their next attempt, behind all that wait; --data and --extra-data tell where the same data lie now.
    """
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services import control
    from bertmt.services.all_or_none import for_all

    database = existing_registry(context)
    found = named_runs(database, runs)
    for after in for_all(database, found, lambda database, run: control.requeue(database, run, data, extra_data)):
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])
    note_unworked_queue(database)


def rm(
    context: typer.Context,
    runs: RunWords,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove runs with their folders."""
    from bertmt.errors import UsageError
    from bertmt.services import control

    database = existing_registry(context)
    found = named_runs(database, runs)
    listed = ", ".join(f"{run.id} ({run.name}, seed {run.seed}, {run.state})" for run in found)
    if not yes and not diagnostics.is_interactive():
        raise UsageError(f"Removing {listed} cannot be undone: add --yes.")
    if not yes and not diagnostics.ask(f"Remove {listed}, with their folders?"):
        diagnostics.note("Nothing was removed.")
        return
    for run in found:
        control.refuse_running(database, run)
    for run in found:
        control.delete(database, run)
        output.write_lines([safe_text(f"{run.id} {run.name}: removed")])
