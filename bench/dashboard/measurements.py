"""`bertmt-tui` in a pseudo-terminal: first paint, key to paint, step to screen, and memory over an hour of events."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.measuring import Figure
from bench.registries import TWELVE, filled_registry, finish_all
from bench.terminal import Terminal
from bertmt.registry import metrics
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Started, Step, now
from bertmt.run_folder.layout import RunOrder, hold_alive
from bertmt.services.ingest.ingest import folder_of
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks

COMMAND = Path(sys.executable).parent / "bertmt-tui"
SIZE = (120, 40)
SERIES = ("loss/sst", "loss/para", "loss/sts", "dev/sst", "gradient_norm")
KEYS = 30
HOUR_SECONDS, SPEED = 3600, 60
STEPS_PER_SECOND = 2  # of the run whose hour is replayed: a small encoder on two cores


def named_registry(path: Path, runs: int, points: int = 0, tasks: Tasks = BUILTIN) -> None:
    """Finished runs called run-00001 …, each with so many points."""
    with filled_registry(path, runs, tasks) as database:
        finish_all(database)
        database.execute("UPDATE runs SET name = printf('run-%05d', key)")
        if points:
            _add_points(database, points)


def _add_points(database: Database, points: int) -> None:
    steps = range(points // len(SERIES))
    for run in all_runs(database):
        with database.immediate():
            metrics.append(database, run.key, [(name, step, 1 / (step + 1)) for step in steps for name in SERIES])
    database.execute("UPDATE runs SET events_offset = 1, events_attempt = 1")


def first_paint(path: Path, newest: str) -> float:
    """Seconds from the start of the process until the newest run is on screen."""
    with closing(Terminal([COMMAND, "--db", path], *SIZE)) as terminal:
        return terminal.wait_for(newest)


def key_to_paint(path: Path, runs: int) -> float:
    """Median seconds from a key until the row that the cursor came to is drawn."""
    taken = []
    with closing(Terminal([COMMAND, "--db", path], *SIZE)) as terminal:
        terminal.wait_for(f"run-{runs:05d}")
        terminal.drain(1.0)
        for number in range(runs - 1, runs - 1 - KEYS, -1):
            terminal.type("j")
            taken.append(terminal.wait_for(f"run-{number:05d}"))
            terminal.drain(0.1)
    return statistics.median(taken)


@contextmanager
def training_run() -> Iterator[tuple[Database, Run, EventWriter]]:
    """A run that is trained by this process, as far as a front end can tell, and by no worker."""
    with tempfile.TemporaryDirectory() as folder, filled_registry(Path(folder) / "runs.db", 1) as database:
        run = claim_next(database, None, "cpu")
        assert run is not None
        run_folder = folder_of(database, run)
        run_folder.create(
            RunOrder(run_id=run.id, name=run.name, attempt=1, data="toy", extra_data_file=""),
            run.submission.recipe_json,
        )
        with hold_alive(run_folder), closing(EventWriter(run_folder.events(1))) as events:
            steps = HOUR_SECONDS * STEPS_PER_SECOND
            events.write(Started(at=now(), attempt=1, pid=1, steps_total=steps, epochs_total=1))
            yield database, run, events


def step_to_screen() -> float:
    """Median seconds from a logged step until the list shows it, though no worker imports it."""
    taken = []
    with (
        training_run() as (database, run, events),
        closing(Terminal([COMMAND, "--db", database.path], *SIZE)) as terminal,
    ):
        terminal.wait_for(run.id)
        for step in range(KEYS):
            terminal.drain(0.37)  # no multiple of the time between two looks
            events.write(Step(at=now(), step=step, epoch=1, phase="train", values={SERIES[0]: 1.0}, seconds_left=1.0))
            taken.append(terminal.wait_for(f"step {step + 1} of"))
    return statistics.median(taken)


def memory_growth() -> tuple[float, float]:
    """MiB after 10 s and at the end of an hour of events that is replayed in a minute, curves open."""
    with (
        training_run() as (database, run, events),
        closing(Terminal([COMMAND, "--db", database.path], *SIZE)) as terminal,
    ):
        terminal.wait_for(run.id)
        terminal.type("\r")
        seen = list(_replay(events, terminal, HOUR_SECONDS * STEPS_PER_SECOND))
    return seen[0], seen[-1]


def _replay(events: EventWriter, terminal: Terminal, steps: int) -> Iterator[float]:
    """Write the events at their speed; the program's memory every 10 s."""
    begun = time.perf_counter()
    measured_at = 10.0
    for step in range(steps):
        events.write(
            Step(
                at=now(),
                step=step,
                epoch=1,
                phase="train",
                values=dict.fromkeys(SERIES, 1 / (step + 1)),
                seconds_left=1.0,
            )
        )
        due = (step + 1) / (STEPS_PER_SECOND * SPEED)
        while (elapsed := time.perf_counter() - begun) < due:
            terminal.read(due - elapsed)
            terminal.output = b""
        if elapsed > measured_at:
            measured_at += 10.0
            yield terminal.resident_mib()
    yield terminal.resident_mib()


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small" / "runs.db", Path(folder) / "large" / "runs.db"
        named_registry(small, 1000, points=5000)
        named_registry(large, 10_000)
        wide = Path(folder) / "wide" / "runs.db"
        named_registry(wide, 10_000, tasks=TWELVE)
        paints = [statistics.median(first_paint(path, name) for _ in range(5)) for path, name in
                  ((small, "run-01000"), (large, "run-10000"), (wide, "run-10000"))]  # fmt: skip
        keys = [key_to_paint(path, count) for path, count in ((large, 10_000), (small, 1000), (wide, 10_000))]
    early, late = memory_growth()
    return [
        Figure("bertmt-tui, first paint, 1,000 runs × 5,000 points", paints[0] * 1e3, "ms", 1000),
        Figure("bertmt-tui, first paint, 10,000 runs", paints[1] * 1e3, "ms", 1500),
        Figure(
            "bertmt-tui, first paint, 10,000 runs of 12 tasks",
            paints[2] * 1e3,
            "ms",
            1500,
            peer="of 3",
            peer_value=paints[1] * 1e3,
        ),
        Figure("key to paint, 10,000 runs of 12 tasks", keys[2] * 1e3, "ms", 60, peer="of 3", peer_value=keys[0] * 1e3),
        Figure("key to paint, 10,000 runs", keys[0] * 1e3, "ms", 60, peer="1,000 runs", peer_value=keys[1] * 1e3),
        Figure(
            "memory after an hour of events at 60×", late, "MiB", peer="after its first 10 minutes", peer_value=early
        ),
    ]
