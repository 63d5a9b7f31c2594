"""Putting a training run together from its folder: data, encoder, model, batches."""

import logging
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import torch

from bertmt.errors import BertmtError, DataError
from bertmt.models.encoder import load_encoder
from bertmt.models.guessing import mask_id
from bertmt.models.multitask import MultitaskModel
from bertmt.models.precision import DTYPES, Precision, choose_precision
from bertmt.models.tokenizing import Tokenizer, load_tokenizer
from bertmt.own_code.loading import OwnLosses, load_heads
from bertmt.recipe.pretraining import MLM, MNR, SINGLE, Phase, epochs_of, label_of, phases, training_stages
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved
from bertmt.recipe.step_plan import StepPlan, capped, plan_steps
from bertmt.run_folder.events import Started, now
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.processes import process_start
from bertmt.training.evaluation import Evaluator, PredictedSplits
from bertmt.training.partial_evaluation import PartialEvaluator, interval, parts_of
from bertmt.training.run_data import RunData, read_run_data
from bertmt.training.run_encoder import refuse_changed_encoder
from bertmt.training.steps.batches import BatchStream, bucketed_order, distinct_order
from bertmt.training.steps.masked_batches import MaskedStream, Sentences
from bertmt.training.steps.tokenised import TokenisedSplit
from bertmt.training.stopping import StopFlag
from bertmt.version import __version__

log = logging.getLogger(__name__)
PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """Everything that the loop works with.

    Attributes:
        streams: training batches by task, and by pretraining phase.
        pretraining: steps by phase, in the order in which they are trained.
        plan: the steps of a stage of training.
        stages: the phases of training, each as long as the plan.
        saves_memory: activations are computed anew in the backward pass.
        keeps_checkpoints: they stay when the run has finished, and the last one holds its end.
        pause_after: the epoch after which it pauses; 0: it does not.
        data: examples, for their sizes.
    """

    folder: RunFolder
    recipe: Recipe
    device: torch.device
    precision: Precision
    data: RunData
    tokenizer: Tokenizer
    model: MultitaskModel
    streams: Mapping[str, BatchStream]
    pretraining: Mapping[str, int]
    plan: StepPlan
    stages: tuple[str, ...]
    evaluator: Evaluator
    partial: PartialEvaluator
    own_losses: OwnLosses
    saves_memory: bool
    keeps_checkpoints: bool
    pause_after: int

    @property
    def steps_total(self) -> int:
        """Optimizer steps, pretraining included."""
        return sum(self.pretraining.values()) + self.plan.steps * len(self.stages)

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return self.plan.epochs * len(self.stages)

    def description(self, attempt: int, resumes: bool, begins_anew: str) -> Started:
        """The first event of an attempt, of this process."""
        task_batches = {task: self.streams[task].batches_per_pass for task in self.recipe.tasks}
        parameters = list(self.model.parameters())
        pid = os.getpid()
        return Started(
            at=now(),
            attempt=attempt,
            pid=pid,
            process_start=process_start(pid),
            resumes=resumes,
            device=str(self.device),
            precision=self.precision,
            threads=torch.get_num_threads(),
            steps_total=self.steps_total,
            epochs_total=self.epochs,
            versions=versions(self.recipe),
            split_sizes=self.data.sizes,
            passes_per_epoch={
                task: round(passes, 4) for task, passes in self.plan.passes_per_epoch(task_batches).items()
            },
            pretraining={
                phase: {"pairs": self.streams[phase].examples, "steps": steps}
                for phase, steps in self.pretraining.items()
            },
            trainable_parameters=sum(each.numel() for each in parameters if each.requires_grad),
            total_parameters=sum(each.numel() for each in parameters),
            activation_checkpointing=self.saves_memory,
            begins_anew=begins_anew,
        )


