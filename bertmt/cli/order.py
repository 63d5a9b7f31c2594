"""`bertmt hold`, `release` and `move`: the order of the queue."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bertmt.cli import completion, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry, named_run, named_runs
from bertmt.cli.parameters import RunWords, RunWordsOrNone
from bertmt.drawing.safe_text import safe_text

WholeQueue = Annotated[bool, typer.Option("--queue", help="The whole queue; running runs are left alone.")]


def hold(
    context: typer.Context, runs: RunWordsOrNone = None, queue: WholeQueue = False, matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Keep queued runs, or the whole queue, from starting."""
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all
    from bertmt.services.lifecycle.hold import hold_queue

    _refuse_unless_one(runs, queue, matching)
    database = existing_registry(context)
    if queue:
        hold_queue(database)
        output.write_lines(["The queue is held: running runs continue, nothing else starts."])
    found = [] if queue else chosen_runs(database, runs, matching, yes, "hold")
    for after in for_all(database, found, control.hold):
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])


def release(
    context: typer.Context, runs: RunWordsOrNone = None, queue: WholeQueue = False, matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Let held runs, or the held queue, start again."""
    from bertmt.cli.runs import note_unworked_queue
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all
    from bertmt.services.lifecycle.hold import release_queue

    _refuse_unless_one(runs, queue, matching)
    database = existing_registry(context)
    if queue:
        release_queue(database)
        output.write_lines(["The queue is released; runs that were held one by one stay held."])
    found = [] if queue else chosen_runs(database, runs, matching, yes, "release")
    for after in for_all(database, found, control.release):
        output.write_lines([safe_text(f"{after.id} {after.name}: {after.state}")])
    note_unworked_queue(database)


def _refuse_unless_one(runs: Sequence[str] | None, queue: bool, matching: str | None) -> None:
    from bertmt.errors import UsageError

    named = bool(runs) or matching is not None
    if named == queue:
        raise UsageError("Say which runs, --filter QUERY for all that match, or --queue for the whole queue.")


First = Annotated[bool, typer.Option("--first", help="Put them at the front of the queue.")]
Last = Annotated[bool, typer.Option("--last", help="Put them at the end of the queue.")]
Before = Annotated[
    str | None,
    typer.Option("--before", metavar="RUN", help="Put them before that run.", autocompletion=completion.runs),
]


Priority = Annotated[
    str | None, typer.Option("--priority", metavar="N", help="Higher priorities start first; 0 is normal.")
]


def move(
    context: typer.Context,
    runs: RunWords,
    first: First = False,
    last: Last = False,
    before: Before = None,
    priority: Priority = None,
) -> None:
    """Move waiting runs in the queue, in the order named.

    A moved run takes the priority of its new place.
    """
    from bertmt.errors import UsageError
    from bertmt.services.lifecycle import reordering
    from bertmt.services.lifecycle.bulk import for_all

    if first + last + (before is not None) + (priority is not None) != 1:
        raise UsageError("Say where to: --first, --last, --before RUN, or --priority N.")
    value = None if priority is None else reordering.parse_priority(priority)
    database = existing_registry(context)
    found = named_runs(database, runs)
    other = named_run(context, before)
    ordered = found[::-1] if first else found
    if value is not None:
        for_all(database, found, lambda database, run: reordering.prioritise(database, run, value))
    else:
        for_all(database, ordered, lambda database, run: reordering.reorder(database, run, first=first, before=other))
    where = f"before {other.id}" if other else "first" if first else "last"
    where = where if value is None else f"priority {value}"
    output.write_lines(safe_text(f"{run.id} {run.name}: {where}") for run in found)
