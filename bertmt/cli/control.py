"""`bertmt cancel`, `pause`, `resume`, `requeue` and `rm`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import DataFolder, ExtraData, RunWords
from bertmt.drawing.numbers import named
from bertmt.drawing.safe_text import safe_text


def cancel(context: typer.Context, runs: RunWords) -> None:
    """Cancel waiting and paused runs, stop running ones.

    A running one writes a checkpoint first, so that `bertmt requeue` can continue it.
    """
    from bertmt.services.lifecycle import bulk

    database = existing_registry(context)
    for after in bulk.cancel(database, named_runs(database, runs)):
        word = "will stop" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])


def pause(context: typer.Context, runs: RunWords) -> None:
    """Checkpoint running runs and free their device."""
    from bertmt.services.lifecycle import bulk

    database = existing_registry(context)
    for after in bulk.pause(database, named_runs(database, runs)):
        output.write_lines([safe_text(f"{after.id} {after.name}: writes a checkpoint and pauses")])


def resume(context: typer.Context, runs: RunWords) -> None:
    """Resume paused runs, ahead of everything that waits."""
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all

    database = existing_registry(context)
    for after in for_all(database, named_runs(database, runs), control.resume):
        word = "resumed; it had not stopped yet" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])
    note_unworked_queue(database)


MOST_TYPED = 3  # ids of a command that a person may copy
FromStart = Annotated[bool, typer.Option("--from-start", help="Delete their checkpoints and start over.")]


def requeue(
    context: typer.Context,
    runs: RunWords,
    data: DataFolder = None,
    extra_data: ExtraData = None,
    from_start: FromStart = False,
) -> None:
    """Queue failed, cancelled, lost or paused runs again.

    As their next attempt, from their newest checkpoint, at the end of the queue; --data and --extra-data say where the
    same data are now.
    """
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services.lifecycle import bulk, control

    database = existing_registry(context)
    found = named_runs(database, runs)
    if from_start:
        queued = bulk.begin_anew(database, found, data, extra_data)
    else:
        queued = bulk.for_all(database, found, lambda database, run: control.requeue(database, run, data, extra_data))
    for after in queued:
        kept = after.progress.checkpoint_step
        where = "from the start" if kept is None else f"from step {kept:,}"
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}, {where}")])
    note_unworked_queue(database)


def rm(
    context: typer.Context,
    runs: RunWords,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove runs; `bertmt restore` brings them back.

    Nothing is deleted until `bertmt gc`. Waiting runs are cancelled; running ones are refused.
    """
    from bertmt.errors import UsageError
    from bertmt.services.lifecycle import removal
    from bertmt.services.lifecycle.bulk import for_all
    from bertmt.services.lifecycle.startable import waiting_runs

    database = existing_registry(context)
    found = named_runs(database, runs)
    listed = named([f"{run.id} ({run.name}, seed {run.seed}, {run.state})" for run in found])
    diagnostics.note(*removal.consequences(found, waiting_runs(database)))
    if not yes and not diagnostics.is_interactive():
        raise UsageError(f"Cannot ask for confirmation whether {listed} may be removed: pass --yes.")
    if not yes and not diagnostics.ask(f"Remove {listed}?"):
        diagnostics.note("Nothing was removed.")
        return
    for run in for_all(database, found, removal.delete):
        output.write_lines([safe_text(f"{run.id} {run.name}: removed")])
    ids = " ".join(run.id for run in found) if len(found) <= MOST_TYPED else "RUN..."
    diagnostics.note(f"`bertmt restore {ids}` brings back what was removed, until `bertmt gc` deletes it for good.")
