"""Files that are torn or flipped while nobody looks, clocks that jump, and a disk that fills up."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from bertmt.registry.states import State
from bertmt.run_folder.event_files import attempts
from bertmt.run_folder.events import Evaluated, Event, Step, parse_event
from bertmt.run_folder.layout import RunFolder
from torture.playing import Scenario, SkippedError
from torture.stage import Stage
from torture.stand_in_child import PROGRESS

COMMANDS = (
    ["runs"],
    ["queue", "--preset", "sst-only", "--data", "toy", "--set", "encoder=tiny"],
    ["doctor"],
    ["workers"],
)
MIB = 1 << 20


def _until(condition: object, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # type: ignore[operator]
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
    kept = json.loads((newest / PROGRESS).read_text(encoding="utf-8"))
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
    """Bits of the registry are others: every program says so in a sentence, or works, and what is asked for is kept."""
    _killed_in_training(stage, rng)
    path = stage.path
    _flip(path, rng, rng.choice((1, 3, 30)))
    _tell(stage, "flipped", path.name)
    for words in COMMANDS:
        code = stage.wait(stage.start("torture.command", "--db", str(path), *words))
        if code not in range(0, 6):
            stage.violations.append(f"`bertmt {words[0]}` ended with {code} on a damaged registry")
    code = stage.wait(stage.worker())
    if code not in (0, 1):
        stage.violations.append(f"the worker ended with {code} on a damaged registry")
    if "Traceback (most recent call last)" in stage.output():
        stage.violations.append("a damaged registry was answered with a traceback, see processes.txt")
    stage.kill(stage.pids())
    # What the message advises: moved aside, and a new one begun. The run folders are as they were.
    for each in stage.root.glob("runs.db*"):
        each.rename(each.with_name(f"aside-{each.name}"))
    stage.expected.clear()
    stage.add_run(rng.randrange(1 << 30))
    stage.carry_on()
    if [run.state for run in stage.runs()] != [State.FINISHED]:
        stage.violations.append("a new registry beside the damaged one does not work")


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
            Scenario("registry flipped", flipped_registry, carries_on=False),
            Scenario("clock jumping", jumping_clock, clock_jumps=True),
            Scenario("disk full", full_disk),
        )
        for _ in range(count)
    ]
