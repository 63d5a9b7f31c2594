"""`bertmt gc`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted, size_words
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.upkeep.garbage import Freed, Item

COLUMNS = (Column("what"), Column("run"), Column("size", True), Column("where", elastic=True))
Yes = Annotated[bool, typer.Option("--yes", help="Delete without asking.")]
Folders = Annotated[bool, typer.Option("--folders", help="Also delete run folders that belong to no run.")]


def gc(context: typer.Context, yes: Yes = False, folders: Folders = False, as_json: AsJson = False) -> None:
    """Show what can be cleaned up, and delete it.

    Removed runs with their folders, checkpoints of finished runs, what killed processes left over an hour ago, and
    token ids in the user's cache folder that no run has used for a month (at most 256 MiB are kept there).
    Folders in runs/ that belong to no run and are older than a day are listed; only --folders deletes them.
    """
    from bertmt.services.upkeep.garbage import Kind, find_garbage, free

    database = existing_registry(context)
    found = find_garbage(database)
    meant = [item for item in found if folders or item.kind is not Kind.FOLDER]
    if not as_json:
        _write_table(found)
        _note_folders([item for item in found if item not in meant])
    if meant and (yes or (diagnostics.is_interactive() and not as_json and _ask(meant))):
        freed = free(database, meant)
        _write_freed(found, freed, as_json)
    elif as_json:
        _write_document(found, None)
    elif meant:
        diagnostics.note("Nothing was deleted; `bertmt gc --yes` does it.")


def _write_table(found: "Sequence[Item]") -> None:
    rows = [
        Row([str(item.kind), item.run.id if item.run else "–", size_words(item.size_bytes), safe_text(str(item.path))])
        for item in found
    ]
    if rows:
        output.write_lines(table(COLUMNS, rows, output.table_width()))
    else:
        output.write_lines(["There is nothing to clean up."])


def _note_folders(kept: "Sequence[Item]") -> None:
    if kept:
        listed = " ".join(str(item.path) for item in kept[:3]) + (" …" if len(kept) > 3 else "")
        diagnostics.note(
            f"{counted(len(kept), 'folder')} of no run here will stay: `bertmt import-run {listed}` brings them in, "
            "`bertmt gc --folders` deletes them."
        )


def _ask(meant: "Sequence[Item]") -> bool:
    size = size_words(sum(item.size_bytes for item in meant))
    return diagnostics.ask(f"Delete {len(meant):,} of them ({size}) for good?")


def _write_freed(found: "Sequence[Item]", freed: "Freed", as_json: bool) -> None:
    if as_json:
        _write_document(found, freed)
    else:
        output.write_lines(
            [f"Freed {size_words(freed.size_bytes)}, {size_words(freed.registry_bytes)} in the registry."]
        )
    for item, reason in freed.kept:
        diagnostics.warn(f"{item.path} stays: {reason}")
    if freed.remark:
        diagnostics.warn(freed.remark)
    if freed.kept:
        raise typer.Exit(1)


def _write_document(found: "Sequence[Item]", freed: "Freed | None") -> None:
    items: list[dict[str, Any]] = [
        {"kind": str(item.kind), "path": str(item.path), "size_bytes": item.size_bytes,
         "run": item.run.id if item.run else None, "freed": freed is not None and item in freed.items}
        for item in found
    ]  # fmt: skip
    content = {
        "dry_run": freed is None, "items": items, "freed_bytes": freed.size_bytes if freed else 0,
        "registry_bytes": freed.registry_bytes if freed else 0,
    }  # fmt: skip
    output.write_document("bertmt.garbage/1", content)
