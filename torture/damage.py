"""Files that are torn or flipped while nobody looks, clocks that jump, and a disk that fills up."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from bertmt.registry.database import sqlite3
from bertmt.registry.file.backups import KEPT, kept_backups
from bertmt.registry.states import State
from bertmt.run_folder.event_files import attempts
from bertmt.run_folder.events import Evaluated, Event, Step, parse_event
from bertmt.run_folder.layout import RunFolder
from torture.faults.injector import KILLS
from torture.kills import release_all
from torture.playing import Scenario, SkippedError
from torture.stage import Stage
from torture.stand_in_child import PROGRESS

COMMANDS = (
    ["runs"],
    [
        "queue", "--preset", "sst-only", "--data", "toy", "--name", "walk-1", "--set", "encoder=tiny", "--set",
        "epochs=1", "--set", "epoch_steps=5", "--set", "checkpoint_steps=2",
    ],
    ["doctor"],
    ["workers"],
)  # fmt: skip
MIB = 1 << 20


def _until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)


def _tell(stage: Stage, what: str, label: str) -> None:
    with stage.record.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"fault": f"{what}@1", "label": label, "pid": os.getpid()}) + "\n")


def _folder(stage: Stage, run_id: str) -> RunFolder:
    return RunFolder(stage.root / "runs" / run_id)


def _killed_in_training(stage: Stage, rng: Random) -> RunFolder:
    """A run that has checkpoints, and whose worker and child were killed together."""
    run_id = stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=120, pause=3)
    worker = stage.worker(drain=False)
    folder = _folder(stage, run_id)
    _until(lambda: len(list(folder.checkpoints().folder.glob("[0-9]*"))) > 1)
    time.sleep(rng.uniform(0, 0.2))
    stage.kill([worker.pid, *stage.children()])
    worker.wait()
    return folder


def _flip(path: Path, rng: Random, count: int = 1) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(count if content else 0):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _is_flushed(event: Event | None, folder: RunFolder) -> bool:
    """Whether the newest checkpoint was written after this event, and so put it on disk before."""
    newest = sorted(folder.checkpoints().folder.glob("[0-9]*"))[-1]
    kept: dict[str, int] = json.loads((newest / PROGRESS).read_text(encoding="utf-8"))
    if isinstance(event, Step):
        return event.step < kept["step"]
    return isinstance(event, Evaluated) and event.epoch <= kept["evaluated_epoch"]


def torn_events(stage: Stage, rng: Random) -> None:
    """The end of the last line of a dead attempt is missing; a line that a checkpoint had put on disk stays whole, and
    half of one more follows it."""
    folder = _killed_in_training(stage, rng)
    path = folder.events(list(attempts(folder.path))[-1])
    content = path.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    if _is_flushed(parse_event(content[last:].strip()), folder):
        content, last = content + content[last:], len(content)
    path.write_bytes(content[: rng.randrange(last, len(content))])
    _tell(stage, "torn", path.name)


def flipped_checkpoint(stage: Stage, rng: Random) -> None:
    """A bit of the newest checkpoint is another, or of all of them."""
    folder = _killed_in_training(stage, rng)
    numbers = sorted(folder.checkpoints().folder.glob("[0-9]*"))
    for number in numbers[-rng.choice((1, 1, 2)) :]:
        path = rng.choice(sorted(number.iterdir()))
        _flip(path, rng)
        _tell(stage, "flipped", f"checkpoint {path.name}")


def flipped_registry(stage: Stage, rng: Random) -> None:
    """Bits of the registry are others: every program says so in a sentence, or works. Then it is damaged beyond doubt,
    and repaired.
    """
    _killed_in_training(stage, rng)
    with stage.open() as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = stage.path.read_bytes()
    _flip(stage.path, rng, rng.choice((1, 3, 30)))
    _tell(stage, "flipped", stage.path.name)
    for words in COMMANDS:
        code = stage.wait(stage.start("torture.command", "--db", str(stage.path), *words))
        if code not in range(0, 6):
            stage.violations.append(f"`bertmt {words[0]}` ended with {code} on a damaged registry")
    code = stage.wait(stage.worker())
    if code not in (0, 1):
        stage.violations.append(f"the worker ended with {code} on a damaged registry")
    stage.kill(stage.pids())
    # A flipped bit may be a value that nobody can tell from a true one: what is checked below begins with true ones.
    for ending in ("-wal", "-shm"):
        stage.path.with_name(stage.path.name + ending).unlink(missing_ok=True)
    stage.path.write_bytes(content)
    shutil.rmtree(stage.root / "backups")
    _damage_and_repair(stage, rng)


def repaired_registry(stage: Stage, rng: Random) -> None:
    """Runs that worked before and since the last backup, one that waits; `repair` is killed at first."""
    for _ in range(rng.choice((1, 2))):
        _killed_in_training(stage, rng)
        stage.requeue_ended()
    stage.add_run(rng.randrange(1 << 30))
    _damage_and_repair(stage, rng, f"{rng.choice(KILLS)}@{rng.randint(1, 300)}")


def killed_backups(stage: Stage, rng: Random) -> None:
    """Whoever makes a backup is killed: while it copies, checks, gives it its name, or lets go of the oldest."""
    for _ in range(6):
        stage.requeue_ended()
        stage.add_run(rng.randrange(1 << 30), epochs=1, epoch_steps=5)
        before = len(kept_backups(stage.path))
        label = rng.choice(("sql BACKUP", "sql PRAGMA quick_check", "fsync .runs-#", "rename .runs-#", "unlink runs-#"))
        stage.wait(stage.worker(f"{rng.choice(KILLS)}@1:{label}"))
        for each in kept_backups(stage.path):
            if _asked(each.path, "PRAGMA quick_check") != ["ok"]:
                stage.violations.append(f"{each.path.name} is no whole backup")
        if len(kept_backups(stage.path)) < min(before, KEPT):
            stage.violations.append("a backup that was killed cost one of those before it")
    _damage_and_repair(stage, rng)


def _asked(path: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return [value for (value,) in connection.execute(sql)]


def _damage_and_repair(stage: Stage, rng: Random, spec: str = "") -> None:
    """Damage the registry beyond doubt; then all that the last backup knew and all that folders tell must be there."""
    stage.kill(stage.pids())
    _until(lambda: not stage.pids())
    kept = kept_backups(stage.path)
    kept_ids = set(_asked(kept[-1].path, "SELECT id FROM runs WHERE removed_at IS NULL")) if kept else set()
    told = {path.parent.name for path in stage.root.glob("runs/*/run.json")}
    before = {run.id: run for run in stage.runs()}
    with stage.open() as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    rng.choice(DAMAGES)(stage.path, rng)
    _tell(stage, "damaged", stage.path.name)
    words = ("torture.command", "--db", str(stage.path), "repair")
    if spec:
        stage.wait(stage.start(*words, spec=spec))
    code = stage.wait(stage.start(*words))
    if code != 0:
        stage.violations.append(f"`bertmt repair` ended with {code}")
        return
    after = {run.id: run for run in stage.runs()}
    if (kept_ids | told) - set(after):
        stage.violations.append(f"lost, though backed up or with a folder: {sorted((kept_ids | told) - set(after))}")
    for run in (each for each in before.values() if each.id in told & set(after)):
        now = after[run.id]
        step, step_now = run.progress.step, now.progress.step
        if (step or -1) > (step_now or -1) or (run.state is State.FINISHED and now.state is not State.FINISHED):
            stage.violations.append(f"{run.id} was {run.state} at step {step}, and is {now.state} at {step_now}")
    lost = before.keys() - after.keys()
    if not all(run_id in stage.output() for run_id in lost) and "cannot be read to its end" not in stage.output():
        stage.violations.append(f"lost without a word: {sorted(lost)}")
    for run_id in lost:
        stage.expected.pop(run_id, None)
    release_all(stage)


def _overwritten(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


# Each beyond doubt, so that `repair` has something to do.
DAMAGES: tuple[Callable[[Path, Random], object], ...] = (
    lambda path, rng: path.unlink(),
    lambda path, rng: path.write_bytes(b""),
    lambda path, rng: _overwritten(path, 0, bytes(100)),
    lambda path, rng: os.truncate(path, rng.randrange(1, path.stat().st_size - 4096)),
    lambda path, rng: _overwritten(path, 4096, rng.randbytes(4096 * rng.choice((1, 5, 20)))),
)


def jumping_clock(stage: Stage, rng: Random) -> None:
    """The clock is put forward and back by days, before and while they work, of workers and of children."""
    for _ in range(3):
        stage.requeue_ended()
        stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=60)
        jump = f"clock{rng.choice('+-')}{rng.choice((40, 4000, 400_000))}@{rng.choice((1, 40, 150))}"
        child_jump = f"clock{rng.choice('+-')}{rng.choice((40, 4000, 400_000))}@{rng.choice((1, 40, 150))}"
        worker = stage.worker(jump, child_jump, slots=2, drain=False)
        time.sleep(rng.uniform(0.5, 1.5))
        stage.kill([worker.pid] if rng.random() < 0.5 else [worker.pid, *stage.children()])
        worker.wait()


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """A file system of its own in `folder`, so small.

    Raises:
        SkippedError: nobody may mount one here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "torture", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        raise SkippedError("only root may mount a small disk, so none was filled")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def full_disk(stage: Stage, rng: Random) -> None:
    """The disk fills up while a run is trained, and is freed again; or has no room for checkpoints from the start."""
    stage.path.unlink(missing_ok=True)
    has_room = rng.random() < 0.3
    disk = small_disk(stage.root, (80 if has_room else 8) * MIB)
    disk.__enter__()
    stage.on_close(lambda: disk.__exit__(None, None, None))
    stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=150, pause=4)
    worker = stage.worker(drain=False)
    _until(lambda: stage.children())
    time.sleep(rng.uniform(0.2, 1.0))
    ballast = stage.root / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            _tell(stage, "filled", "disk")
    time.sleep(rng.uniform(0.3, 2.0))
    ballast.unlink()
    if rng.random() < 0.5:
        stage.kill([worker.pid])
    else:
        worker.terminate()
    stage.wait(worker)


def damage_scenarios(count: int) -> list[Scenario]:
    """Each kind of damage so many times."""
    return [
        scenario
        for scenario in (
            Scenario("event line torn", torn_events),
            Scenario("checkpoint flipped", flipped_checkpoint),
            Scenario("registry flipped", flipped_registry),
            Scenario("registry repaired", repaired_registry),
            Scenario("backup killed", killed_backups),
            Scenario("clock jumping", jumping_clock, clock_jumps=True),
            Scenario("disk full", full_disk),
        )
        for _ in range(count)
    ]
