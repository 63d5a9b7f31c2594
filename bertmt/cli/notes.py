"""`bertmt note` and `tag`."""

from typing import Annotated

import typer

from bertmt.cli import completion, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import RunWord
from bertmt.drawing.safe_text import safe_text


def note(
    context: typer.Context,
    run: RunWord,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note; empty removes it.")],
) -> None:
    """Replace a run's note."""
    from bertmt.services.browse.lookup import find_run
    from bertmt.services.lifecycle import control

    database = existing_registry(context)
    after = control.annotate(database, find_run(database, run), text)
    output.write_lines([safe_text(f"{after.id} {after.name}: {after.annotations.note or 'no note'}")])


def tag(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[RUN...] TAG", help="Runs, then the tag.", autocompletion=completion.runs_and_tags),
    ],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tag.")] = False,
    matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:
    """Tag runs; `bertmt runs --filter tag:WORD` finds them."""
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all

    *runs, word = words
    database = existing_registry(context)
    found = chosen_runs(database, runs, matching, yes, "tag")
    for after in for_all(database, found, lambda database, run: control.tag(database, run, word, present=not remove)):
        output.write_lines([safe_text(f"{after.id} {after.name}: {' '.join(after.annotations.tags) or 'no tags'}")])
