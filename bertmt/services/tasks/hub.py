"""Bringing a data set from the Hugging Face hub once: its Parquet files at one commit, kept as JSON lines.

The hub converts public data sets to Parquet on a branch of their repositories, so no script of a data set is ever run.
The rows are written as `tasks/NAME/COMMIT-CONTENT/SPLIT.jsonl.gz` beside the definition: from then on nothing needs the
hub, nor what reads Parquet, and who shares the folder shares the data. Other rows get a folder of another name, so what
an older definition or a run names is never overwritten.
"""

import gzip
import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bertmt import atomic_files, paths
from bertmt.drawing.numbers import named
from bertmt.errors import BertmtError, DataError, UsageError, reason_of
from bertmt.tasks.malformed import shown
from bertmt.tasks.readers.source import sha256_of
from bertmt.tasks.readers.table import opened_rows

CONVERTED = "refs/convert/parquet"  # the branch that the hub keeps
USUAL_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


class Hub(Protocol):
    """What is asked of the hub."""

    def files(self, repository: str, revision: str) -> tuple[str, Mapping[str, str]]:
        """The commit that a revision is, and its files with their SHA-256 ("": not told)."""

    def bring(self, repository: str, commit: str, name: str, folder: Path) -> Path:
        """Download one file into a folder."""


class HuggingFaceHub:
    """The hub, by its own client."""

    def files(self, repository: str, revision: str) -> tuple[str, Mapping[str, str]]:
        """See `Hub`; Raises DataError."""
        try:
            from huggingface_hub import HfApi  # noqa: PLC0415 - half a second, and needed here only

            about = HfApi().dataset_info(repository, revision=revision, files_metadata=True)
        except Exception as problem:  # of whichever HTTP library this version of the hub's client carries
            raise _unreachable(repository, problem) from problem
        marks = {each.rfilename: (each.lfs.sha256 if each.lfs else "") for each in about.siblings or ()}
        return about.sha or revision, marks

    def bring(self, repository: str, commit: str, name: str, folder: Path) -> Path:
        """See `Hub`; Raises DataError."""
        try:
            from huggingface_hub import hf_hub_download  # noqa: PLC0415

            return Path(hf_hub_download(repository, name, repo_type="dataset", revision=commit, local_dir=folder))
        except Exception as problem:
            raise _unreachable(repository, problem) from problem


def _unreachable(repository: str, problem: Exception) -> DataError:
    if isinstance(problem, ImportError):
        return DataError('Data sets of the hub need one more package: `pip install "bertmt[hub]"`.')
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
    return DataError(
        f"The data set {repository} cannot be brought from the hub ({reason}): check the network and its name on "
        "huggingface.co/datasets, or name files of your own with --train and --dev."
    )


@dataclass(frozen=True)
class Brought:
    """A data set that is in place.

    Attributes:
        files: by split.
        sha256: of these, in the same order.
        origin: "owner/name:config@commit".
    """

    files: Mapping[str, Path]
    sha256: tuple[str, ...]
    origin: str


def bring(
    folder: Path,
    name: str,
    named_set: str,
    splits: Mapping[str, str],
    revision: str | None = None,
    hub: Hub | None = None,
) -> Brought:
    """Bring a data set and keep it for a task.

    Args:
        folder: of the registry.
        name: of the task.
        named_set: "owner/name" or "owner/name:config".
        splits: train, dev and test to what the hub calls them; a test split need not be there.
        revision: a commit of the hub's Parquet branch; by default the newest.

    Raises:
        UsageError: this is no name of a data set, or does not say which of its configurations.
        DataError: it cannot be brought, or a file is not what the hub says that it is.
        BertmtError: the folder cannot be written.
    """
    repository, configuration = _names(named_set)
    hub = hub or HuggingFaceHub()
    commit, marks = hub.files(repository, revision or CONVERTED)
    if not commit.isalnum():
        raise DataError(f"The hub calls the revision of {repository} {shown(commit)}, which is no commit.")
    configuration = _configuration(repository, configuration, marks)
    place = paths.tasks_folder(folder) / name
    found: dict[str, Path] = {}
    try:
        atomic_files.make_folder(place)
        with tempfile.TemporaryDirectory(prefix=".hub-", dir=place) as beside:
            for split, called in splits.items():
                parts = sorted(each for each in marks if each.startswith(f"{configuration}/{called}/"))
                if parts:
                    brought = [_checked(hub, repository, commit, part, marks[part], Path(beside)) for part in parts]
                    found[split] = _kept(brought, Path(beside) / f"{split}.jsonl.gz")
                elif split != "test":
                    there = sorted({each.split("/")[1] for each in marks if each.startswith(f"{configuration}/")})
                    raise DataError(
                        f"{repository}:{configuration} has no split {shown(called)}, only {named(there, 8)}: say which "
                        f"one it is with --{split}."
                    )
            digests = {split: sha256_of(file) for split, file in found.items()}
            content = hashlib.sha256(json.dumps([configuration, digests]).encode()).hexdigest()
            found = _in_place(found, place / f"{commit[:12]}-{content[:8]}")
    except OSError as problem:
        raise BertmtError(f"{place} cannot be written: {reason_of(problem)}.") from None
    return Brought(found, tuple(digests.values()), f"{repository}:{configuration}@{commit}")


def _in_place(files: Mapping[str, Path], target: Path) -> dict[str, Path]:
    """Move files to the folder of their content; one that is there has the same, or was damaged."""
    atomic_files.make_folder(target)
    moved = {split: file.replace(target / file.name) for split, file in files.items()}
    atomic_files.sync_folder(target)
    return moved


def _names(named_set: str) -> tuple[str, str]:
    repository, _, configuration = named_set.partition(":")
    parts = repository.split("/")
    if len(parts) > 2 or not all(part and part[0] != "." and part.isprintable() for part in parts):
        raise UsageError(f"--hub expects OWNER/NAME or OWNER/NAME:CONFIG, as on the hub, but found {shown(named_set)}.")
    return repository, configuration


def _configuration(repository: str, wanted: str, marks: Mapping[str, str]) -> str:
    there = sorted({name.split("/")[0] for name in marks if name.count("/") >= 2 and name.endswith(".parquet")})
    if wanted in there:
        return wanted
    if not wanted and len(there) == 1:
        return there[0]
    if not there:
        raise DataError(f"The hub has not converted {repository} to Parquet: download it and use --train and --dev.")
    raise UsageError(f"{repository} has the configurations {named(there, 8)}: name one, --hub {repository}:{there[0]}.")


def _checked(hub: Hub, repository: str, commit: str, name: str, mark: str, folder: Path) -> Path:
    """A file of the hub, whose content is what the hub says that it is."""
    file = hub.bring(repository, commit, name, folder)
    if mark and sha256_of(file) != mark:
        raise DataError(f"{name} of {repository} arrived damaged: its SHA-256 is not the hub's; try again.")
    return file


def _kept(files: list[Path], target: Path) -> Path:
    """The rows of several files as one archive of JSON lines, the same bytes for the same rows."""
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=0, compresslevel=6) as archive:
        for file in files:
            with opened_rows(file) as rows:
                for record in rows.records:
                    if record.problem:
                        raise DataError(f"{file.name} of the hub cannot be read ({record.problem}).")
                    archive.write(json.dumps(record.values, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    atomic_files.write_bytes(target, content.getvalue())
    return target
