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

from bertmt.recipe.all_settings import AllSettings
from bertmt.recipe.groups import Head
from bertmt.recipe.settings import Role, Setting, Settings
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task, Tasks

TOGGLE, SCALE, RESILIENCE = Role.TOGGLE, Role.SCALE, Role.RESILIENCE
# Similarities of the paper's thresholds are of this range; those of other tasks are mapped to it.
PAPERS_RANGE = 5.0
# How many embeddings, or combinations of two, a head reads side by side.
PAIR_PARTS = {"concat": 2, "super": 3, "difference": 3, "product": 4}


@dataclass(frozen=True, kw_only=True)
class Recipe(AllSettings):
    """All settings of a run; `resolved()` fills the optional ones.

    Attributes:
        known: what its tasks are, and which others it could name; no part of what makes recipes equal.
    """

    known: Tasks = field(default_factory=lambda: BUILTIN, repr=False, compare=False)

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

    @property
    def trains_apart(self) -> bool:
        """Whether each task has an encoder of its own, if only at the end."""
        return len(self.tasks) > 1 and (self.ensembling or "single" in self.stages)

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
        if not (self.mnr and self.cosine_embedding):
            idle["pretraining_order"] = "mnr and cosine_embedding are not both on"
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
