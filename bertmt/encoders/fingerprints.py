"""Which encoder it is: fingerprints of the files that a model is made from; no torch."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from bertmt.bounded_files import open_plain, read_json
from bertmt.encoders.configuration import CONFIGURATION_NAME
from bertmt.encoders.weights import WEIGHTS_NAME

# In the order in which they are said.
PARTS = ("weights", CONFIGURATION_NAME, "vocabulary")
# What `bertmt fetch` leaves beside the files of an encoder: name to SHA-256 of each.
DIGESTS_NAME = "sha256.json"
MOST_KEPT = 64  # files; an encoder has up to five
Stamp = tuple[str, int, int, int, int, int]


def folder_fingerprints(folder: Path, vocabulary: Sequence[Path]) -> dict[str, str]:
    """16 hex digits of a SHA-256 for each part of an encoder in a folder.

    Args:
        vocabulary: the files of its vocabulary.

    Raises:
        OSError: a file cannot be read.
    """
    files = {
        "weights": [folder / WEIGHTS_NAME],
        CONFIGURATION_NAME: [folder / CONFIGURATION_NAME],
        "vocabulary": vocabulary,
    }
    return {part: _together([f"{each.name} {_digest(each)}" for each in files[part]]) for part in PARTS}


def file_digests(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of each of these files that is there.

    Raises:
        OSError: a file cannot be read.
    """
    return {name: _digest(folder / name) for name in names if (folder / name).is_file()}


def fetched_otherwise(folder: Path) -> list[str]:
    """The files of an encoder that are no longer what `bertmt fetch` brought; none where it was not fetched.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        written = read_json(folder / DIGESTS_NAME)
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError):
        return [DIGESTS_NAME]
    if not isinstance(written, dict):
        return [DIGESTS_NAME]
    plain = [name for name in written if "/" not in name and "\0" not in name]
    found = file_digests(folder, plain)
    return [name for name in written if found.get(name) != written[name]]


def text_fingerprint(text: str) -> str:
    """16 hex digits of a SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamp(file: Path) -> Stamp | None:
    """What changes when a file is written or replaced; None where it is missing."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    # The time of the change of the inode too: the other one can be set by whoever copies a file.
    return str(file), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _together(lines: Sequence[str]) -> str:
    # The name of one file says nothing, and its digest is the one that others quote.
    return lines[0].rpartition(" ")[2][:16] if len(lines) == 1 else text_fingerprint("\n".join(lines))


def _digest(file: Path) -> str:
    return _kept_digest(file, stamp(file))


# Weights are hundreds of megabytes, one command may queue thousands of runs, and a dashboard plans with each key. A
# child, which is a process of its own, reads them anew.
@lru_cache(MOST_KEPT)
def _kept_digest(file: Path, seen: Stamp | None) -> str:
    with open_plain(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
