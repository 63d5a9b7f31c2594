"""Kills in real training: what is left must be the weights, the points and the predictions of a run left alone."""

import itertools
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bertmt.registry import metrics
from bertmt.registry.runs import run_by_key
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.plan.submit import Request, plan, submit
from torture.kills import counted, points_of
from torture.playing import Scenario
from torture.stage import REAL, Stage
from torture.walk import Expected

# Every part of a training that a checkpoint has to hold, in the smallest form.
SCALE = {
    "data": "toy", "encoder": "tiny", "batch_size": 4, "max_length": 16, "evaluate_examples": 12, "epochs": 2,
    "epoch_steps": 8, "checkpoint_steps": 3, "select": "best",
}  # fmt: skip
SMALL_RANK = {"lora.rank": 4}
RECIPES: Mapping[str, dict[str, Any]] = {
    "baseline": {}, "lora-fied": SMALL_RANK, "ensembled": SMALL_RANK, "final": SMALL_RANK,
}  # fmt: skip
WEIGHTS = "model/model.safetensors"
CHUNK = 4
FARTHEST = 5


@dataclass(frozen=True)
class Reference:
    """A run that nobody disturbed.

    Attributes:
        labels: the operations of its child, with how often each came.
    """

    expected: Expected
    labels: dict[str, int]


def _queue(stage: Stage, preset: str) -> str:
    request = Request(preset=preset, values=SCALE | RECIPES[preset])
    with stage.open() as database:
        [run] = submit(database, plan(request))
        return run.id


def reference_of(preset: str) -> Reference:
    """Train a preset's smallest form to its end.

    Raises:
        RuntimeError: not even that works.
    """
    with tempfile.TemporaryDirectory(prefix="torture-reference-") as folder:
        stage, trace = Stage(Path(folder), REAL), Path(folder) / "trace"
        try:
            _queue(stage, preset)
            stage.wait(stage.worker(slots=2, child_trace=trace))
            with stage.open() as database:
                run = run_by_key(database, stage.runs()[0].key)
                if run.state is not State.FINISHED:
                    raise RuntimeError(f"{preset} without any fault is {run.state}: {run.execution.failure}")
                points = {name: dict(found) for name, found in metrics.read(database, run.key).items()}
                rows = database.execute("SELECT task, epoch, probabilities FROM predictions WHERE run = ?", (run.key,))
                predictions = {(task, epoch): blob for task, epoch, blob in rows}
                weights = (folder_of(database, run).path / WEIGHTS).read_bytes()
            return Reference(Expected(points, predictions, {WEIGHTS: weights}), counted(trace))
        finally:
            stage.close()


def killed_at_points(preset: str, reference: Reference, points: Sequence[str]) -> Scenario:
    """A training, each of its first attempts killed at a point."""

    def play(stage: Stage, rng: Random) -> None:
        stage.expected[_queue(stage, preset)] = reference.expected
        stage.carry_on(";".join(f"{attempt}/{point}" for attempt, point in enumerate(points, 1)))

    return Scenario(f"{preset}, at a point", play, REAL)


def killed_at_random(preset: str, reference: Reference, count: int) -> Scenario:
    """A training and its workers, killed whenever it comes."""

    def play(stage: Stage, rng: Random) -> None:
        stage.expected[_queue(stage, preset)] = reference.expected
        killed = 0
        while killed < count and not all(run.state is State.FINISHED for run in stage.runs()):
            stage.requeue_ended()
            worker = stage.worker(slots=2)
            end = time.monotonic() + rng.uniform(1.5, 7.0)
            while time.monotonic() < end and worker.poll() is None:
                time.sleep(0.01)
            both = rng.random() < 0.3
            hit = stage.kill([*stage.children(), *([worker.pid] if both else [])], signal.SIGKILL)
            killed += hit > 0
            if hit:
                with stage.record.open("a", encoding="utf-8") as file:
                    label = "child and worker" if both else "child"
                    file.write(json.dumps({"fault": "kill-random@1", "label": label, "pid": os.getpid()}) + "\n")
            worker.kill()
            worker.wait()

    return Scenario(f"{preset}, at random", play, REAL)


def real_scenarios(kills: int, rng: Random, lanes: int) -> list[Scenario]:
    """About so many kills, shared among the presets; three of four at a point."""
    with ThreadPoolExecutor(lanes) as pool:
        references = dict(zip(RECIPES, pool.map(reference_of, RECIPES), strict=True))
    points = {preset: points_of(reference.labels, rng, FARTHEST) for preset, reference in references.items()}
    kinds: Iterator[tuple[int, str]] = enumerate(itertools.cycle(RECIPES))
    found = []
    # Not every point that is chosen is reached.
    for number, preset in itertools.islice(kinds, max(1, round(1.8 * kills / CHUNK))):
        if number // len(RECIPES) % 4 == 3:
            found.append(killed_at_random(preset, references[preset], CHUNK))
        else:
            found.append(killed_at_points(preset, references[preset], list(itertools.islice(points[preset], CHUNK))))
    return found
