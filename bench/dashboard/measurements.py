"""What a person waits for, and what crosses the line: first paint, key to paint, bytes of a key, a step on screen."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.dashboard.registries import SERIES, training_run
from bench.terminal import Terminal
from bertmt.run_folder.events import Step, now

COMMAND = Path(sys.executable).parent / "bertmt-tui"
SIZE = (120, 40)
QUIET_SECONDS = 0.25  # until nothing more comes of a key: what stands beside the list follows it
LONG_ENOUGH_SECONDS = 1.5
STEPS_SHOWN = 30


@dataclass(frozen=True)
class Keys:
    """What each of several keys took.

    Attributes:
        seconds: until what the key changed is on screen.
        sent: bytes until nothing more came.
    """

    seconds: Sequence[float]
    sent: Sequence[int]


def p95(values: Sequence[float]) -> float:
    """The 95th percentile: of 20 values the 19th."""
    return sorted(values)[max(round(0.95 * len(values)) - 1, 0)]


def import_seconds(rounds: int = 5) -> float:
    """Median seconds of a Python that imports the dashboard and its first screen: no first paint can be sooner."""
    command = [sys.executable, "-c", "import tui.__main__, tui.screens.runs.screen"]
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def first_paint(path: Path, newest: str, size: tuple[int, int] = SIZE) -> float:
    """Seconds from the start of the process until the newest run is on screen."""
    with closing(Terminal([COMMAND, "--db", path], *size)) as terminal:
        return terminal.wait_to_show(newest)


def keys(path: Path, runs: int, count: int, size: tuple[int, int] = SIZE) -> Keys:
    """Go down the list, key by key; past its end on screen it moves with each."""
    seconds, sent = [], []
    with closing(Terminal([COMMAND, "--db", path], *size)) as terminal:
        terminal.wait_to_show(f"run-{runs:05d}")
        terminal.show_for(LONG_ENOUGH_SECONDS)
        for number in range(runs - 1, runs - 1 - count, -1):
            before = terminal.received
            terminal.type("j")
            seconds.append(terminal.wait_for_answer())
            terminal.show_for(QUIET_SECONDS)
            if f"run-{number:05d}" not in terminal.screen.text():
                raise RuntimeError(f"run-{number:05d} is not on screen after its key:\n{terminal.screen.text()}")
            sent.append(terminal.received - before)
    return Keys(seconds, sent)


def step_to_screen() -> float:
    """Median seconds from a logged step until the list shows it, though no worker imports it."""
    taken = []
    with (
        training_run(STEPS_SHOWN) as (database, run, events),
        closing(Terminal([COMMAND, "--db", database.path], *SIZE)) as terminal,
    ):
        terminal.wait_to_show(run.id)
        for step in range(STEPS_SHOWN):
            terminal.show_for(0.37)  # no multiple of the time between two looks
            events.write(Step(at=now(), step=step, epoch=1, phase="train", values={SERIES[0]: 1.0}, seconds_left=1.0))
            taken.append(terminal.wait_to_show(f"step {step + 1} of"))
    return statistics.median(taken)
