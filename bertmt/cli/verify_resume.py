"""`bertmt verify-resume`."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_run, registry_path
from bertmt.cli.parameters import (
    AsJson,
    DataFolder,
    EncoderName,
    ExtraData,
    FromRun,
    PresetName,
    RecipeFile,
    Settings,
    named_settings,
)  # fmt: skip
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.lifecycle.verify_resume import Verification
    from bertmt.services.plan.submit import Plan

COLUMNS = (Column("what"), Column("compared", True), Column("different", True), Column("which", elastic=True))
Kills = Annotated[int, typer.Option("--kills", metavar="N", min=1, help="How often to kill the second run.")]
KillSeed = Annotated[int, typer.Option("--kill-seed", metavar="N", help="Seed of the steps at which it is killed.")]
Device = Annotated[
    str, typer.Option("--device", metavar="SPEC", help="As for `bertmt worker`; the first device is used.")
]
Keep = Annotated[str | None, typer.Option("--keep", metavar="DIR", help="Keep both runs in this empty folder.")]


def verify_resume(
    context: typer.Context,
    preset: PresetName = None,
    file: RecipeFile = None,
    from_run: FromRun = None,
    settings: Settings = None,
    data: DataFolder = None,
    extra_data: ExtraData = None,
    encoder: EncoderName = None,
    kills: Kills = 3,
    kill_seed: KillSeed = 0,
    device: Device = "auto",
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Check that a killed and resumed run ends with the same bytes.

    Trains a run without interruption, then again with SIGKILL at random steps, and compares weights, optimizer, random
    generators, predictions and metric rows byte for byte. By default 2 epochs of 20 steps; --set changes that.
    """
    from bertmt.recipe.loading import parse_assignments

    source = named_run(context, from_run)
    values = parse_assignments(settings or []) | named_settings(data, extra_data, encoder)
    planned = _plan(registry_path(context).parent, preset, Path(file) if file else None, source, values, device)
    planned = _with_sources(context, planned)
    with _folder(keep) as folder:
        found = _verify(planned, Path(folder), device, kills, kill_seed)
    _write(found, as_json)


def _plan(
    folder: Path, preset: str | None, file: Path | None, source: Any, values: dict[str, Any], device: str
) -> "Plan":
    from bertmt.services.lifecycle.verify_resume import scaled_for_verification
    from bertmt.services.plan.submit import Request, plan

    scaled = values | scaled_for_verification(values, device)
    return plan(Request(preset=preset, file=file, from_run=source, values=scaled, folder=folder))


def _with_sources(context: typer.Context, planned: "Plan") -> "Plan":
    """The plan with the sources of the user's own code, which a registry elsewhere lacks."""
    from bertmt.services.lifecycle.verify_resume import with_sources

    return with_sources(existing_registry(context), planned) if registry_path(context).is_file() else planned


def _folder(keep: str | None) -> Any:
    """A folder that is gone afterwards, unless it was named."""
    import contextlib

    from bertmt.errors import UsageError

    if keep is None:
        return tempfile.TemporaryDirectory(prefix="bertmt-verify-")
    folder = Path(keep)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--keep expects an empty or a new folder, but {folder} holds something.")
    folder.mkdir(parents=True, exist_ok=True)
    return contextlib.nullcontext(folder)


def _verify(planned: "Plan", folder: Path, device: str, kills: int, kill_seed: int) -> "Verification":
    from bertmt.services.lifecycle.verify_resume import verify_resume as verify

    return verify(planned, folder, device, kills, kill_seed, diagnostics.note)


def _write(found: "Verification", as_json: bool) -> None:
    """What was compared, what it holds for; an error where not all is equal.

    Raises:
        BertmtError: something differs.
    """
    from bertmt.errors import BertmtError

    if as_json:
        output.write_document("bertmt.verification/1", _record(found))
    else:
        rows = [
            Row([each.what, f"{each.count:,}", f"{len(each.different):,}", ", ".join(each.different[:3])])
            for each in found.comparisons
        ]
        output.write_lines(table(COLUMNS, rows, output.table_width()))
        diagnostics.note(*found.sentences())
    if not found.is_exact:
        raise BertmtError("The resumed run is not bit-exact; --keep DIR keeps both runs to look at.")


def _record(found: "Verification") -> dict[str, Any]:
    compared = [
        {"what": each.what, "compared": each.count, "different": list(each.different)} for each in found.comparisons
    ]
    return {
        "exact": found.is_exact, "steps": found.steps, "killed_at": list(found.killed_at),
        "resumed_at": list(found.resumed_at), "seconds": list(found.seconds), "conditions": dict(found.conditions),
        "comparisons": compared,
    }  # fmt: skip
