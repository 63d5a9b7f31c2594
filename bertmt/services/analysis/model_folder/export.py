"""Writing a run's model as a folder for another library: whole or not at all, and never over what is not its own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.encoders.find import find_encoder
from bertmt.errors import BertmtError, UsageError
from bertmt.launchers.prediction import ask_export
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.model_folder import whole_folder
from bertmt.services.analysis.model_folder.card import SENTENCE_TRANSFORMERS, TRANSFORMERS, Contents, model_card
from bertmt.services.analysis.model_folder.facts import base_model, scores_of
from bertmt.services.analysis.predict import folder_with_model
from bertmt.services.browse.details import details_of

CARD = "README.md"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        to: `SENTENCE_TRANSFORMERS` or `TRANSFORMERS`.
        task: None: the only one, or of a shared encoder any.
        adapter: LoRA's adapter alone, for peft.
        force: replace a folder that an earlier export wrote.
    """

    to: str
    out: Path
    task: str | None = None
    adapter: bool = False
    force: bool = False


@dataclass(frozen=True)
class Exported:
    """A folder that was written, how many files it has and how many bytes these have together."""

    contents: Contents
    files: int
    size: int


def export_model(database: Database, run: Run, request: Request) -> Exported:
    """Write the folder.

    Raises:
        UsageError: the run has no such task or adapter, or the folder is there already.
        NotFoundError, BusyError: the run has no weights.
        BertmtError: the child failed, or the folder cannot be written.
    """
    out = paths.expanded(request.out).absolute()
    task = _task(run, request)
    base = _base(run) if request.adapter else None
    whole_folder.refuse_unless_free(out, request.force)
    folder, allowed = folder_with_model(database, run)
    details = details_of(database, run)
    with whole_folder.written_beside(out, request.force) as beside:
        asked = {"to": request.to, "folder": str(beside), "task": task, "base": base}
        said = _ask(folder, allowed, asked)
        contents = Contents(request.to, out, task, base, said["predicted_by"], said["left_out"])
        card = model_card(details, scores_of(database, details), contents)
        atomic_files.write_text(beside / CARD, card)
    return Exported(contents, *whole_folder.files_and_size(out))


def _task(run: Run, request: Request) -> str:
    names = list(run.tasks)
    if request.adapter and request.to != SENTENCE_TRANSFORMERS:
        raise UsageError("An adapter is of an encoder, not of one task: use --adapter with --to sentence-transformers.")
    if request.adapter and not run.recipe.get("lora.rank"):
        raise UsageError(f"Run {run.id} trained its encoder itself (lora.rank is 0): leave out --adapter.")
    has_several = bool(run.recipe.get("ensembling")) or "single" in (run.recipe.get("stages") or ())
    needs_one = request.to == TRANSFORMERS or has_several
    if request.task is None and needs_one and len(names) > 1:
        why = "one task at a time" if request.to == TRANSFORMERS else f"run {run.id} has an encoder per task"
        raise UsageError(f"Name a task, --task {'|'.join(names)}: {why}.")
    task = request.task or names[0]
    if task not in run.tasks:
        raise UsageError(f"Run {run.id} was not trained on {task!r}: use --task {'|'.join(names)}.")
    own = str(run.recipe.get(f"head.{task}.module") or "").partition(" #")[0]
    if own and request.to == TRANSFORMERS:
        raise UsageError(
            f"The head of {task} is code of your own, {own}, which transformers cannot be told of: use --to "
            "sentence-transformers for the encoder."
        )
    return task


def _base(run: Run) -> str:
    """Where others find the encoder that adapters belong to: on the hub, or where it lies here."""
    return base_model(run) or str(find_encoder(str(run.recipe.get("encoder"))).folder)


def _ask(folder: Path, allowed: tuple[str, ...], asked: dict[str, Any]) -> dict[str, Any]:
    said, complaints, code = ask_export(folder, allowed, json.dumps(asked).encode() + b"\n")
    if code:
        lines = [line for line in complaints.decode("utf-8", "replace").splitlines() if line.strip()]
        raise BertmtError(f"The export failed: {lines[-1] if lines else f'exit code {code}'}")
    try:
        found: dict[str, Any] = json.loads(said.decode("utf-8", "replace").splitlines()[-1])
    except (ValueError, IndexError):
        raise BertmtError(f"The export wrote no answer: {said[:200]!r}.") from None
    return found
