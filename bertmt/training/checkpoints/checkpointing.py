"""When a checkpoint is written, what it says of the conditions, and how a run is taken up again from one."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from bertmt import atomic_files
from bertmt.errors import BertmtError
from bertmt.run_folder.checkpoints import DOCUMENT, TENSORS, Checkpoint, Checkpoints, NoSpaceError
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, now
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.composition import TrainingRun

FORMAT = 2  # 1: of bertmt 0.1.0, whose optimizer kept the word embeddings as any other matrix

log = logging.getLogger(__name__)


class Checkpointing:
    """Writes and reads the checkpoints of one attempt.

    A checkpoint that cannot be written costs what it would have saved, never the run.

    Attributes:
        resumed: whether the run goes on from a checkpoint.
        differences: why the resumed run is not bit-exact, a sentence each.
        begins_anew: why it starts over though a checkpoint was expected, a sentence; "": it does not.

    Args:
        expected_step: the steps done at the newest checkpoint that anybody knows of; None: nobody knows of one.
    """

    def __init__(self, state: TrainingState, store: Checkpoints, events: EventWriter, expected_step: int | None = None):
        self.state = state
        self.store = store
        self.resumed = False
        self.differences: list[str] = []
        self.begins_anew = ""
        self._expected_step = expected_step
        self._events = events
        self._recipe = state.run.recipe
        self._written_at = time.monotonic()
        self._written: Progress | None = None

    def resume(self) -> None:
        """Go on from the newest intact checkpoint, unless there is none, or its recipe was another.

        Raises:
            BertmtError: it does not fit this version of the program, or cannot be read now.
        """
        found = self.store.newest_intact(lambda path, why: log.warning("Checkpoint %s is passed over: %s.", path, why))
        if found is None:
            if self._expected_step is not None:
                self._begin_anew(
                    f"No checkpoint is left in {self.store.folder}, where one of step "
                    f"{self._expected_step} was written; the run starts from the beginning.{self._others()}"
                )
            return
        document = found.read_document(DOCUMENT)
        problem = self._misfit(document)
        if problem is not None:
            self._begin_anew(
                f"The checkpoint in {found.path} is not used: {problem}; the run starts from the beginning."
            )
            return
        self._restore(found, document)
        self.differences = differences(document["conditions"], conditions(self.state.run))
        step = self.state.progress.step
        self.state.tally.differences += [f"Resumed at step {step}, not bit-exact: {each}" for each in self.differences]
        self._written = replace(self.state.progress)
        self.resumed = True

    def _begin_anew(self, why: str) -> None:
        log.warning("%s", why)
        self.begins_anew = why

    def _others(self) -> str:
        others = self.store.of_others()
        if not others:
            return ""
        return (
            f" {others[-1]} holds some of another folder of this run, of which this one may be a copy: to resume from "
            f"there, rename it to {self.store.folder.name} and requeue the run."
        )

    def _misfit(self, document: Mapping[str, Any]) -> str | None:
        if document["format"] != FORMAT:
            return f"its format is {document['format']}, this bertmt reads {FORMAT}"
        if document["recipe"] != self._recipe.digest():
            return "the recipe was changed since"
        return None

    def _restore(self, found: Checkpoint, document: Mapping[str, Any]) -> None:
        try:
            self.state.restore(safetensors.torch.load(found.read(TENSORS)), document)
        except (KeyError, RuntimeError, TypeError, ValueError, SafetensorError) as problem:
            # Half of it may be restored, so nothing can be trusted any more.
            raise BertmtError(
                f"The checkpoint in {found.path} is of another version of bertmt and does not fit ({problem}): "
                f"`bertmt requeue RUN --from-start` starts over."
            ) from problem

    def after_step(self) -> None:
        """Write one where steps or minutes say so."""
        steps, minutes = self._recipe.checkpoint_steps, self._recipe.checkpoint_minutes
        due = bool(steps) and self.state.progress.step % steps == 0
        if due or (minutes and time.monotonic() - self._written_at >= 60 * minutes):
            self.write()

    def write(self) -> None:
        """Write one now unless the newest holds the run as far as it is."""
        if self._written == self.state.progress:
            return
        started = time.monotonic()
        tensors = self.state.tensors()
        size = sum(each.numel() * each.element_size() for each in tensors.values())
        about = {
            "format": FORMAT,
            "recipe": self._recipe.digest(),
            "conditions": conditions(self.state.run),
            **self.state.document(),
        }
        try:
            self._events.flush()
            self.store.write(
                {
                    TENSORS: lambda path: safetensors.torch.save_file(tensors, path),
                    DOCUMENT: lambda path: _write_json(path, about),
                },
                size,
            )
        except (NoSpaceError, OSError, SafetensorError) as problem:
            log.warning("No checkpoint was written at step %d: %s", self.state.progress.step, problem)
            return
        finally:
            # Also after a failure: a full disk is not tried again at every step.
            self._written_at = time.monotonic()
        self._written = replace(self.state.progress)
        seconds = round(time.monotonic() - started, 3)
        step, mib = self.state.progress.step, round(size / 2**20, 1)
        self._events.write(Checkpointed(at=now(), step=step, mib=mib, seconds=seconds))
        log.info("Checkpoint at step %d: %.1f MiB in %.1f s.", self.state.progress.step, size / 2**20, seconds)


def conditions(run: TrainingRun) -> dict[str, Any]:
    """What must be the same for the same bits, besides recipe, seed and data."""
    device = torch.cuda.get_device_name(run.device) if run.device.type == "cuda" else "cpu"
    return {
        "device": device,
        "precision": run.precision,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "activation_checkpointing": run.saves_memory,
        "deterministic": run.device.type == "cpu" or torch.are_deterministic_algorithms_enabled(),
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Why a run that was begun under `before` and goes on under `after` is not bit-exact, a sentence each.

    Activation checkpointing gives the same bits, and so makes no difference.
    """
    names = {"device": "device", "precision": "precision", "threads": "CPU threads", "torch": "PyTorch version"}
    changed = [key for key in names if before.get(key) != after[key]]
    found = [f"{names[key]} {after[key]} instead of {before.get(key)}." for key in changed]
    if not (before.get("deterministic") and after["deterministic"]):
        found.append("its GPU may choose other algorithms (deterministic=false).")
    return found


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    atomic_files.write_text(path, json.dumps(content, indent=1))
