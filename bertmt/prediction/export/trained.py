"""A run's model as it was loaded, and what of it another library has to be told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from bertmt.encoders.families import FAMILIES, Family
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.recipe.groups import Head
from bertmt.recipe.recipe import Recipe


@dataclass(frozen=True)
class Files:
    """What is to be written.

    Attributes:
        contents: by name within the folder.
        predicted_by: task to "cosine" or "head", where the folder can predict it.
        left_out: task to why it cannot, the end of a sentence.
    """

    contents: Mapping[str, bytes]
    predicted_by: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """A trained model, on the CPU and in fp32, with its tokenizer and its recipe."""

    model: MultitaskModel
    tokenizer: Tokenizer
    recipe: Recipe

    @property
    def family(self) -> Family:
        """What is particular to its encoder's kind."""
        return FAMILIES[self.model.config.model_type]

    def encoder_configuration(self, task: str) -> dict[str, Any]:
        """The config.json of a task's encoder."""
        found: dict[str, Any] = json.loads(self.model.config.to_json_string(use_diff=False))
        kept = {name: value for name, value in found.items() if not name.startswith("_")}
        plain = next(
            kind for kind in type(self.model.encoder(task)).__mro__ if kind.__module__.startswith("transformers")
        )
        return kept | {"architectures": [plain.__name__], "dtype": "float32"}

    def own_head(self, task: str) -> str:
        """The user's own head of a task, "mine.py:MyHead"; "" where it has one of ours."""
        return self.recipe.head.get(task, Head()).module.partition(" #")[0]


def linear_maps(head: nn.Module) -> list[nn.Linear]:
    """The maps of one of our heads, in their order; between them stand GELUs, and dropout."""
    return [layer for layer in head.modules() if isinstance(layer, nn.Linear)]


def to_json(document: Any) -> bytes:
    """A JSON file; texts stay as they are."""
    return (json.dumps(document, indent=1) + "\n").encode()
