"""Which file of a run lies where.

runs/<run id>/
  run.json             what the child must know besides the recipe: `RunOrder`
  recipe.json          the resolved recipe
  tasks.json           what its tasks are; the built-in ones where it is missing
  events-<attempt>.jsonl, log-<attempt>.txt
  alive                locked by the child for its life, as are its events
  code/<digest>.py     sources of a user's own losses and heads, where the recipe has any
  vocabulary.txt       of older versions, whose encoder `tiny` had a vocabulary per run; read by none
  examples/<task>-<split>.jsonl.gz
  predictions/<epoch>-<task>-<split>.npz
  model/               weights in safetensors, and how to rebuild the model
  checkpoints/         what a later attempt goes on from; may lie elsewhere; gone once the run has finished
"""

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from bertmt import atomic_files, paths
from bertmt.bounded_files import MOST_JSON, read_json, read_text
from bertmt.errors import BusyError, DataError, NotFoundError, reason_of
from bertmt.run_folder.checkpoints import Checkpoints
from bertmt.run_folder.event_files import attempts, read_events
from bertmt.run_folder.events import Started
from bertmt.run_folder.locks import is_locked, lock
from bertmt.run_folder.unreadable import unreadable_as_sentence
from bertmt.tasks import definitions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import SPLITS, Tasks

LONGEST_PID = 20  # digits


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """What the worker tells a training child.

    Attributes:
        data: the data folder, or "toy"; it overrides the recipe's, which may have moved.
        fingerprints: "<task>-<split>" to the fingerprint seen at submit; the child refuses others.
        encoder_fingerprints: of the encoder's parts, likewise; empty: unknown.
        device: "cpu", or "cuda:<uuid>".
        threads: CPU threads the child may use; 0 lets it decide.
        checkpoint_dir: the folder in which the run's checkpoints have theirs; "": the run folder.
        checkpoint_step: the steps done at the checkpoint from which the attempt should go on; None: there is none.
        saves_memory: recompute activations, whatever the recipe says.
        keeps_checkpoints: keep the last checkpoints of a finished run, and write one at its end.
        pause_after: pause after the evaluation of that epoch; 0: train to the end.
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
    checkpoint_step: int | None = None
    encoder_fingerprints: Mapping[str, str] = field(default_factory=dict)
    pause_after: int = 0

    def foreign_fingerprints(self, known: Tasks) -> list[str]:
        """Which fingerprints are of no split of these tasks; none in what a worker writes."""
        names = {f"{task}-{split}" for task in known for split in (*SPLITS, "extra")}
        return [name for name in self.fingerprints if name not in names]


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; paths only, no file need exist."""

    path: Path

    @property
    def order(self) -> Path:
        return self.path / paths.RUN_ORDER

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def tasks(self) -> Path:
        return self.path / "tasks.json"

    @property
    def alive(self) -> Path:
        return self.path / "alive"

    @property
    def code(self) -> Path:
        return self.path / "code"

    @property
    def model(self) -> Path:
        return self.path / "model"

    def events(self, attempt: int) -> Path:
        return self.path / f"events-{attempt}.jsonl"

    def log(self, attempt: int) -> Path:
        return self.path / f"log-{attempt}.txt"

    def checkpoints(self, checkpoint_dir: str = "") -> Checkpoints:
        """Those in the folder itself, or elsewhere in a folder that belongs to this one.

        There the run's name alone would not do: a copy of a registry has runs of the same names, and would delete the
        original's checkpoints. The run folder's inode stays with a moved registry and one that was repaired, and a copy
        has another.
        """
        if not checkpoint_dir:
            return Checkpoints(self.path / "checkpoints")
        elsewhere, name = Path(checkpoint_dir), self.path.name
        try:
            own = str(self.path.stat().st_ino)
        except OSError:
            own = "none"
        return Checkpoints(elsewhere / f"{name}-{own}", is_elsewhere=True, older=elsewhere / name)

    def examples(self, task: str, split: str) -> Path:
        return self.path / "examples" / f"{task}-{split}.jsonl.gz"

    def predictions(self, epoch: int, task: str, split: str) -> Path:
        return self.path / "predictions" / f"{epoch:03d}-{task}-{split}.npz"

    def make(self) -> None:
        """Make the folder, and the one of all runs; what is above is the registry's, and may have been moved away.

        Raises:
            OSError: it cannot be made, or the registry's folder is not there.
        """
        for folder in (self.path.parent, self.path):
            folder.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)

    def create(
        self, order: RunOrder, recipe_json: str, tasks: Tasks = BUILTIN, sources: Mapping[str, str] | None = None
    ) -> None:
        """Make the folder and what the child reads; safe to repeat for a new attempt, while no process works the run.

        Private to its user like the registry: it holds the examples of the data set.

        Args:
            sources: of a user's own losses and heads, by digest.
        """
        self.make()
        for folder in (self.path / "examples", self.path / "predictions"):
            folder.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
        for folder in (self.path, *(each for each in self.path.iterdir() if each.is_dir())):
            atomic_files.clear_up(folder)
        atomic_files.write_text(self.recipe, recipe_json)
        atomic_files.write_text(self.tasks, definitions.to_json(tasks))
        if sources:
            self.code.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
        for digest, text in (sources or {}).items():
            atomic_files.write_bytes(self.code / f"{digest}.py", text.encode("utf-8"))
        atomic_files.write_text(self.order, json.dumps(asdict(order), indent=1))

    def read_tasks(self) -> Tasks:
        """What the run's tasks are.

        Raises:
            DataError: the file cannot be read.
        """
        try:
            return definitions.from_json(read_text(self.tasks, MOST_JSON))
        except FileNotFoundError:  # an older version, which knew no others
            return BUILTIN
        except (OSError, ValueError) as problem:
            raise DataError(f"{self.tasks} cannot be read: {reason_of(problem)}.") from None

    def read_order(self) -> RunOrder:
        """What `create` wrote.

        Raises:
            NotFoundError: this is no run folder.
        """
        try:
            document: dict[str, Any] = read_json(self.order)
            order = RunOrder(**document)
            _check_types(order)
            return order
        except (OSError, ValueError, TypeError, RecursionError) as problem:
            said = reason_of(problem)
            reason = " ".join((said or type(problem).__name__).split())[:200]
            raise NotFoundError(f"{self.path} is not a run folder: run.json cannot be read ({reason}).") from None


