"""`bertmt hold`, `release` and `move`: the order of the queue."""

from typing import Annotated

import typer

from bertmt.cli import completion, output
from bertmt.cli.invocation import existing_registry, named_run, named_runs
from bertmt.cli.parameters import RunWords
from bertmt.drawing.safe_text import safe_text


def hold(context: typer.Context, runs: RunWords) -> None:
    """Keep queued runs from being started."""
    from bertmt.services import control

    database = existing_registry(context)
    for run in named_runs(database, runs):
        after = control.hold(database, run)
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])


def release(context: typer.Context, runs: RunWords) -> None:
    """Let held runs be started again."""
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services import control

    database = existing_registry(context)
    for run in named_runs(database, runs):
        after = control.release(database, run)
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])
    note_unworked_queue(database)


First = Annotated[bool, typer.Option("--first", help="Before all that wait.")]
Last = Annotated[bool, typer.Option("--last", help="Behind all that wait.")]
Before = Annotated[
    str | None, typer.Option("--before", metavar="RUN", help="Before that one.", autocompletion=completion.runs)
]


def move(
    context: typer.Context, runs: RunWords, first: First = False, last: Last = False, before: Before = None
) -> None:
    """Move waiting runs in the queue, in the order named."""
    from bertmt.errors import UsageError
    from bertmt.services import control

    if first + last + (before is not None) != 1:
        raise UsageError("Say where to: --first, --last, or --before RUN.")
    database = existing_registry(context)
    found = named_runs(database, runs)
    other = named_run(context, before)
    for run in reversed(found) if first else found:
        control.reorder(database, run, first=first, before=other)
    where = f"before {other.id}" if other else "first" if first else "last"
    output.write_lines(safe_text(f"{run.id} {run.name}: {where}") for run in found)