def compose(folder: RunFolder, order: RunOrder, recipe: Recipe, stop: StopFlag) -> TrainingRun:
    """Read, build and check everything that training needs.

    Args:
        recipe: as stored with the run.
        stop: looked at between the stages and while sentences are tokenised.

    Raises:
        BertmtError: data or encoder are missing, changed or unusable, or the device is not there.
        StoppedError: somebody asked.
    """
    recipe = resolved(recipe)
    device = _device(order)
    data = read_run_data(order, recipe)
    stop.check()
    tokenizer = load_tokenizer(recipe.encoder, recipe.max_length)
    stop.check()
    own_heads, own_losses = load_heads(recipe, folder.code), OwnLosses(recipe, folder.code)
    stages = training_stages(recipe)
    model = MultitaskModel(recipe, lambda: load_encoder(recipe.encoder), own_heads, together=SINGLE in stages).to(
        device
    )
    refuse_changed_encoder(order, recipe)  # once it is loaded: it must not have been exchanged meanwhile either
    precision = choose_precision(recipe.precision, device, model.config.hidden_size)
    model.encoder_dtype = DTYPES[precision]
    saves_memory = order.saves_memory or recipe.activation_checkpointing
    if saves_memory:
        model.recompute_activations()
    stop.check()
    streams = _streams(recipe, data, tokenizer, model, device, stop)
    dev = PredictedSplits(model, tokenizer, recipe, folder, data.dev, stop.check)
    plan = plan_steps(recipe, {task: streams[task].batches_per_pass for task in recipe.tasks})
    pretraining = {phase.name: _pretraining_steps(recipe, phase, streams[phase.name]) for phase in phases(recipe)}
    before = sum(pretraining.values())
    parts = parts_of(data.dev, recipe.partial_examples)
    trained = (before + plan.batches * len(stages)) * recipe.batch_size
    predicted = sum(len(part.examples) for part in parts.values())
    every = interval(recipe, before + plan.steps * len(stages), trained, predicted)
    partly = PredictedSplits(model, tokenizer, recipe, folder, parts if every else {}, stop.check)
    return TrainingRun(
        folder=folder, recipe=recipe, device=device, precision=precision, data=data, tokenizer=tokenizer, model=model,
        streams=streams, pretraining=pretraining, plan=plan, stages=stages, evaluator=Evaluator(recipe, dev),
        partial=PartialEvaluator(recipe, every, partly),
        own_losses=own_losses, saves_memory=saves_memory, keeps_checkpoints=order.keeps_checkpoints,
        pause_after=order.pause_after,
    )  # fmt: skip


def versions(recipe: Recipe) -> dict[str, str]:
    """Versions of what computes the numbers."""
    packages = PACKAGES + (("peft",) if recipe.lora.rank else ())
    return {
        "bertmt": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _device(order: RunOrder) -> torch.device:
    if order.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise BertmtError(
            f"The run was assigned the device {order.device}, but PyTorch {torch.__version__} finds no CUDA device; "
            f"`bertmt doctor` shows which devices work."
        )
    # The process sees this one device alone, see `__main__`.
    return torch.device("cuda", 0)


def _streams(
    recipe: Recipe, data: RunData, tokenizer: Tokenizer, model: MultitaskModel, device: torch.device, stop: StopFlag
) -> dict[str, BatchStream]:
    """A stream for each task, and one of pairs for each pretraining phase, in the order of training."""
    size, seed = recipe.batch_size, recipe.seed
    streams = {}
    for task, split in data.train.items():
        tokenised = TokenisedSplit(split, tokenizer, stop.check)
        lengths = tokenised.lengths if model.inputs[task] == "separate" else tokenised.joint_lengths
        order = bucketed_order(lengths, tokenised.rows(), size, seed, task)
        streams[task] = BatchStream(tokenised, order, device, partial(model.tokens, task))
    for phase in phases(recipe):
        if phase.loss == MLM:
            sentences = Sentences([streams[task].data for task in phase.reads])
            words, mask = tokenizer.vocabulary_size, mask_id(tokenizer, recipe.encoder)
            streams[phase.name] = MaskedStream(sentences, size, seed, phase.name, device, words, mask)
            continue
        pairs, about = streams[phase.task].data, recipe.task(phase.task)
        if phase.loss == MNR:
            least = label_of(recipe.mnr_threshold, about)
            rows = pairs.rows(pairs.labels >= least)
            order = distinct_order(pairs.sentence_keys(), rows, size, seed, phase.name)
            needed = f"two different {about.title} pairs with a similarity of at least {least:g}"
        else:
            near, far = (label_of(each, about) for each in (recipe.cosine_positive, recipe.cosine_negative))
            rows = pairs.rows((pairs.labels >= near) | (pairs.labels < far))
            order = bucketed_order(pairs.lengths, rows, size, seed, phase.name)
            needed = f"a pair of {about.title} with a similarity of at least {near:g} or below {far:g}"
        _refuse_empty(order(0), phase.loss, needed)
        streams[phase.name] = BatchStream(pairs, order, device)
    return streams


def _refuse_empty(batches: Sequence[object], loss: str, needed: str) -> None:
    if not batches:
        raise DataError(f"`{loss}` needs {needed}, but the training split has none: use --set {loss}=false.")


def _pretraining_steps(recipe: Recipe, phase: Phase, stream: BatchStream) -> int:
    """Steps of a phase; the cap on an epoch holds here too (decision 6)."""
    per_pass = (stream.batches_in_pass(index) for index in range(epochs_of(recipe, phase)))
    return sum(capped(recipe, batches) for batches in per_pass)
