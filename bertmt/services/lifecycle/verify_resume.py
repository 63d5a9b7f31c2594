"""Showing that a killed run ends as if nothing had been: the same run twice, once left alone, once killed and resumed.

Both are real children in a registry of their own, killed with SIGKILL, settled and queued again as any lost run is.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from bertmt.devices.slots import CPU, DeviceSlot, device_slots
from bertmt.drawing.numbers import counted
from bertmt.errors import BertmtError, RunFailedError
from bertmt.launchers.training import order_of, start_training
from bertmt.registry import metrics, predictions
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import evaluations, run_by_key
from bertmt.registry.states import State
from bertmt.run_folder.checkpoints import DOCUMENT, TENSORS
from bertmt.run_folder.event_files import read_events, tail_lines
from bertmt.run_folder.events import Resumed
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.reconcile import declare_dead
from bertmt.services.lifecycle.control import requeue
from bertmt.services.plan.own_code import sources_of, stored_sources
from bertmt.services.plan.submit import Plan, submit

# Short enough to be tried at once, long enough for several epochs, evaluations and checkpoints.
DEFAULT_SCALE = {"epochs": 2, "epoch_steps": 20, "evaluate_examples": 200, "checkpoint_steps": 7}
WALL_CLOCK_SERIES = "tokens_per_second"
LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Comparison:
    """One kind of result of the two runs.

    Attributes:
        count: how many of its parts were compared.
        different: names of those that are not equal to the byte, or are missing on one side.
    """

    what: str
    count: int
    different: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What came of it.

    Attributes:
        steps: of the whole run.
        killed_at: the step at which each kill came, in their order.
        resumed_at: where the attempts after them went on; None: at the beginning.
        seconds: of the straight run, and of the killed one with all its attempts.
        conditions: under which it was tried: device, precision, threads, torch.
    """

    steps: int
    killed_at: tuple[int, ...]
    resumed_at: tuple[int | None, ...]
    seconds: tuple[float, float]
    conditions: Mapping[str, Any]
    comparisons: tuple[Comparison, ...]

    @property
    def is_exact(self) -> bool:
        """Whether everything is equal to the byte."""
        return not any(each.different for each in self.comparisons)

    def sentences(self) -> list[str]:
        """What was done and under which conditions it holds."""
        ends = ", ".join(
            f"killed at step {step}, resumed at {'the beginning' if resumed is None else f'step {resumed}'}"
            for step, resumed in zip(self.killed_at, self.resumed_at, strict=True)
        )
        here = self.conditions
        said = [
            f"{counted(self.steps, 'step')}, straight in {self.seconds[0]:.1f} s; {ends}, in {self.seconds[1]:.1f} s.",
            f"Tried on {here['device']} in {here['precision']} with {counted(here['threads'], 'CPU thread')}, PyTorch "
            f"{here['torch']}; speed and seconds are wall-clock, and not compared.",
        ]
        if here["device"] == CPU:
            said.append("It holds for the same number of threads, precision and PyTorch on processors of one kind.")
        else:
            said.append("It holds with deterministic=true, on GPUs of one model, with the same PyTorch and precision.")
        return said


def verify_resume(
    planned: Plan, folder: Path, device: str, kills: int, seed: int, say: Callable[[str], None]
) -> Verification:
    """Train a planned run twice in `folder`, killing the second so many times at random steps.

    Args:
        planned: of one run.
        device: as `bertmt worker --device`; the first that it means is taken.
        folder: empty; what the runs leave stays there.
        seed: of the steps at which kills come.
        say: where a line about the progress goes.

    Raises:
        RunFailedError: a run failed by itself.
        UsageError: the device is not here.
    """
    slot = device_slots(device, 1)[0]
    with open_registry(folder / "runs.db", create=True) as database:
        started = time.monotonic()
        say("Training it straight.")
        straight = _train(database, submit(database, planned)[0], slot, None)
        between = time.monotonic()
        total = straight.progress.steps_total or 1
        steps = sorted(random.Random(seed).sample(range(total), min(kills, total)))
        killed = submit(database, planned)[0]
        for step in steps:
            say(f"Training it again, and killing it at step {step}.")
            killed = _train(database, killed, slot, step)
        say("Letting it finish.")
        killed = _train(database, killed, slot, None)
        ended = time.monotonic()
        return Verification(
            steps=total,
            killed_at=tuple(steps),
            resumed_at=_resumptions(folder_of(database, killed), killed.attempt),
            seconds=(between - started, ended - between),
            conditions=_state(folder_of(database, straight))[1]["conditions"],
            comparisons=_compare(database, straight, killed),
        )


def with_sources(database: Database, planned: Plan) -> Plan:
    """The same plan, which brings to another registry what this one has of the user's own code.

    Raises:
        UsageError: it has not all.
    """
    runs = [replace(run, sources=stored_sources(database, run.recipe, run.sources)) for run in planned.runs]
    return replace(planned, runs=tuple(runs))


