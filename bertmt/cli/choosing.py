"""Which runs a command is about: those that are named, or all that match `--filter` once a person has seen how many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics
from bertmt.cli.invocation import named_runs
from bertmt.drawing.numbers import counted, named

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.opening import Registry

MatchingRuns = Annotated[
    str | None,
    typer.Option("--filter", metavar="QUERY", help="All runs that match, as in `bertmt runs --filter`; asks first."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def chosen_runs(
    database: "Registry", words: Sequence[str] | None, query: str | None, yes: bool, verb: str
) -> "list[Run]":
    """The runs that arguments name or, of those that match a query, all that the verb is for.

    Args:
        verb: the command; a query is followed by a question that has it and the number of runs.

    Raises:
        UsageError: neither or both are given, the query is not understood, or there is nobody to ask.
        NotFoundError: no run matches, or the verb is for none of them.
        typer.Exit: the answer is no.
    """
    from bertmt.errors import UsageError

    if query is None and words:
        return named_runs(database, words)
    if query is None or words:
        raise UsageError(f"`bertmt {verb}` expects runs, or --filter QUERY for all that match, and not both.")
    found = matching_runs(database, query, verb)
    confirm(f"{verb} {counted(len(found), 'run')}: {listed(found)}", yes)
    return found


def matching_runs(database: "Registry", query: str, verb: str) -> "list[Run]":
    """The runs that match and that the verb is for; says how many others match.

    Raises:
        UsageError: the query is not understood, or empty, as where a variable of a script is not set.
        NotFoundError: there is none.
    """
    from bertmt.errors import NotFoundError, UsageError
    from bertmt.services.browse.listing import list_runs
    from bertmt.services.lifecycle.applicable import applicable

    if not query.strip():
        raise UsageError("--filter expects what to look for, but found nothing; `state:failed` is an example.")
    matching = [row.run for row in list_runs(database, query)]
    found = applicable(verb, matching)
    if not matching:
        raise NotFoundError("No run matches the filter; `bertmt runs` lists all.")
    if not found.runs:
        raise NotFoundError(f"`bertmt {verb}` has nothing to do: all {len(matching):,} that match are {found.why}.")
    diagnostics.note(*found.left_alone)
    return list(found.runs)


def confirm(doing: str, yes: bool) -> None:
    """Ask whether to do it.

    Args:
        doing: a verb in lower case, and to what.

    Raises:
        UsageError: there is nobody to ask.
        typer.Exit: the answer is no.
    """
    from bertmt.errors import UsageError

    if yes:
        return
    if not diagnostics.is_interactive():
        raise UsageError(f"Cannot ask for confirmation to {doing}; pass --yes.")
    if not diagnostics.ask(f"{doing[:1].upper()}{doing[1:]}?"):
        diagnostics.note("Nothing was done.")
        raise typer.Exit


def listed(runs: "Sequence[Run]") -> str:
    """The first of the runs and how many more there are."""
    return named([f"{run.id} ({run.name}, seed {run.seed}, {run.state})" for run in runs])
