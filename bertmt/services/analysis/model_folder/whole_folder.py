"""A folder that an export writes: whole or not at all, and never over what is not its own."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import BertmtError, UsageError, reason_of

MARKER = ".bertmt-export"  # without it a folder is somebody else's, whatever its files are called
# All that a folder of ours can hold: what has more was made, or changed, by somebody else.
OUR_FILES = frozenset({
    "README.md", MARKER, "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json",
    "modeling_bertmt.py", "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling",
    "1_Pooling/config.json", "heads.json", "heads.safetensors", "adapter_config.json", "adapter_model.safetensors",
    *(f"{table}.{ending}" for table in ("runs", "metrics", "scores", "confusion") for ending in ("csv", "parquet")),
})  # fmt: skip
# A folder per run with its events; see `tensorboard_files`.
OUR_EVENTS = re.compile(r"[\w.-]+-seed-?\d+-[0-9a-z]{6}(/events\.out\.tfevents\.\d+\.bertmt)?", re.ASCII)


def refuse_unless_free(out: Path, force: bool) -> None:
    """Return if the folder may be written: there is none, or one of ours that is to be replaced.

    Raises:
        UsageError: it is there, and not to be replaced, or not ours.
        BertmtError: it cannot be looked into.
    """
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
    foreign = [name for name in names if not _is_ours(name) or not is_folder]
    if names and MARKER not in names and not foreign:
        foreign = names[:1]
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]}, which no export wrote: name another folder with --out.")


def _is_ours(name: str) -> bool:
    return name in OUR_FILES or OUR_EVENTS.fullmatch(name) is not None


@contextmanager
def written_beside(out: Path, force: bool) -> Iterator[Path]:
    """A folder to fill, which takes the name of `out`, with our mark in it, once it is whole.

    Raises:
        UsageError: meanwhile something is there; see `refuse_unless_free`.
        BertmtError: it cannot be written.
    """
    beside, older = atomic_files.name_beside(out), atomic_files.name_beside(out)
    try:
        atomic_files.make_folder(out.parent)
        beside.mkdir(mode=atomic_files.PRIVATE_FOLDER)
        yield beside
        atomic_files.write_text(beside / MARKER, "Written by `bertmt export`, which may replace this folder.\n")
        refuse_unless_free(out, force)  # again: writing takes a while
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


def files_and_size(folder: Path) -> tuple[int, int]:
    """How many files it has, and how many bytes these have together."""
    written = [each for each in folder.rglob("*") if each.is_file()]
    return len(written), sum(each.stat().st_size for each in written)