def _train(database: Database, run: Run, slot: DeviceSlot, kill_at: int | None) -> Run:
    """One attempt at the run, to its end or to the step where it is killed."""
    claimed = claim_next(database, None, slot.device, expected=run.key)
    assert claimed is not None, "nobody else works this registry"
    folder = folder_of(database, claimed)
    order = order_of(claimed, slot.device, slot.threads, keeps_checkpoints=True)
    child = start_training(folder, order, claimed.submission, sources_of(database, claimed))
    try:
        while child.poll() is None:
            run = ingest(database, run_by_key(database, run.key))
            # Its attempt may have begun behind that step: then it is killed at its next one.
            step = run.progress.step
            if kill_at is not None and step is not None and step >= kill_at and _has_stepped(folder, order):
                os.kill(child.pid, signal.SIGKILL)
                child.wait()
                break
            time.sleep(LOOK_SECONDS)
    except BaseException:
        child.kill()
        raise
    run = ingest(database, run_by_key(database, run.key))
    if run.state is State.RUNNING:
        run = declare_dead(database, run, "killed on purpose")
    if run.state is State.LOST:
        run = requeue(database, run)
    if run.state is State.FAILED:
        reason = run.execution.failure
        raise RunFailedError(f"The run failed without being killed: {reason}; its log is {folder.log(order.attempt)}.")
    return run


def _has_stepped(folder: RunFolder, order: RunOrder) -> bool:
    return any('"event":"step"' in line for line in tail_lines(folder.events(order.attempt), 50))


def _resumptions(folder: RunFolder, attempts: int) -> tuple[int | None, ...]:
    found: list[int | None] = []
    for attempt in range(2, attempts + 1):
        events, _, _ = read_events(folder.events(attempt))
        found.append(next((event.step for event in events if isinstance(event, Resumed)), None))
    return tuple(found)


def _compare(database: Database, straight: Run, killed: Run) -> tuple[Comparison, ...]:
    (tensors, document), (other_tensors, other_document) = (
        _state(folder_of(database, run)) for run in (straight, killed)
    )
    kinds = {"weights": "weight/", "optimizer": "optimizer/", "best weights": "best/", "random generators": "random/"}
    found = [_comparison(what, _part(tensors, prefix), _part(other_tensors, prefix)) for what, prefix in kinds.items()]
    for each in (document, other_document):
        each.pop("seconds")
    found.append(_comparison("counters and positions", document, other_document))
    found.append(_comparison("model files", *(_model(folder_of(database, run)) for run in (straight, killed))))
    for what, read in (("metric rows", _metrics), ("evaluations", _evaluations), ("predictions", _predictions)):
        found.append(_comparison(what, read(database, straight), read(database, killed)))
    return tuple(each for each in found if each.count)


def _comparison(what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison:
    names = sorted(one.keys() | other.keys())
    different = tuple(name for name in names if name not in one or name not in other or one[name] != other[name])
    return Comparison(what, len(names), different)


def _state(folder: RunFolder) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The tensors of the last checkpoint as bytes, and its document."""
    found = folder.checkpoints().newest_intact(lambda path, why: None)
    if found is None:
        raise BertmtError(f"The run in {folder.path} left no intact checkpoint; is its disk full?")
    arrays: dict[str, np.ndarray] = safetensors.numpy.load(found.read(TENSORS))
    return {name: each.tobytes() for name, each in arrays.items()}, found.read_document(DOCUMENT)


def _part(tensors: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _model(folder: RunFolder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.model.glob("*.safetensors")}


def _metrics(database: Database, run: Run) -> dict[str, Any]:
    found = metrics.read(database, run.key)
    found.pop(WALL_CLOCK_SERIES, None)
    return {f"{name} at step {step}": value for name, points in found.items() for step, value in points}


def _evaluations(database: Database, run: Run) -> dict[str, Any]:
    # The seconds that one took may differ.
    return {f"epoch {each.epoch}": replace(each, seconds=None) for each in evaluations(database, run)}


def _predictions(database: Database, run: Run) -> dict[str, Any]:
    rows = predictions.stored_bytes(database, run.key)
    return {f"{task} {split} of epoch {epoch}": rest for task, split, epoch, *rest in rows}


def scaled_for_verification(given: Mapping[str, Any], device: str) -> dict[str, Any]:
    """What is set besides what a person gave, so that it takes minutes at most, and on a GPU can be exact.

    Raises:
        UsageError: the device is not here.
    """
    on_cpu = device_slots(device, 1)[0].device == CPU
    values = {**DEFAULT_SCALE, **({} if on_cpu else {"deterministic": True})}
    return {name: value for name, value in values.items() if name not in given}
