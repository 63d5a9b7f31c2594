"""Which file of a run lies where.

runs/<run id>/
  run.json             what the child must know besides the recipe: `RunOrder`
  recipe.json          the resolved recipe
  events-<attempt>.jsonl, log-<attempt>.txt
  alive                locked by the child for its life
  vocabulary.txt       WordPiece vocabulary, only where the encoder is `tiny`
  examples/<task>-<split>.jsonl.gz
  predictions/<epoch>-<task>-<split>.npz
  model/               weights in safetensors, and how to rebuild the model
  checkpoints/         what a later attempt goes on from; may lie elsewhere; gone once the run has finished
"""

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from bertmt import atomic_files
from bertmt.errors import BusyError, DataError, NotFoundError, reason_of
from bertmt.run_folder.checkpoints import Checkpoints
from bertmt.run_folder.unreadable import unreadable_as_sentence

LONGEST_PID = 20  # digits


@dataclass(frozen=True)
class RunOrder:
    """What the worker tells a training child.

    Attributes:
        data: the data folder, or "toy"; it overrides the recipe's, which may have moved.
        fingerprints: "<task>-<split>" to the fingerprint seen at submit; the child refuses others.
        device: "cpu", or "cuda:<uuid>".
        threads: CPU threads the child may use; 0 lets it decide.
        checkpoint_dir: the folder in which the run's checkpoints have theirs; "": the run folder.
        saves_memory: recompute activations, whatever the recipe says.
        keeps_checkpoints: keep the last checkpoints of a finished run, and write one at its end.
    """

    run_id: str
    name: str
    attempt: int
    data: str
    extra_data_file: str
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    threads: int = 0
    checkpoint_dir: str = ""
    saves_memory: bool = False
    keeps_checkpoints: bool = False


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; paths only, no file need exist."""

    path: Path

    @property
    def order(self) -> Path:
        return self.path / "run.json"

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def alive(self) -> Path:
        return self.path / "alive"

    @property
    def vocabulary(self) -> Path:
        return self.path / "vocabulary.txt"

    @property
    def model(self) -> Path:
        return self.path / "model"

    def events(self, attempt: int) -> Path:
        return self.path / f"events-{attempt}.jsonl"

    def log(self, attempt: int) -> Path:
        return self.path / f"log-{attempt}.txt"

    def checkpoints(self, checkpoint_dir: str = "") -> Checkpoints:
        """Those in the folder itself, or in one of the run's name under another."""
        return Checkpoints(Path(checkpoint_dir) / self.path.name if checkpoint_dir else self.path / "checkpoints")

    def examples(self, task: str, split: str) -> Path:
        return self.path / "examples" / f"{task}-{split}.jsonl.gz"

    def predictions(self, epoch: int, task: str, split: str) -> Path:
        return self.path / "predictions" / f"{epoch:03d}-{task}-{split}.npz"

    def create(self, order: RunOrder, recipe_json: str) -> None:
        """Make the folder and what the child reads; safe to repeat for a new attempt, while no process works the run.

        Private to its user like the registry: it holds the examples of the data set.
        """
        for folder in (self.path, self.path / "examples", self.path / "predictions"):
            atomic_files.make_folder(folder)
        for folder in (self.path, *(each for each in self.path.iterdir() if each.is_dir())):
            atomic_files.clear_up(folder)
        atomic_files.write_text(self.recipe, recipe_json)
        atomic_files.write_text(self.order, json.dumps(asdict(order), indent=1))

    def read_order(self) -> RunOrder:
        """What `create` wrote.

        Raises:
            NotFoundError: this is no run folder.
        """
        try:
            document: dict[str, Any] = json.loads(self.order.read_text(encoding="utf-8"))
            order = RunOrder(**document)
            _check_types(order)
            return order
        except (OSError, ValueError, TypeError, RecursionError) as problem:
            said = reason_of(problem)
            reason = " ".join((said or type(problem).__name__).split())[:200]
            raise NotFoundError(f"{self.path} is no run folder: run.json cannot be read ({reason}).") from None


def _check_types(order: RunOrder) -> None:
    """Raise a TypeError where a value is of another type than the child expects."""
    if not isinstance(order.fingerprints, dict):
        raise TypeError("fingerprints are an object")
    texts = (order.run_id, order.name, order.data, order.extra_data_file, order.device, *order.fingerprints.values())
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("one of its texts is none")
    if not (isinstance(order.attempt, int) and isinstance(order.threads, int)):
        raise TypeError("one of its numbers is none")


def hold_alive(folder: RunFolder) -> IO[bytes]:
    """Lock `alive` until the returned file is closed or the process dies, however it dies; the file then holds the pid.

    Raises:
        BusyError: another process holds it.
        NotFoundError: there is no such folder.
        DataError: the lock's file cannot be opened, or is not one.
    """
    try:
        file = _open_alive(folder, os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:
        raise NotFoundError(f"{folder.path} is no run folder.") from None
    # `is_alive` of another process holds the lock for microseconds: only who still fails after a while is second.
    for pause in (0.001, 0.01, 0.05, 0.1, 0.2, None):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # On a full disk the run goes on; only its worker's successor could not signal it.
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), 0)
                os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
            return file
        except BlockingIOError:
            if pause is not None:
                time.sleep(pause)
    file.close()
    raise BusyError(f"The run in {folder.path} is already being worked by another process.")


def living_pid(folder: RunFolder) -> int | None:
    """The process that holds the lock: no other can have its pid meanwhile. None where none does, or it just began."""
    if not is_alive(folder):
        return None
    try:
        return int(folder.alive.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def is_alive(folder: RunFolder) -> bool:
    """Whether some process holds the lock; the kernel's word, not a guess from silence.

    Raises:
        DataError: the lock's file cannot be opened, or is not one.
    """
    try:
        file = _open_alive(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _open_alive(folder: RunFolder, flags: int) -> IO[bytes]:
    """The lock's file; in a folder from elsewhere it may be a link, a pipe, or another name of a file with a content.

    Raises:
        FileNotFoundError: it is not there, or its folder is not.
        DataError: it is not what a run has there, or the system refuses.
    """
    with unreadable_as_sentence(folder.alive):
        opened = os.open(folder.alive, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, atomic_files.PRIVATE_FILE)
    about = os.fstat(opened)
    if not stat.S_ISREG(about.st_mode) or about.st_size > LONGEST_PID:
        os.close(opened)
        raise DataError(f"{folder.alive} is not what a run has there, a file with the number of a process: remove it.")
    return os.fdopen(opened, "r+b" if flags & os.O_RDWR else "rb", buffering=0)
