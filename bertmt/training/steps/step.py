"""One optimizer step: a batch of each task that takes part, gradients, surgery, AdamW."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from bertmt.models.multitask import MultitaskModel
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.packed.task_gradients import TaskGradients
from bertmt.own_code.loading import OwnLosses
from bertmt.recipe.recipe import Recipe
from bertmt.training.seeding import surgery_generator
from bertmt.training.steps.batches import Batch, BatchStream
from bertmt.training.steps.gradient_surgery import Surgery, project_conflicts
from bertmt.training.steps.masked_batches import MaskedBatch
from bertmt.training.steps.objectives import Objective, guessed, objective, pooling_of, task_of
from bertmt.training.steps.optimizer import Optimizer


@dataclass(frozen=True)
class StepResult:
    """What a step did.

    Attributes:
        batches: by task or pretraining phase.
        losses: the same; of the weights before the step.
        defined: whether the batch has a loss; an undefined Pearson loss is 0.
        gradient_norm: of all gradients together, after surgery and before they are clipped.
        surgery: None where fewer than two tasks' gradients met.
    """

    batches: Mapping[str, Batch]
    losses: Mapping[str, float]
    defined: Mapping[str, bool]
    gradient_norm: float
    surgery: Surgery | None


class Stepper:
    """Takes steps on a model.

    Its state is the position of each stream and of `surgery_order`; weights and moments belong to model and optimizer.
    """

    def __init__(
        self,
        model: MultitaskModel,
        recipe: Recipe,
        streams: Mapping[str, BatchStream],
        own: OwnLosses | None = None,
    ):
        self.model = model
        self.recipe = recipe
        self.streams = streams
        self.own = own
        self.surgery_order = surgery_generator(recipe.seed)
        self._gradients: dict[str, TaskGradients] = {}
        self._device = next(model.parameters()).device

    @property
    def _keeps_apart(self) -> bool:
        return self.recipe.surgery and not self.model.separate

    def forget_encoders(self) -> None:
        """The model has others now."""
        self._gradients.clear()

    def take(self, names: Sequence[str], optimizer: Optimizer) -> StepResult:
        """One step on the next batch of each of these tasks, or of one pretraining phase.

        The sum of the tasks' losses is minimised; their gradients of shared parameters go through surgery.
        """
        batches = {name: self.streams[name].next() for name in names}
        [first, *_] = batches.values()
        if isinstance(first, MaskedBatch):
            found = guessed(self.model, self.recipe, names[0], first.tokens, first.goals)
            found.loss.backward()
            return self._apply(batches, {names[0]: found}, None, optimizer)
        by_task = {task_of(self.recipe, name): self._read(name, batch) for name, batch in batches.items()}
        passes = self.model.passes(by_task, apart=self._keeps_apart)
        for encoder, current in passes.items():
            table = self.model.packed[encoder].words
            if table is not None:
                optimizer.refresh(table, current.words[0])
        gradients = {encoder: self._room(encoder) for encoder in passes}
        embeddings = self.model.embed_passes(passes, pooling_of(self.recipe, names[0]), gradients)
        objectives = {
            name: objective(self.model, self.recipe, name, batch.labels, embeddings[task], self.own)
            for (name, batch), task in zip(batches.items(), by_task, strict=True)
        }
        surgery = self._backward(list(objectives.values()), gradients)
        return self._apply(batches, objectives, surgery, optimizer)

    def _apply(
        self,
        batches: Mapping[str, Batch],
        objectives: Mapping[str, Objective],
        surgery: Surgery | None,
        optimizer: Optimizer,
    ) -> StepResult:
        """Step with the gradients that are there, and tell."""
        # Of no gradients at all (an undefined Pearson loss of a task alone) it is a zero on the CPU.
        norm = torch.nn.utils.get_total_norm(optimizer.gradients()).to(self._device)
        if self.recipe.gradient_clip:
            optimizer.clip(norm, self.recipe.gradient_clip)
        optimizer.step()
        # One transfer from the device per step: everything before it only queues work on a GPU.
        *losses, gradient_norm = torch.stack([*(each.loss.detach() for each in objectives.values()), norm]).tolist()
        defined = {name: each.defined for name, each in objectives.items()}
        return StepResult(batches, dict(zip(batches, losses, strict=True)), defined, gradient_norm, surgery)

    def _read(self, name: str, batch: Batch) -> TokenBatch:
        """What the encoder reads of a batch; with R-Drop a task's twice, since each token has a dropout of its own."""
        twice = self.recipe.r_drop and name in self.recipe.tasks
        return batch.tokens + batch.tokens if twice else batch.tokens

    def _room(self, encoder: str) -> TaskGradients:
        """Where an encoder's gradients go; the same memory at each step, for as many tasks as ever meet."""
        if encoder not in self._gradients:
            most = len(self.recipe.tasks) if self._keeps_apart else 1
            self._gradients[encoder] = self.model.packed[encoder].task_gradients(most)
        return self._gradients[encoder]

    def _backward(self, objectives: Sequence[Objective], gradients: Mapping[str, TaskGradients]) -> Surgery | None:
        """Leave in `.grad` what the optimizer is to apply; one backward pass for all tasks."""
        defined = [index for index, each in enumerate(objectives) if each.defined]
        if not defined:
            return None
        torch.stack([objectives[index].loss for index in defined]).sum().backward()
        surgery = None
        for each in gradients.values():
            if not each.reached:
                continue
            by_task = each.of_tasks()
            met = defined if len(by_task) > 1 else [0]
            if len(met) > 1:
                surgery = project_conflicts([by_task[index] for index in met], self.surgery_order)
            each.assign(met[0])
        return surgery
