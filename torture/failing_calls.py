"""The N-th file or database call fails, for each N: with ENOSPC, with EIO, and with "locked"."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from random import Random

from torture.faults.injector import ERRORS, Fault
from torture.kills import COMMANDS, release_all
from torture.playing import Scenario
from torture.stage import Stage

CHUNK = 4
FULL_SECONDS = 3.0
LONGEST_STEP_OF_COMMANDS = 15
# A run that does everything once or twice.
SMALL = {"epochs": 1, "epoch_steps": 4, "checkpoint_steps": 2, "pause": 0}


def child_failures(faults: Sequence[str]) -> Scenario:
    """A run for each fault, in whose first attempt a call fails; it fails, or does without what failed."""

    def play(stage: Stage, rng: Random) -> None:
        for fault in faults:
            stage.add_run(rng.randrange(1 << 30), **SMALL)
            stage.wait(stage.worker(child_spec=f"1/{fault}"))

    return Scenario("child, failing call", play)


def worker_failures(faults: Sequence[str]) -> Scenario:
    """Workers, one after the other, in each of which a call fails; each may end, with a sentence."""

    def play(stage: Stage, rng: Random) -> None:
        for fault in faults:
            stage.requeue_ended()
            stage.add_run(rng.randrange(1 << 30), **SMALL)
            worker = stage.worker(fault, slots=2)
            if fault.endswith("+"):
                # A worker waits for a disk that stays full to have room again; nobody makes any here.
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(FULL_SECONDS)
                worker.kill()
            stage.wait(worker)

    return Scenario("worker, failing call", play)


def command_failures(which: int, action: str, step: int) -> Scenario:
    """A command, once for each call that fails in it, every `step`-th: it answers with a sentence or with success."""

    def play(stage: Stage, rng: Random) -> None:
        name, number, fired = COMMANDS[which]("")[0], 1 + rng.randrange(step), 0
        while len(stage.fired()) == fired:
            run = stage.add_run(rng.randrange(1 << 30), **SMALL)
            fired += 1
            words = ["--db", str(stage.path), *COMMANDS[which](run)]
            code = stage.wait(stage.start("torture.command", *words, spec=f"{action}@{number}"))
            if code not in range(0, 6):
                stage.violations.append(f"`bertmt {name}` ended with {code} when call {number} failed with {action}")
            number += step
        release_all(stage)

    return Scenario("command, failing call", play)


def failing_scenarios(
    worker_labels: dict[str, int], child_labels: dict[str, int], step: int, rng: Random
) -> list[Scenario]:
    """Every `step`-th call of a child, a worker and the commands, with every error that fits."""
    found: list[Scenario] = []
    for labels, scenario in ((child_labels, child_failures), (worker_labels, worker_failures)):
        numbers = list(_numbers(labels, step, rng))
        rng.shuffle(numbers)
        rest = iter(numbers)
        while faults := list(islice(rest, CHUNK)):
            found.append(scenario(faults))
    # A command has some dozens of calls: a longer step would miss them all.
    step = min(step, LONGEST_STEP_OF_COMMANDS)
    return found + [command_failures(which, action, step) for which in range(len(COMMANDS)) for action in ERRORS]


def _numbers(labels: dict[str, int], step: int, rng: Random) -> Iterator[str]:
    for action in ERRORS:
        count = sum(times for label, times in labels.items() if Fault(action).fits(label))
        for number in range(1 + rng.randrange(step), count + 1, step):
            # A disk that is full stays so, for a while.
            yield f"{action}@{number}{'+' if action == 'enospc' and rng.random() < 0.3 else ''}"
