"""Playing scenarios in lanes: each on a stage of its own, and everything checked once it is quiet again."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bertmt.run_folder.event_files import attempts, read_events
from bertmt.run_folder.events import Resumed
from bertmt.services.ingest.ingest import folder_of
from torture.invariants import violations
from torture.stage import STAND_IN, Stage
from torture.tally import Outcome
from torture.walk import expected_of


class SkippedError(Exception):
    """This machine cannot do it."""


@dataclass(frozen=True)
class Scenario:
    """Something that goes wrong.

    Attributes:
        play: does it on a stage; what it does not bring to an end is brought there afterwards.
        clock_jumps: times may go backwards.
        carries_on: whether fresh workers are to bring every run to its end; False: the scenario checks itself.
    """

    name: str
    play: Callable[[Stage, Random], None]
    child: str = STAND_IN
    clock_jumps: bool = False
    carries_on: bool = True


def play_all(
    scenarios: Sequence[Scenario], seed: int, lanes: int, say: Callable[[Outcome], None], only: str = ""
) -> list[Outcome]:
    """Play them, so many at once; in the order in which they were given.

    Args:
        say: told of each as it ends.
        only: "<name> <number>" of one, to repeat it.
    """
    numbered = [
        (number, scenario) for number, scenario in enumerate(scenarios) if only in ("", f"{scenario.name} {number}")
    ]
    with ThreadPoolExecutor(lanes) as pool:

        def one(each: tuple[int, Scenario]) -> Outcome:
            outcome = play(each[1], each[0], seed)
            say(outcome)
            return outcome

        return list(pool.map(one, numbered))


def play(scenario: Scenario, number: int, seed: int) -> Outcome:
    """Play one, check everything, and keep its folder where something was wrong."""
    outcome = Outcome(scenario=scenario.name, number=number, seed=f"{seed}")
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{scenario.name.replace(' ', '-')}-{number}-"))
    stage = Stage(folder, scenario.child)
    try:
        scenario.play(stage, Random(f"{seed}/{number}"))
        if scenario.carries_on:
            stage.carry_on()
            _check(stage, scenario)
    except SkippedError as reason:
        outcome.skipped = str(reason)
    except Exception as problem:  # a scenario that breaks off is a finding too
        stage.violations.append(f"the scenario broke off: {type(problem).__name__}: {problem}")
    finally:
        _count(stage, outcome)
        stage.close()
    outcome.violations = stage.violations
    outcome.seconds = time.monotonic() - begun
    if outcome.violations:
        outcome.kept = folder
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _check(stage: Stage, scenario: Scenario) -> None:
    _wait_until_quiet(stage)
    with stage.open() as database:
        for run in stage.runs():
            if run.id not in stage.expected:
                stage.expected[run.id] = expected_of(run.seed, run.recipe["epochs"], run.recipe["epoch_steps"])
        stage.violations += violations(database, stage.expected, scenario.clock_jumps)
    if "Traceback (most recent call last)" in stage.output() + stage.screen():
        stage.violations.append("a worker, a command or the dashboard answered with a traceback")


def _wait_until_quiet(stage: Stage, seconds: float = 10.0) -> None:
    """Every process ends by itself once its run has; the dashboard does not."""
    stage.kill(stage.pids("-m tui"))
    end = time.monotonic() + seconds
    while stage.pids():
        if time.monotonic() > end:
            stage.violations.append(f"processes are left over: {stage.pids()}")
            return
        time.sleep(0.02)


def _count(stage: Stage, outcome: Outcome) -> None:
    for each in stage.fired():
        action = each["fault"].partition("@")[0].rpartition("/")[2]
        outcome.points.append(f"{action} {each['label']}")
        outcome.kills += action.startswith("kill")
        outcome.errors += action in ("enospc", "eio", "locked")
        outcome.others += action not in ("enospc", "eio", "locked") and not action.startswith("kill")
    if not stage.path.exists() or outcome.skipped:
        return
    try:
        with stage.open() as database:
            for run in stage.runs():
                outcome.runs += 1
                outcome.attempts += run.attempt
                folder = folder_of(database, run)
                for attempt in attempts(folder.path):
                    events, _, _ = read_events(folder.events(attempt))
                    outcome.resumed += any(isinstance(event, Resumed) for event in events)
    except Exception:  # a damaged registry is for the scenario to judge
        return
