"""`bertmt find`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted, named
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertmt.services.browse.find.found import Found
    from bertmt.services.browse.find.search import Search

WIDTH_OF_A_PLACE = 18
SLICE_SECONDS = 1.0


def find(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A word or more, in capitals or not.")],
    filter_text: Annotated[
        str, typer.Option("--filter", metavar="QUERY", help="Only in runs that match, as in `bertmt runs --filter`.")
    ] = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Find a text in names, notes, failures, sentences and logs.

    A sentence that many runs predicted is told once, of the newest of them.
    """
    from bertmt.services.browse.find.search import Search, by_run
    from bertmt.services.browse.listing import list_runs

    database = existing_registry(context)
    search = Search(database, [row.run for row in list_runs(database, filter_text)][::-1], text)
    found: list[Found] = []
    while not search.is_over:
        found += search.go_on(SLICE_SECONDS)
    if as_json:
        output.write_document("bertmt.find/1", {"found": [_record(each) for each in found], "cut": sorted(search.cut)})
    else:
        output.write_lines(line for group in by_run(found) for line in _lines(group))
        diagnostics.note(*_notes(search, found))


def _notes(search: "Search", found: "Sequence[Found]") -> list[str]:
    said = [] if found else ["Nothing was found."]
    said += [f"More was found in {named(sorted(search.cut))}; type more of the text."] if search.cut else []
    return said + ([f"{counted(search.unreadable, 'log')} cannot be read."] if search.unreadable else [])


def _lines(group: "Sequence[Found]") -> "Iterator[Line]":
    """A run, and below it what was found in it, each cut to the terminal."""
    run, width = group[0].run, output.table_width()
    lines: list[Line] = [(Span(f"{run.id} {safe_text(run.name)} seed {run.seed} {run.state}", "title"),)]
    for each in group:
        place = {"log": f"log {each.attempt}:{each.line or '?'}", "sentence": f"{each.task} {each.example + 1}"}
        where = safe_text(place.get(each.where, each.where)).ljust(WIDTH_OF_A_PLACE)
        lines.append((Span(f"  {where} ", "dim"), Span(safe_text(each.text.strip()))))
    return (each if width is None else cut_line(each, width) for each in lines)


def _record(found: "Found") -> dict[str, Any]:
    return {
        "run": found.run.id,
        "name": found.run.name,
        "where": str(found.where),
        "text": found.text,
        "attempt": found.attempt or None,
        "line": found.line or None,
        "task": found.task or None,
        "example": found.example if found.task else None,
        "other_runs": found.others,
    }
