"""`bertmt gc` and `bertmt restore`: what was removed, for good or back again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.garbage import Garbage

COLUMNS = (Column("what"), Column("size", True), Column("where"), Column("why", elastic=True))
Yes = Annotated[bool, typer.Option("--yes", help="Delete it without asking.")]
Words = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids or names; `bertmt gc` lists them.")]


def gc(context: typer.Context, yes: Yes = False, as_json: AsJson = False) -> None:
    """Show what can be deleted for good, and delete it.

    Removed runs with their folders, checkpoints of finished runs, run folders of no run, litter of killed processes.
    Without --yes, and without a terminal to ask on, nothing is deleted.
    """
    from bertmt.services.garbage import find_garbage, free

    database = existing_registry(context)
    found = find_garbage(database)
    wanted = bool(found) and (yes or (not as_json and diagnostics.is_interactive()))
    if not as_json:
        _show(found)
        wanted = wanted and (yes or diagnostics.ask("Delete all of this for good?"))
    freed = free(database, found) if wanted else 0
    _say(found, freed, wanted, as_json)


def _show(found: "list[Garbage]") -> None:
    rows = [
        Row([each.what, numbers.size(each.size_bytes), safe_text(str(each.path)), safe_text(each.reason)])
        for each in found
    ]
    output.write_lines(table(COLUMNS, rows, output.table_width()) if rows else [])


def _say(found: "list[Garbage]", freed: int, was_deleted: bool, as_json: bool) -> None:
    if as_json:
        output.write_document(
            "bertmt.garbage/1",
            {"deleted": was_deleted, "freed_bytes": freed, "garbage": [_record(each) for each in found]},
        )
    elif was_deleted:
        diagnostics.note(f"Freed {numbers.size(freed)}.")
    elif found:
        total = numbers.size(sum(each.size_bytes for each in found))
        diagnostics.note(f"Nothing was deleted; --yes frees {total}. `bertmt restore RUN` brings a removed run back.")
    else:
        diagnostics.note("Nothing to delete.")


def _record(each: "Garbage") -> dict[str, Any]:
    run = each.run.id if each.run else None
    return {"what": each.what, "path": str(each.path), "bytes": each.size_bytes, "reason": each.reason, "run": run}


def restore(context: typer.Context, runs: Words) -> None:
    """Bring back runs that `bertmt rm` removed."""
    from bertmt.services import removal

    database = existing_registry(context)
    with database.immediate():
        found = [run for word in runs for run in removal.restore(database, word)]
    output.write_lines(safe_text(f"{run.id} {run.name} (seed {run.seed}): {run.state}") for run in found)
