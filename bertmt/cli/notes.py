"""`bertmt note`, `rename` and `tag`."""

from typing import Annotated

import typer

from bertmt.cli import completion, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry, named_runs
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


def rename(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="RUN... NAME", help="Runs, then their name.", autocompletion=completion.runs),
    ],
) -> None:
    """Rename runs; seeds may share a name.

    Ids stay, and everything refers to those. A run folder keeps the name of the run's last start.
    """
    from bertmt.errors import UsageError
    from bertmt.services.lifecycle import control
    from bertmt.services.lifecycle.bulk import for_all

    *runs, name = words
    if not runs:
        raise UsageError("`bertmt rename` expects a run and its name: bertmt rename RUN NAME.")
    database = existing_registry(context)
    found = named_runs(database, runs)
    for before, after in zip(
        found, for_all(database, found, lambda each, run: control.rename(each, run, name)), strict=True
    ):
        output.write_lines([safe_text(f"{after.id}: {before.name} → {after.name}")])


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
