"""Token ids of many sentences, kept in the user's cache folder from run to run.

A file is named by the digest of all that its ids depend on: the sentences, the tokenizer and the library's version. It
is checked when it is read, against a digest in it too, and one that is damaged counts as none. It is read whole and not
mapped into memory: whoever cuts off a mapped file kills its reader. Nothing here fails a run: on a full disk, or where
the folder cannot be written, sentences are tokenised anew.
"""

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int32, Int64

from bertmt import atomic_files, paths
from bertmt.bounded_files import MEBIBYTE, read_bytes
from bertmt.models.tokenizing import Tokenizer

# Fewer are tokenised in less time than a file takes to reach the disk.
LEAST_SENTENCES = 1000
MOST_BYTES = 256 * MEBIBYTE  # of all files; the course's largest split takes 40
_FORMAT = b"bertmt.tokens/1\n"  # to be raised when `Tokenizer.encode` gives other ids for the same words
_DIGEST = 8  # int32 of a SHA-256

Ids = Int32[np.ndarray, "..."]
Lengths = Int64[np.ndarray, "examples"]


def read_tokens(sentences: Sequence[str], tokenizer: Tokenizer) -> tuple[Lengths, Ids] | None:
    """How many ids each sentence has, and all of them in a row; None where they are not kept or cannot be trusted."""
    if len(sentences) < LEAST_SENTENCES:
        return None
    path = _file(sentences, tokenizer)
    try:
        found = np.load(io.BytesIO(read_bytes(path, MOST_BYTES)), allow_pickle=False)
    except Exception:  # numpy raises a dozen kinds on damaged bytes
        return None
    if found.dtype != np.int32 or found.ndim != 1 or len(found) < _DIGEST + len(sentences):
        return None
    content = found[_DIGEST:]
    lengths, ids = content[: len(sentences)].astype(np.int64), content[len(sentences) :]
    if found[:_DIGEST].tobytes() != hashlib.sha256(content.tobytes()).digest() or not _fits(lengths, ids, tokenizer):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the files that were not used for longest go first
    return lengths, ids


def keep_tokens(sentences: Sequence[str], tokenizer: Tokenizer, lengths: Lengths, ids: Ids) -> None:
    """Store what `read_tokens` is to find, where that is possible; several processes may do so at once."""
    content = np.concatenate([lengths.astype(np.int32), ids])
    if len(sentences) < LEAST_SENTENCES or content.nbytes > MOST_BYTES // 2:
        return
    digest = np.frombuffer(hashlib.sha256(content.tobytes()).digest(), dtype=np.int32)
    stream = io.BytesIO()
    np.save(stream, np.concatenate([digest, content]), allow_pickle=False)
    with contextlib.suppress(OSError):
        path = _file(sentences, tokenizer)
        atomic_files.make_folder(path.parent)
        _make_room(path.parent, MOST_BYTES - stream.tell())
        atomic_files.write_bytes(path, stream.getvalue())


def _file(sentences: Sequence[str], tokenizer: Tokenizer) -> Path:
    digest = hashlib.sha256(_FORMAT + tokenizer.fingerprint)
    # Lengths and then everything in a row: no two lists of sentences have the same bytes.
    digest.update(np.fromiter(map(len, sentences), dtype=np.int64, count=len(sentences)).tobytes())
    digest.update("".join(sentences).encode("utf-8", "surrogatepass"))
    return paths.tokens_folder() / f"{digest.hexdigest()[:32]}.npy"


def _fits(lengths: Lengths, ids: Ids, tokenizer: Tokenizer) -> bool:
    """Whether a model can read them, whatever file they are from."""
    return bool(
        lengths.min() >= 2  # start and end
        and lengths.max() <= tokenizer.max_length
        and lengths.sum() == len(ids)
        and ids.min() >= 0
        and ids.max() < tokenizer.vocabulary_size
    )


def _make_room(folder: Path, most: int) -> None:
    """Delete the files that were not used for longest, until the others have at most so many bytes, and leftovers."""
    kept = 0
    found = [(path, path.stat()) for path in folder.iterdir()]
    for path, about in sorted(found, key=lambda each: each[1].st_mtime, reverse=True):
        if atomic_files.LEFTOVER.fullmatch(path.name):
            is_over = time.time() - about.st_mtime > atomic_files.LEFTOVER_SECONDS
        else:
            kept += about.st_size
            is_over = kept > most
        if is_over:
            path.unlink(missing_ok=True)
