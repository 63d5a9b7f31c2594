"""`python -m torture.stand_in_child RUN_FOLDER ATTEMPT`: the training child with a walk in place of a model.

Lock, attempt, failures and signals are those of `bertmt.training`, whose `main` is called; only the module that would
import torch is replaced. A run called "…-<n>" rests n milliseconds after each step.
"""

import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

from bertmt import atomic_files
from bertmt.run_folder.checkpoints import Checkpoints, NoSpaceError
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, Evaluated, Finished, PredictionFile, Resumed, Started, Step, now
from bertmt.run_folder.held_folder import DisplacedError
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.run_folder.processes import process_start
from bertmt.tasks.examples import fingerprint
from bertmt.training.__main__ import main
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.stopping import StopFlag, StoppedError
from torture.walk import EXAMPLES, Walk

WALK, PROGRESS = "walk.json", "progress.json"


class Attempt:
    """One attempt at a walk, in the order of events of `bertmt.training.loop`."""

    def __init__(self, folder: RunFolder, order: RunOrder, events: EventWriter, stop: StopFlag, progress: Progress):
        self.folder, self.events, self.stop, self.progress = folder, events, stop, progress
        self.recipe: dict[str, Any] = json.loads(folder.recipe.read_text(encoding="utf-8"))
        self.epochs, self.epoch_steps = self.recipe["epochs"], self.recipe["epoch_steps"]
        self.pause = float(order.name.rpartition("-")[2]) / 1000
        self.walk = Walk(self.recipe["seed"])
        self.store: Checkpoints = folder.checkpoints(order.checkpoint_dir)
        self.order = order
        self.written = -1

    def train(self) -> None:
        resumes = self._resume()
        self.events.write(Started(
            at=now(), attempt=self.order.attempt, pid=os.getpid(), process_start=process_start(os.getpid()),
            resumes=resumes, epochs_total=self.epochs, steps_total=self.epochs * self.epoch_steps,
        ))  # fmt: skip
        if resumes:
            self.events.write(Resumed(
                at=now(), step=self.progress.step, evaluated_epoch=self.progress.evaluated_epoch,
                evaluated_step=self.progress.evaluated_step, differences=[],
            ))  # fmt: skip
        try:
            self._train_epochs()
        except StoppedError:
            self._write_checkpoint()
            raise
        except DisplacedError as displaced:
            if displaced.keeps_events:
                self._write_checkpoint()
            raise
        self.folder.model.mkdir(exist_ok=True)
        atomic_files.write_text(self.folder.model / WALK, self.walk.to_json())
        self.events.write(Finished(
            at=now(), epoch=self.epochs, step=self.progress.step, selected_epoch=self.epochs, scores={}, seconds={},
            peak_memory_mib=1, examples={}, tokens={}, passes={}, model=True, remarks=[],
        ))  # fmt: skip
        self.store.delete()

    def _train_epochs(self) -> None:
        if self.progress.evaluated_epoch < 0:
            self._evaluate(0)
        for epoch in range(max(1, -(-self.progress.step // self.epoch_steps)), self.epochs + 1):
            while self.progress.step < epoch * self.epoch_steps:
                self.stop.check()
                values = self.walk.step(self.progress.step)
                self.events.write(
                    Step(at=now(), step=self.progress.step, epoch=epoch, phase="train", values=values, seconds_left=1.0)
                )
                self.progress.step += 1
                time.sleep(self.pause)
                if self.progress.step % self.recipe["checkpoint_steps"] == 0:
                    self._write_checkpoint()
            if self.progress.evaluated_epoch < epoch:
                self._evaluate(epoch)
            self._write_checkpoint()

    def _evaluate(self, epoch: int) -> None:
        score, loss, probabilities = self.walk.evaluate()
        mark = fingerprint(EXAMPLES)
        write_examples(self.folder.examples("sst", "dev"), EXAMPLES)
        path = self.folder.predictions(epoch, "sst", "dev")
        write_predictions(path, Predictions("sst", "dev", epoch, mark, probabilities))
        self.events.write(Evaluated(
            at=now(), epoch=epoch, step=self.progress.step, scores={"sst": score}, losses={"sst": loss}, seconds=0.1,
            overall=None, predictions=[PredictionFile(task="sst", split="dev", file=path.name, fingerprint=mark)],
        ))  # fmt: skip
        self.progress.evaluated_epoch, self.progress.evaluated_step = epoch, self.progress.step

    def _resume(self) -> bool:
        found = self.store.newest_intact(lambda path, why: print(f"{path} is passed over: {why}", flush=True))
        if found is None:
            return False
        self.walk.restore(found.read(WALK).decode())
        for name, value in json.loads(found.read(PROGRESS)).items():
            setattr(self.progress, name, value)
        return True

    def _write_checkpoint(self) -> None:
        """One that cannot be written costs what it would have saved, never the run."""
        if self.written == self.progress.step + self.progress.evaluated_epoch:
            return
        walk, progress = self.walk.to_json(), json.dumps(vars(self.progress))
        writers = {
            WALK: lambda path: atomic_files.write_text(path, walk),
            PROGRESS: lambda path: atomic_files.write_text(path, progress),
        }
        try:
            self.events.flush()
            self.store.write(writers, len(walk) + len(progress))
        except (NoSpaceError, OSError) as problem:
            print(f"no checkpoint at step {self.progress.step}: {problem}", flush=True)
            return
        self.written = self.progress.step + self.progress.evaluated_epoch
        self.events.write(Checkpointed(at=now(), step=self.progress.step, mib=0.1, seconds=0.01))


def train_attempt(
    folder: RunFolder, order: RunOrder, events: EventWriter, stop: StopFlag, progress: Progress, started: float
) -> None:
    """In place of the function of `bertmt.training.attempt`."""
    Attempt(folder, order, events, stop, progress).train()


if __name__ == "__main__":
    stand_in = types.ModuleType("bertmt.training.attempt")
    stand_in.train_attempt = train_attempt  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    assert Path(sys.argv[1]).is_dir()
    sys.exit(main(sys.argv[1:]))
