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

    database = existing_registry(context)
    for run in named_runs(database, runs):
        after = control.cancel(database, run)
        word = "will stop" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])


def requeue(context: typer.Context, runs: RunWords, data: DataFolder = None, extra_data: ExtraData = None) -> None:
    """Queue failed, cancelled or lost runs again.

    As their next attempt, behind all that wait; --data and --extra-data tell where the same data lie now.
    """
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services import control

    database = existing_registry(context)
    for run in named_runs(database, runs):
        after = control.requeue(database, run, data, extra_data)
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])
    note_unworked_queue(database)


def rm(
    context: typer.Context,
    runs: RunWords,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove runs; `bertmt restore` brings them back.

    Nothing is deleted until `bertmt gc`. Runs that wait are cancelled, running ones are refused.
    """
    from bertmt.errors import UsageError
    from bertmt.services import removal

    database = existing_registry(context)
    found = named_runs(database, runs)
    listed = ", ".join(f"{run.id} ({run.name}, seed {run.seed}, {run.state})" for run in found)
    if not yes and not diagnostics.is_interactive():
        raise UsageError(f"Nobody is there to say whether {listed} may be removed: add --yes.")
    if not yes and not diagnostics.ask(f"Remove {listed}?"):
        diagnostics.note("Nothing was removed.")
        return
    for run in found:
        removal.delete(database, run)
        output.write_lines([safe_text(f"{run.id} {run.name}: removed")])
    ids = " ".join(run.id for run in found)
    diagnostics.note(f"`bertmt restore {ids}` brings back what was removed, until `bertmt gc` deletes it for good.")