def _check_types(order: RunOrder) -> None:
    """Raise a TypeError where a value is of another type than the child expects."""
    if not (isinstance(order.fingerprints, dict) and isinstance(order.encoder_fingerprints, dict)):
        raise TypeError("fingerprints are an object")
    marks = (*order.fingerprints.values(), *order.encoder_fingerprints.values())
    texts = (order.run_id, order.name, order.data, order.extra_data_file, order.device, *marks)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("one of its texts is none")
    if not all(isinstance(number, int) for number in (order.attempt, order.threads, order.pause_after)):
        raise TypeError("one of its numbers is none")


def hold_alive(folder: RunFolder) -> IO[bytes]:
    """Lock `alive` until the returned file is closed or the process dies, however it dies; the file then holds the pid.

    Raises:
        BusyError: another process holds it, or an attempt's events.
        NotFoundError: there is no such folder.
        DataError: the lock's file cannot be opened, or is not one.
    """
    busy = BusyError(f"The run in {folder.path} is already being worked by another process.")
    # Where `alive` was deleted under a living child a new one would be free, and the child would end for its sake.
    if working_attempts(folder):
        raise busy
    try:
        file = _open_alive(folder, os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:
        raise NotFoundError(f"{folder.path} is no run folder.") from None
    try:
        if lock(file.fileno()):
            sign(file)
            return file
    except BaseException:
        file.close()
        raise
    file.close()
    raise busy


def sign(file: IO[bytes]) -> None:
    """Write this process's number into a lock that it holds; on a full disk only its worker's successor misses it."""
    with contextlib.suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)


def living_pid(folder: RunFolder) -> int | None:
    """The process that works the run: no other can have its pid meanwhile. None where none does, or it just began."""
    if _is_held(folder):
        try:
            return int(read_text(folder.alive, LONGEST_PID))
        except (OSError, ValueError):
            return None
    for attempt in working_attempts(folder):
        events, _, _ = read_events(folder.events(attempt), limit_bytes=1 << 16)
        started = next((event for event in events if isinstance(event, Started)), None)
        if started is not None and started.pid is not None:
            return started.pid
    return None


def is_alive(folder: RunFolder) -> bool:
    """Whether some process works the run; the kernel's word, not a guess from silence.

    A child holds two locks, on `alive` and on the events of its attempt: a file can be deleted or replaced by mistake.

    Raises:
        DataError: a lock's file cannot be opened, or is not one.
    """
    return _is_held(folder) or bool(working_attempts(folder))


def working_attempts(folder: RunFolder) -> list[int]:
    """The attempts whose events another process has locked: at most one, unless somebody deleted locks before.

    Raises:
        DataError: one of the files cannot be opened.
    """
    return [attempt for attempt in attempts(folder.path) if _is_locked_file(folder.events(attempt))]


def _is_locked_file(path: Path) -> bool:
    try:
        with unreadable_as_sentence(path):
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return is_locked(opened)
    finally:
        os.close(opened)


def _is_held(folder: RunFolder) -> bool:
    try:
        with _open_alive(folder, os.O_RDONLY) as file:
            return is_locked(file.fileno())
    except FileNotFoundError:
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
