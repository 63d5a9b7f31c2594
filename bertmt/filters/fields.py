"""What a run can be filtered by: its own fields, every recipe key, and short names for both."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

# Kinds are the words of `bertmt.recipe.settings.Kind`, so that recipe settings pass as they are.
RUN_FIELDS: dict[str, str] = {
    "id": "str",
    "name": "str",
    "preset": "str",
    "state": "str",
    "tags": "list",
    "note": "str",
    "seed": "int",
    "sst": "float",
    "para": "float",
    "sts": "float",
    "overall": "float",
    "epoch": "int",
    "step": "int",
    "device": "str",
}
ALIASES: dict[str, str] = {
    "lora": "lora.rank",
    "lr": "learning_rate",
    "tag": "tags",
    "batch": "batch_size",
    "task": "tasks",
    "notes": "note",
}
RECIPE_PREFIX = "recipe."
# What stands beside the scores of tasks in filters, curves and documents.
RESERVED_TASK_NAMES = frozenset(
    {*RUN_FIELDS, *ALIASES, "all", "epochs", "extra", "loss", "mean", "mnr", "seconds", "shared", "similarity"}
)


def with_recipe(run: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A run's fields and its recipe's in one mapping, for kinds and for values alike.

    A recipe key that is also a field of the run (`epoch`) is found under `recipe.epoch`.
    """
    shadowed = {RECIPE_PREFIX + name: recipe[name] for name in recipe if name in run and name != "seed"}
    return {**recipe, **shadowed, **run}


def known_fields(recipe_kinds: Mapping[str, str]) -> dict[str, str]:
    """All fields of a run with their kinds; `recipe_kinds` maps each recipe key to its kind."""
    return with_recipe(RUN_FIELDS, recipe_kinds)


def find_fields(word: str, fields: Mapping[str, str]) -> list[str]:
    """The fields that a word may mean: the one of that name or alias, or all recipe keys that end in it (`rank`)."""
    word = word.lower()
    if word in fields:
        return [word]
    if ALIASES.get(word) in fields:
        return [ALIASES[word]]
    return [name for name in fields if name.rpartition(".")[2] == word and not name.startswith(RECIPE_PREFIX)]


def nearest_field(word: str, fields: Mapping[str, str]) -> str | None:
    """The name or alias that a misspelt word is nearest to."""
    names = [*fields, *(alias for alias, name in ALIASES.items() if name in fields)]
    leaves = {name.rpartition(".")[2]: name for name in fields}
    near = get_close_matches(word.lower(), [*names, *leaves], n=1, cutoff=0.5)
    return leaves.get(near[0], near[0]) if near else None
