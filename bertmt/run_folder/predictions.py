"""Predictions of one (epoch, task, split) as arrays in an .npz file, and the examples they are about."""

import gzip
import io
import json
import time
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertmt import atomic_files
from bertmt.bounded_files import MEBIBYTE, inflated, read_bytes, too_large
from bertmt.errors import DataError, reason_of
from bertmt.tasks.examples import Example
from bertmt.tasks.task import PARTIAL, SPLITS, is_task_name

MOST_EPOCHS = 1 << 31
# Of a split: the course's largest has 80,000 examples, which take 12 MB.
MOST_EXAMPLES = 1_000_000
MOST_BYTES = 256 * MEBIBYTE


@dataclass(frozen=True)
class Predictions:
    """What a model said about one split, in the order of its examples.

    Attributes:
        probabilities: float32. Of k > 2 classes (n, k): their probabilities; of two (n,): that of class 1; of a number
            (n,): the cosine of the two embeddings, −1 to 1, or the head's output, see `scores.on_label_scale`.
        fingerprint: of the examples.
    """

    task: str
    split: str
    epoch: int
    fingerprint: str
    probabilities: np.ndarray


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Store predictions; readers see the whole file or none."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        probabilities=predictions.probabilities.astype(np.float32),
        about=np.array([predictions.task, predictions.split, str(predictions.epoch), predictions.fingerprint]),
    )
    atomic_files.write_bytes(path, buffer.getvalue())


def read_predictions(path: Path) -> Predictions:
    """What `write_predictions` stored; no pickle is loaded.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        content = _content(path)
        _refuse_large_members(path, content)
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            task, split, epoch, mark = (str(word) for word in stored["about"])
            found = Predictions(task, split, int(epoch), mark, stored["probabilities"])
            _check(found)
            return found
    except Exception as problem:  # zipfile and numpy raise a dozen kinds on damaged bytes, RuntimeError among them
        raise DataError(f"Predictions in {path} cannot be read: {_one_line(problem)}.") from None


def _refuse_large_members(path: Path, content: bytes) -> None:
    """Raises: OSError: the archive says that more comes out of it than any predictions take; what it says is enforced,
    as zipfile reads no more of a member."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise too_large(path, MOST_BYTES)


def _check(found: Predictions) -> None:
    """Refuse what would mislead whoever reads it, or not fit into a registry.

    Raises:
        ValueError: in words that end a sentence.
    """
    values = found.probabilities
    if not is_task_name(found.task) or found.split not in (*SPLITS, PARTIAL):
        raise ValueError("they belong to no split of a task")
    if not (0 <= found.epoch < MOST_EPOCHS and found.fingerprint.isprintable()):
        raise ValueError("they have no epoch or no fingerprint")
    if values.ndim not in (1, 2) or values.shape[1:] == (0,) or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"these are not probabilities of {found.task}: {values.dtype} of shape {values.shape}")


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Store the examples of an evaluated split, so that a run folder explains itself."""
    rows = (json.dumps([each.id, each.first, each.second, each.label], ensure_ascii=False) for each in examples)
    content = "\n".join(rows).encode("utf-8", "surrogatepass")
    atomic_files.write_bytes(path, gzip.compress(content, compresslevel=6, mtime=0))


def read_examples(path: Path) -> tuple[Example, ...]:
    """What `write_examples` stored.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        lines = inflated(path, _content(path), MOST_BYTES)
        if lines.count(b"\n") > MOST_EXAMPLES:  # blank ones too: a thousand of them take a byte of an archive
            raise ValueError(f"more than {MOST_EXAMPLES:,} lines")
        # Not splitlines(): sentences may hold U+2028, which JSON does not escape here.
        texts = (line.decode("utf-8", "surrogatepass") for line in lines.split(b"\n") if line)
        found = tuple(Example(*json.loads(text)) for text in texts)
        for example in found:
            _check_example(example)
        return found
    except (OSError, ValueError, TypeError, EOFError, RecursionError, zlib.error) as problem:
        raise DataError(f"Examples in {path} cannot be read: {_one_line(problem)}.") from None


def _check_example(example: Example) -> None:
    texts = [example.id, example.first, *([] if example.second is None else [example.second])]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an id or a text is not a string")
    label = example.label
    if label is not None and (isinstance(label, bool) or not isinstance(label, (int, float)) or not abs(label) < 1e6):
        raise ValueError("a label is not a number")


def _content(path: Path) -> bytes:
    """A file's bytes; looked for more than once, as what is passed over in an import is not imported later.

    Raises:
        OSError: it is missing, or the disk fails for longer than a moment.
    """
    for pause in (0.05, 0.2):
        try:
            return read_bytes(path, MOST_BYTES)
        except FileNotFoundError:
            raise
        except OSError:
            time.sleep(pause)
    return read_bytes(path, MOST_BYTES)


def _one_line(problem: Exception) -> str:
    """What a library says, which may take several lines and quote what the file holds."""
    words = " ".join(reason_of(problem).split())
    return (words if len(words) <= 200 else words[:199] + "…").rstrip(".") or type(problem).__name__
