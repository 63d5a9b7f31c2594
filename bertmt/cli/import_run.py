"""`bertmt import-run`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.exit_codes import exit_code_of
from bertmt.cli.invocation import registry_path, registry_to_fill
from bertmt.cli.parameters import AsJson
from bertmt.cli.records import run_record
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.ingest.import_run import Refused

Folders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER...", help="Run folders, as found in runs/.", show_default=False)
]


def import_run(context: typer.Context, folders: Folders, as_json: AsJson = False) -> None:
    """Import runs from their folders.

    From another machine or registry, or from runs/ itself after the registry was lost: `bertmt import-run runs/*`. A
    folder elsewhere is copied. Each run is imported whole or not at all, and never into the queue: a stopped run
    becomes cancelled, one without an end becomes lost, and `bertmt requeue` continues it. Notes, tags and the preset
    it was queued from are not stored in a folder.
    """
    from bertmt.services.ingest.import_run import check_any, import_runs

    # `runs/*` names the log of workers too.
    named = [each for each in folders if len(folders) == 1 or not _is_file(each)]
    if not registry_path(context).exists():
        check_any(named)
    imported, refused = import_runs(registry_to_fill(context), named)
    if as_json:
        output.write_document("bertmt.imported/1", _document(imported, refused))
    else:
        output.write_lines(safe_text(f"{run.id} {run.name} (seed {run.seed}): {run.state}") for run in imported)
    for each in refused:
        diagnostics.report(str(each.problem))
    if refused:
        raise typer.Exit(exit_code_of(refused[0].problem))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _document(imported: "list[Run]", refused: "list[Refused]") -> dict[str, object]:
    return {
        "imported": [run_record(run) for run in imported],
        "refused": [{"folder": str(each.folder), "reason": str(each.problem)} for each in refused],
    }
