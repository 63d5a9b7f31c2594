"""Writing a run's model as a folder for another library: whole or not at all, and never over what is not its own."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt import atomic_files, paths
from bertmt.encoders.find import find_encoder
from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.launchers.prediction import ask_export
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.model_folder.card import SENTENCE_TRANSFORMERS, TRANSFORMERS, Contents, model_card
from bertmt.services.analysis.model_folder.facts import base_model, scores_of
from bertmt.services.analysis.predict import folder_with_model
from bertmt.services.browse.details import details_of

CARD = "README.md"
MARKER = ".bertmt-export"  # without it a folder is somebody else's, whatever its files are called
# All that a folder of ours can hold: what has more was made, or changed, by somebody else.
OUR_FILES = frozenset({
    CARD, MARKER, "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "modeling_bertmt.py",
    "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling",
    "1_Pooling/config.json", "heads.json", "heads.safetensors", "adapter_config.json", "adapter_model.safetensors",
})  # fmt: skip


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
    _refuse_unless_free(out, request.force)
    folder, allowed = folder_with_model(database, run)
    details = details_of(database, run)
    with _written_beside(out) as beside:
        asked = {"to": request.to, "folder": str(beside), "task": task, "base": base}
        said = _ask(folder, allowed, asked)
        contents = Contents(request.to, out, task, base, said["predicted_by"], said["left_out"])
        card = model_card(details, scores_of(database, details), contents)
        atomic_files.write_text(beside / CARD, card)
        atomic_files.write_text(beside / MARKER, "Written by `bertmt export`, which may replace this folder.\n")
        _refuse_unless_free(out, request.force)  # again: writing takes a while
    written = [each for each in out.rglob("*") if each.is_file()]
    return Exported(contents, len(written), sum(each.stat().st_size for each in written))


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


def _refuse_unless_free(out: Path, force: bool) -> None:
    """Return if the folder may be written: there is none, or one of ours that is to be replaced."""
    if "\0" in str(out):
        raise UsageError("No folder can have a name with a NUL: name another with --out.")
    if not os.path.lexists(out):
        return
    if not force:
        raise UsageError(f"{out} is there already: name another folder with --out, or replace it with --force.")
    try:
        is_folder = out.is_dir() and not out.is_symlink()
        names = sorted(each.relative_to(out).as_posix() for each in out.rglob("*")) if is_folder else [out.name]
    except OSError as problem:
        raise BertmtError(f"{out} cannot be read: {reason_of(problem)}.") from None
    foreign = [name for name in names if name not in OUR_FILES or not is_folder]
    if names and MARKER not in names and not foreign:
        foreign = names[:1]
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]}, which no export wrote: name another folder with --out.")


@contextmanager
def _written_beside(out: Path) -> Iterator[Path]:
    """A folder to fill, which takes the name of `out` once it is whole."""
    beside, older = atomic_files.name_beside(out), atomic_files.name_beside(out)
    try:
        atomic_files.make_folder(out.parent)
        beside.mkdir(mode=atomic_files.PRIVATE_FOLDER)
        yield beside
        if out.exists():  # a folder cannot be renamed onto one that is not empty
            out.rename(older)
        beside.rename(out)
        atomic_files.sync_folder(out.parent)
    except OSError as problem:
        raise BertmtError(f"{out} cannot be written: {reason_of(problem)}; name another with --out.") from None
    finally:
        if older.exists() and not out.exists():
            older.rename(out)
        shutil.rmtree(older, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)


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
