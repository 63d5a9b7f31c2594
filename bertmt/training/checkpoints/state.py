"""Everything that the next step depends on, as one thing that can be written down and taken up again."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from bertmt.models.guessing import build_guessing_head
from bertmt.models.multitask import MultitaskModel
from bertmt.recipe.pretraining import MLM, SINGLE, phases
from bertmt.recipe.step_plan import evaluation_count
from bertmt.training.checkpoints import random_state
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.composition import TrainingRun
from bertmt.training.selection import Selection, trained_parameters
from bertmt.training.steps.optimizer import Optimizer, build_optimizer
from bertmt.training.steps.step import Stepper
from bertmt.training.steps.tally import Tally
from bertmt.training.timing import Stopwatch
from bertmt.training.weight_average import WeightAverage

# What stands in front of the names of an encoder's weights.
_SHARED = re.compile(r"encoders\.[^.]+\.")
# Prefixes of the tensors of a checkpoint.
WEIGHT, MOMENT, BEST, MEAN, RANDOM = "weight/", "optimizer/", "best/", "mean/", "random/"


class TrainingState:
    """The parts of a run that change from step to step.

    What they do not hold is a pure function of recipe, seed and data: the frozen weights, the batches of a pass, the
    plan of steps.

    Attributes:
        progress: counters, and what phase is in progress.
        optimizer: of that phase; None before the first.
        stepper: holds the streams, each with its position, and the order of gradient surgery.
        average: the mean of the weights over the last steps.
        tally, stopwatch: what the run has used so far.
    """

    def __init__(self, run: TrainingRun, progress: Progress, stopwatch: Stopwatch):
        self.run = run
        self.progress = progress
        self.stopwatch = stopwatch
        self.stepper = Stepper(run.model, run.recipe, run.streams, run.own_losses)
        self.selection = Selection(run.recipe)
        self.average = WeightAverage(run.recipe, run.plan.steps)
        self.tally = Tally()
        self.optimizer: Optimizer | None = None
        self._resumed_phase = ""

    @property
    def model(self) -> MultitaskModel:
        return self.run.model

    def phases_left(self) -> list[str]:
        """The pretraining phases and training, from the one in progress on."""
        phases = [*self.run.pretraining, *self.run.stages]
        return phases[phases.index(self.progress.phase) :] if self.progress.phase else phases

    def enter(self, phase: str) -> Optimizer:
        """Begin a phase with a fresh optimizer, or go on with the one that was resumed in it."""
        if self.optimizer is None or phase != self._resumed_phase:
            self.leave()
            self._leave_model(self.progress.phase)
            if phase == SINGLE:
                self._part()
            self.progress.phase, self.progress.phase_step = phase, 0
            self.optimizer = self._build_optimizer(phase)
        self._resumed_phase = ""
        return self.optimizer

    def _guessed_by(self, phase: str) -> str | None:
        """The task whose encoder guesses hidden words in a phase; None in all others."""
        return next((each.task for each in phases(self.run.recipe) if (each.name, each.loss) == (phase, MLM)), None)

    def _leave_model(self, phase: str) -> None:
        task = self._guessed_by(phase)
        if task:
            self.model.guess_words(task, None)

    def _part(self) -> None:
        """Give each task its own copy of the encoder, in the weights that are kept too."""
        kept = dict(zip(_trained(self.model), self.selection.weights, strict=False))
        self.optimizer = None
        self.model.part()
        if kept:
            own = [_SHARED.sub("encoders.shared.", name, count=1) for name in _trained(self.model)]
            self.selection.weights = [kept[name].clone() for name in own]
        self.selection.without_gain = 0
        self.stepper.forget_encoders()

    def leave(self) -> None:
        """End the phase in progress: all weights are up to date from here on."""
        if self.optimizer is not None:
            self.optimizer.finish()

    def look_at_weights(self) -> None:
        """Take the weights after a step of the last stage into the mean, where they count."""
        if self.progress.phase != self.run.stages[-1]:
            return
        if self.optimizer is not None and self.average.is_due(self.progress.phase_step):
            with self.optimizer.current():
                self.average.add(self.model)

    def current_weights(self) -> AbstractContextManager[None]:
        """A scope with the weights that the run would have if it ended now, to evaluate or keep them.

        They are up to date, or their mean once there is one.
        """
        if self.average.weights:
            return self.average.instead(self.model)
        return nullcontext() if self.optimizer is None else self.optimizer.current()

    def _build_optimizer(self, phase: str) -> Optimizer:
        # Pretraining trains exactly the encoder weights that the run trains for the phase's task: with LoRA its
        # matrices, with ensembling those of its own encoder (decision 21).
        recipe = self.run.recipe
        task = self._guessed_by(phase)
        if task and not self.model.guessing:
            head = build_guessing_head(
                self.model.packed[self.model.encoder_name(task)].encoder, recipe.encoder, recipe.seed
            )
            self.model.guess_words(task, head)
        pretrained = {each.name: [each.task] for each in phases(recipe)}
        return build_optimizer(self.model, pretrained.get(phase, recipe.tasks), recipe)

    def batches_done(self) -> int:
        """Task batches so far, pretraining included."""
        left = self.phases_left()
        of_phase = {**self.run.pretraining, **dict.fromkeys(self.run.stages, self.run.plan.batches)}
        before = sum(batches for phase, batches in of_phase.items() if phase not in left)
        phase, steps = self.progress.phase, self.progress.phase_step
        return before + (self.run.plan.batches_in(steps) if phase in self.run.stages else steps)

    def evaluations_done(self) -> int:
        """Evaluations so far, the one before any training included."""
        epoch = self.progress.evaluated_epoch
        return 0 if epoch < 0 else 1 if epoch == 0 else evaluation_count(self.run.recipe, epoch)

    def tensors(self) -> dict[str, Tensor]:
        """Weights that train, the optimizer's moments, the best epoch's weights, and random states; on the CPU."""
        found: dict[str, Tensor] = {f"{WEIGHT}{name}": each for name, each in _trained(self.model).items()}
        if self.optimizer is not None:
            found |= {f"{MOMENT}{name}": value for name, value in self.optimizer.tensors().items()}
        found |= {f"{BEST}{index}": each for index, each in enumerate(self.selection.weights)}
        found |= {f"{MEAN}{index}": each for index, each in enumerate(self.average.weights)}
        states = random_state.capture(self.run.device, self.stepper.surgery_order)
        found |= {f"{RANDOM}{name}": each for name, each in states.items()}
        return {name: each.detach().cpu().contiguous() for name, each in found.items()}

    def document(self) -> dict[str, Any]:
        """The rest, for JSON."""
        return {
            "progress": asdict(self.progress),
            "streams": {name: stream.position for name, stream in self.run.streams.items()},
            "selection": self.selection.state(),
            "tally": self.tally.state(),
            "looks": self.average.looks,
            "seconds": self.stopwatch.seconds,
        }

    def restore(self, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
        """Go on from what `tensors` and `document` were.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: they belong to another recipe or another version.
        """
        for name, value in document["progress"].items():
            setattr(self.progress, name, value)
        phase = self._resumed_phase = self.progress.phase
        if phase == SINGLE:
            self._part()
        if phase:
            self.optimizer = self._build_optimizer(phase)
        with torch.no_grad():
            for name, parameter in _trained(self.model).items():
                parameter.copy_(tensors[f"{WEIGHT}{name}"])
        if self.optimizer is not None:
            moments = {name.removeprefix(MOMENT): each for name, each in tensors.items() if name.startswith(MOMENT)}
            self.optimizer.restore(moments)
        for name, position in document["streams"].items():
            self.run.streams[name].go_to(*position)
        self.selection.restore_state(document["selection"], self._weights(tensors, BEST))
        self.average.looks, self.average.weights = document.get("looks", 0), self._weights(tensors, MEAN)
        self.tally.restore_state(document["tally"])
        self.stopwatch.seconds = dict(document["seconds"])
        states = {name.removeprefix(RANDOM): each for name, each in tensors.items() if name.startswith(RANDOM)}
        random_state.restore(states, self.run.device, self.stepper.surgery_order)

    def _weights(self, tensors: Mapping[str, Tensor], prefix: str) -> list[Tensor]:
        """Of all parameters that train, in their order; none where a checkpoint has none."""
        found = [tensors[f"{prefix}{index}"] for index in range(sum(name.startswith(prefix) for name in tensors))]
        if found and len(found) != len(trained_parameters(self.model)):
            raise ValueError(f"its weights {prefix} are not those of this model")
        return [each.to(self.run.device) for each in found]


def _trained(model: MultitaskModel) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
