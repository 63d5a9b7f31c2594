"""`bertmt cancel`, `pause`, `resume`, `requeue` and `rm`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs, confirm, listed
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import DataFolder, ExtraData, RunWordsOrNone
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text


def cancel(
    context: typer.Context, runs: RunWordsOrNone = None, matching: MatchingRuns = None, yes: Yes = False
) -> None:
    """Cancel waiting and paused runs, stop running ones.

    A running one writes a checkpoint first, so that `bertmt requeue` can continue it.
    """
    from bertmt.services.lifecycle import bulk

    database = existing_registry(context)
    for after in bulk.cancel(database, chosen_runs(database, runs, matching, yes, "cancel")):
        word = "will stop" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])


def pause(context: typer.Context, runs: RunWordsOrNone = None, matching: MatchingRuns = None, yes: Yes = False) -> None:
    """Checkpoint running runs and free their device."""
    from bertmt.services.lifecycle import bulk

    database = existing_registry(context)
    for after in bulk.pause(database, chosen_runs(database, runs, matching, yes, "pause")):
        output.write_lines([safe_text(f"{after.id} {after.name}: writes a checkpoint and pauses")])


def resume(
    context: typer.Context, runs: RunWordsOrNone = None, matching: MatchingRuns = None, yes: Yes = False
) -> None:
    """Resume paused runs, ahead of everything that waits."""
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all

    database = existing_registry(context)
    for after in for_all(database, chosen_runs(database, runs, matching, yes, "resume"), control.resume):
        word = "resumed; it had not stopped yet" if after.state == "running" else str(after.state)
        output.write_lines([safe_text(f"{after.id} {after.name}: {word}")])
    note_unworked_queue(database)


MOST_TYPED = 3  # ids of a command that a person may copy
FromStart = Annotated[bool, typer.Option("--from-start", help="Delete their checkpoints and start over.")]


def requeue(
    context: typer.Context, runs: RunWordsOrNone = None, data: DataFolder = None, extra_data: ExtraData = None,
    from_start: FromStart = False, matching: MatchingRuns = None, yes: Yes = False,
) -> None:  # fmt: skip
    """Queue failed, cancelled, lost or paused runs again.

    As their next attempt, from their newest checkpoint, at the end of the queue; --data and --extra-data say where the
    same data are now.
    """
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services.lifecycle import bulk, control

    database = existing_registry(context)
    found = chosen_runs(database, runs, matching, yes, "requeue")
    if from_start:
        queued = bulk.begin_anew(database, found, data, extra_data)
    else:
        queued = bulk.for_all(database, found, lambda database, run: control.requeue(database, run, data, extra_data))
    for after in queued:
        kept = after.progress.checkpoint_step
        where = "from the start" if kept is None else f"from step {kept:,}"
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}, {where}")])
    note_unworked_queue(database)


def rm(context: typer.Context, runs: RunWordsOrNone = None, matching: MatchingRuns = None, yes: Yes = False) -> None:
    """Remove runs; `bertmt restore` brings them back.

    Nothing is deleted until `bertmt gc`. Waiting runs are cancelled; running ones are refused.
    """
    from bertmt.services.browse.baseline import chosen_baseline
    from bertmt.services.lifecycle import removal
    from bertmt.services.lifecycle.bulk import for_all

    database = existing_registry(context)
    found = chosen_runs(database, runs, matching, True, "rm")  # asked below, with what follows from it
    diagnostics.note(*removal.consequences(found, removal.dependents(database), chosen_baseline(database)))
    confirm(f"remove {counted(len(found), 'run')}: {listed(found)}", yes)
    for run in for_all(database, found, removal.delete):
        output.write_lines([safe_text(f"{run.id} {run.name}: removed")])
    ids = " ".join(run.id for run in found) if len(found) <= MOST_TYPED else "RUN..."
    diagnostics.note(f"`bertmt restore {ids}` brings back what was removed, until `bertmt gc` deletes it for good.")
