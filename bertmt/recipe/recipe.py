"""A recipe: every toggle of the paper and every hyper-parameter of one run.

Defaults are the paper's baseline (section 4.1). Decisions where the paper is silent or contradicts itself are
numbered in `docs/paper.md`.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bertmt.recipe.groups import Head, Lora, group, group_by_task
from bertmt.recipe.settings import Role, Setting, Settings, setting
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks

TOGGLE, SCALE, RUNTIME, RESILIENCE = Role.TOGGLE, Role.SCALE, Role.RUNTIME, Role.RESILIENCE
_NAMES = tuple(BUILTIN)
# Similarities of the paper's thresholds are of this range; those of other tasks are mapped to it.
PAPERS_RANGE = 5.0
# How many embeddings, or combinations of two, a head reads side by side.
PAIR_PARTS = {"concat": 2, "super": 3, "difference": 3, "product": 4}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All settings of a run; `resolved()` fills the optional ones.

    Attributes:
        known: what its tasks are, and which others it could name; no part of what makes recipes equal.
    """

    known: Tasks = field(default_factory=lambda: BUILTIN, repr=False, compare=False)

    # The method: what the paper toggles.
    tasks: tuple[str, ...] = setting(_NAMES, "list", TOGGLE, "which tasks are trained", choices=_NAMES)
    ensembling: bool = setting(False, "bool", TOGGLE, "one encoder per task instead of a shared one")
    super_concat: bool = setting(False, "bool", TOGGLE, "a head reads [E1; E2; E2 − E1] of a pair")
    pair_features: str | None = setting(
        None,
        "str",
        TOGGLE,
        "what a head reads of a pair: E1, E2 (concat), E2 − E1 too (super), or |E1 − E2| (difference), and E1 · E2 "
        "(product); defaults to what super_concat says",
        choices=("concat", "super", "difference", "product"),
        optional=True,
    )
    extra_data: bool = setting(False, "bool", TOGGLE, "add the extra paraphrase pairs to the training split")
    pearson: bool = setting(False, "bool", TOGGLE, "Pearson loss instead of MSE where labels are numbers")
    pair_input: str = setting(
        "separate",
        "str",
        TOGGLE,
        "a pair is read as two inputs, as one (joint; a head predicts what a cosine did), or as both, averaged",
        choices=("separate", "joint", "both"),
    )
    number_loss: str | None = setting(
        None,
        "str",
        TOGGLE,
        "loss where labels are numbers; scaled_cosine: MSE of (1 + cosine)/2; defaults to what pearson says",
        choices=("mse", "pearson", "cosent", "scaled_cosine"),
        optional=True,
    )
    mnr: bool = setting(False, "bool", TOGGLE, "pretrain pairs whose labels are numbers with MNR")
    cosine_embedding: bool = setting(False, "bool", TOGGLE, "pretrain them with the cosine embedding loss")
    losses: tuple[str, ...] = setting(
        (), "texts", TOGGLE, "losses of your own, added to the tasks': mine.py:my_loss, or mine.py:my_loss TASK 0.5"
    )
    pooling: str = setting(
        "mean", "str", TOGGLE, "from a sentence's tokens to its embedding", choices=("mean", "cls", "max")
    )
    lora: Lora = group(Lora)
    head: Mapping[str, Head] = group_by_task(Head)
    surgery: bool = setting(True, "bool", TOGGLE, "gradient surgery (PCGrad) between the tasks")
    schedule: str = setting(
        "together",
        "str",
        TOGGLE,
        "one optimizer step for a batch of each task, or a step per task batch",
        choices=("together", "alternate"),
    )
    sampling: str = setting(
        "together",
        "str",
        TOGGLE,
        "together: by schedule; else a step is of one task, drawn by size, or ever less so (annealed)",
        choices=("together", "proportional", "annealed"),
    )
    learning_rate_schedule: str = setting(
        "constant",
        "str",
        TOGGLE,
        "after the warm-up: constant, or falling to 0 along a line or half a cosine",
        choices=("constant", "linear", "cosine"),
    )
    warmup: float = setting(
        0.0, "float", TOGGLE, "share of the steps over which the learning rate rises from 0", minimum=0, maximum=1
    )
    gradient_clip: float = setting(
        0.0, "float", TOGGLE, "longest gradient that a step applies, by its norm; 0 is no limit", minimum=0
    )

    r_drop: float = setting(
        0.0, "float", TOGGLE, "weight of what two passes with other dropouts disagree in; 0 is one pass", minimum=0
    )
    weight_average: float = setting(
        0.0,
        "float",
        TOGGLE,
        "the run's weights are the mean over this share of the steps, the last ones",
        minimum=0,
        maximum=1,
    )

    # Constants of the method.
    cosent_scale: float = setting(20.0, "float", TOGGLE, "factor on the differences of CoSENT", above=0)
    mnr_scale: float = setting(1.0, "float", TOGGLE, "factor on the cosines of MNR", above=0)
    mnr_threshold: float = setting(
        4.0, "float", TOGGLE, "minimum similarity of a pair used by MNR", minimum=0, maximum=5
    )
    cosine_positive: float = setting(
        3.5, "float", TOGGLE, "minimum similarity that the cosine embedding loss pulls together", minimum=0, maximum=5
    )
    cosine_negative: float = setting(
        1.0, "float", TOGGLE, "similarity below which it pushes apart", minimum=0, maximum=5
    )
    pretraining_epochs: int = setting(1, "int", TOGGLE, "epochs of MNR and of cosine embedding", minimum=1)
    head_dropout: float = setting(
        0.2, "float", TOGGLE, "dropout on the input and the hidden layers of a head", minimum=0, maximum=0.9
    )
    head_output_dropout: float = setting(
        0.1, "float", TOGGLE, "dropout before a head's last map", minimum=0, maximum=0.9
    )

    # The scale: encoder, data, budget.
    encoder: str = setting(
        "bert-base-uncased", "str", SCALE, "tiny, minilm, a model downloaded by `bertmt fetch`, or a local folder"
    )
    data: str = setting("", "str", SCALE, "toy, or a folder in the CS224N format")
    extra_data_file: str = setting("", "str", SCALE, "extra paraphrase pairs, .jsonl or .jsonl.gz (toy has its own)")
    extra_data_limit: int = setting(50_000, "int", SCALE, "maximum number of extra pairs", minimum=1)
    epochs: int = setting(10, "int", SCALE, "epochs of training", minimum=1)
    epoch: str = setting(
        "longest",
        "str",
        SCALE,
        "an epoch lasts until the longest task is used up; with each, used-up tasks sit out",
        choices=("longest", "each"),
    )
    epoch_steps: int = setting(0, "int", SCALE, "maximum steps per epoch; 0 is no limit", minimum=0)
    batch_size: int = setting(8, "int", SCALE, "examples per batch and task", minimum=1)
    learning_rate: float | None = setting(
        None, "float", SCALE, "of the encoder; defaults to the encoder's own (1e-5)", above=0, optional=True
    )
    head_learning_rate: float | None = setting(
        None, "float", SCALE, "of the heads; defaults to the encoder's", above=0, optional=True
    )
    weight_decay: float = setting(0.01, "float", SCALE, "AdamW's, not on biases and layer norms", minimum=0)
    warmup_steps: int = setting(0, "int", SCALE, "steps over which the learning rate rises from 0", minimum=0)
    max_length: int = setting(128, "int", SCALE, "maximum tokens per sentence", minimum=4, maximum=512)
    select: str = setting(
        "last", "str", SCALE, "which epoch's scores and weights are the run's", choices=("last", "best")
    )
    early_stopping: int = setting(
        0, "int", SCALE, "stop after this many evaluations without a better dev score; 0 is never", minimum=0
    )
    evaluate_examples: int = setting(0, "int", SCALE, "maximum dev examples per task; 0 is all", minimum=0)

    # Runtime: what does not change what is compared.
    evaluate_every: int = setting(1, "int", RUNTIME, "evaluate every N epochs (and always after the last)", minimum=1)
    evaluate_steps: int = setting(
        0, "int", RUNTIME, "partial dev scores every N steps; 0: about ten per run, in 3 % of its time", minimum=0
    )
    partial_examples: int = setting(
        100, "int", RUNTIME, "dev examples per task of partial scores; 0: no partial scores", minimum=0
    )
    precision: str = setting(
        "auto",
        "str",
        RUNTIME,
        "of the encoder; auto is bf16 where the processor is fast at it",
        choices=("auto", "fp32", "bf16"),
    )
    keep_model: bool = setting(True, "bool", RUNTIME, "keep the trained weights, not only scores and predictions")
    seed: int = setting(0, "int", RUNTIME, "seed of weights, data order and dropout", minimum=0, maximum=2**31 - 1)

    # Resilience: what makes a run survive; none of it changes what is trained.
    checkpoint_steps: int = setting(0, "int", RESILIENCE, "checkpoint every N steps; 0: by time only", minimum=0)
    checkpoint_minutes: float = setting(
        10.0, "float", RESILIENCE, "checkpoint every N minutes, besides each epoch; 0: none", minimum=0
    )
    requeue_lost: bool = setting(True, "bool", RESILIENCE, "requeue the run once if its process is lost")
    activation_checkpointing: bool = setting(
        False, "bool", RESILIENCE, "recompute activations in the backward pass: less memory, a third more time"
    )
    deterministic: bool = setting(
        False, "bool", RESILIENCE, "bit-reproducible algorithms on a GPU; on a CPU they always are"
    )

    def __post_init__(self) -> None:
        """A head with the defaults is as none, so that equal recipes are equal."""
        object.__setattr__(self, "head", {task: head for task, head in self.head.items() if head != Head()})

    def value(self, name: str) -> Any:
        """The value of a setting by its dotted name."""
        found: Any = self
        for part in name.split("."):
            found = found.get(part, Head()) if isinstance(found, Mapping) else getattr(found, part)
        return found

    def task(self, name: str) -> Task:
        """What a task is.

        Raises:
            KeyError: it is not known.
        """
        return self.known[name]

    def trained(self) -> dict[str, Task]:
        """What the tasks are that it trains, in their order."""
        return {name: self.known[name] for name in self.tasks}

    @property
    def features(self) -> str:
        """What a head reads of a pair; `super_concat` is what one of these was called before there were others."""
        return self.pair_features or ("super" if self.super_concat else "concat")

    @property
    def loss_of_numbers(self) -> str:
        """What trains tasks whose labels are numbers; `pearson` chose between two before there were others."""
        return self.number_loss or ("pearson" if self.pearson else "mse")

    def effective(self, name: str) -> Any:
        """The value of a setting; of one that is left open and that another stands for, what that one says."""
        said = {"pair_features": self.features, "number_loss": self.loss_of_numbers}
        return said[name] if name in said else self.value(name)

    def input_of(self, task: Task) -> str:
        """How the sentences of an example are read: separate, joint, or both."""
        return self.pair_input if task.pair else "separate"

    def has_head(self, task: Task) -> bool:
        """Whether a head predicts it: there is no cosine of one input."""
        return task.has_head or self.input_of(task) != "separate"

    @property
    def longest_input(self) -> int:
        """How many tokens an input can have."""
        joins = any(self.input_of(task) != "separate" for task in self.trained().values())
        return self.max_length * (2 if joins else 1)

    def head_inputs(self, task: Task, hidden: int) -> dict[str, int]:
        """The heads of a task, and how many numbers each reads.

        Of separate sentences E, of a pair as many embeddings as `features` has; of a joint input its E. What a cosine
        predicts has no head of separate sentences.
        """
        read = self.input_of(task)
        found = {}
        if read != "joint" and task.has_head:
            found["separate"] = hidden * (PAIR_PARTS[self.features] if task.pair else 1)
        if read != "separate":
            found["joint"] = hidden
        return found

    def named(self) -> dict[str, Task]:
        """What the tasks are that it trains or sets a head of: with them it can be read again."""
        names = dict.fromkeys((*self.tasks, *self._with_own_heads()))
        return {name: self.known[name] for name in names if name in self.known}

    def _with_own_heads(self) -> list[str]:
        """The tasks whose heads are not as they are by default."""
        return [name for name, head in self.head.items() if head != Head()]

    def settings(self) -> dict[str, Setting]:
        """Its settings by dotted name, in the order of declaration: heads of the tasks that it trains or sets."""
        with_heads = [name for name in self.tasks if name not in self.known or self.has_head(self.known[name])]
        return SETTINGS.of_tasks(dict.fromkeys((*with_heads, *self._with_own_heads())))

    def with_values(self, values: Mapping[str, Any]) -> "Recipe":
        """A copy with the settings named (dotted) in `values` replaced; no validation, see `rules`."""
        own: dict[str, Any] = {}
        for name, new in values.items():
            first, _, rest = name.partition(".")
            current = own.get(first, getattr(self, first))
            if isinstance(current, Mapping) and rest:
                task, _, leaf = rest.partition(".")
                changed = dict(current) | {task: dataclasses.replace(current.get(task, Head()), **{leaf: new})}
                own[first] = {name: head for name, head in changed.items() if head != Head()}
            elif rest:
                own[first] = dataclasses.replace(current, **{rest: new})
            else:
                own[first] = new
        return dataclasses.replace(self, **own)

    def flat(self) -> dict[str, Any]:
        """All values by dotted name, in the order of declaration."""
        return {name: self.value(name) for name in self.settings()}

    def toggles(self) -> dict[str, Any]:
        """The values that make the method; idle ones are left out, since they cannot make two runs differ."""
        idle = self.idle()
        return {
            name: self.value(name) for name, each in self.settings().items() if each.role is TOGGLE and name not in idle
        }

    def idle(self) -> dict[str, str]:
        """The constants and head settings that have nothing to do, given the other settings: name to reason."""
        idle: dict[str, str] = {}
        deep = False
        for task in dict.fromkeys((*self.tasks, *self.head)):
            layers, hidden, module = (f"head.{task}.{each}" for each in ("layers", "hidden", "module"))
            if task not in self.tasks:
                idle |= dict.fromkeys((layers, hidden, module), f"{task} is not trained")
            elif task in self.known and not self.has_head(self.known[task]):
                idle |= dict.fromkeys((layers, hidden, module), f"{task} is predicted by a cosine")
            elif self.value(module):
                idle |= dict.fromkeys((layers, hidden), f"{module} is set")
            elif self.value(layers) == 1:
                idle[hidden] = f"{layers} is 1"
            else:
                deep = True
        if not deep:
            idle |= dict.fromkeys(("head_dropout", "head_output_dropout"), "no head has more than one layer")
        if self.pair_input == "joint":
            idle |= dict.fromkeys(("super_concat", "pair_features"), "pair_input is joint")
        elif self.super_concat and self.features != "super":
            idle["super_concat"] = f"pair_features is {self.pair_features}"
        if self.pearson and self.loss_of_numbers != "pearson":
            idle["pearson"] = f"number_loss is {self.number_loss}"
        if self.loss_of_numbers != "cosent":
            idle["cosent_scale"] = "number_loss is not cosent"
        if not self.mnr:
            idle |= dict.fromkeys(("mnr_scale", "mnr_threshold"), "mnr is off")
        if not self.cosine_embedding:
            idle |= dict.fromkeys(("cosine_positive", "cosine_negative"), "cosine_embedding is off")
        if not self.mnr and not self.cosine_embedding:
            idle["pretraining_epochs"] = "mnr and cosine_embedding are off"
        return idle

    def scale(self) -> dict[str, Any]:
        """The values that make two runs comparable or not; the extra data's only where it is used."""
        return {
            name: self.value(name)
            for name, each in SETTINGS.items()
            if each.role is SCALE and (self.extra_data or not name.startswith("extra_data"))
        }

    def digest(self) -> str:
        """A short hash of what may change a result, without the data's location: equal digests, equal recipes.

        What has its default is left out, so that a setting that a later version adds changes no digest; so is what has
        nothing to do. Definitions count where they are not the built-in ones; of a user's own code its source, name,
        task and weight, and not where its file lay.
        """
        idle = {"data", "extra_data_file", *self.idle()}
        kept = {
            name: value
            for name, value in self.flat().items()
            if name == "tasks" or (name not in idle and _may_change_a_result(name, value))
        }
        kept = {name: _without_file(name, value) for name, value in kept.items()}
        own = {name: _method(task) for name, task in self.trained().items() if task != BUILTIN.get(name)}
        kept |= {"definitions": own} if own else {}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def _without_file(name: str, value: Any) -> Any:
    """A setting without the files of code whose source it has the digest of; see `recipe/own_code.py`."""
    if name == "losses":
        return [_without_file(".module", each) for each in value]
    if name.endswith(".module") and isinstance(value, str) and "#" in value:
        return value.rpartition(".py:")[2]
    return value


_WATCHING = ("evaluate_steps", "partial_examples")


def _may_change_a_result(name: str, value: Any) -> bool:
    return name not in _WATCHING and SETTINGS[name].role is not RESILIENCE and value != SETTINGS[name].default


def _method(task: Task) -> dict[str, Any]:
    """A definition without what a task is called and where its data lie."""
    parts = msgspec.to_builtins(task)
    return {name: part for name, part in parts.items() if name not in ("title", "data_set", "course", "source")}


# Listed are the heads of the paper's tasks.
SETTINGS = Settings(Recipe, tuple(name for name, task in BUILTIN.items() if task.has_head))
