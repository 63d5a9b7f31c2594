"""What a run can be filtered by: its own fields, every recipe key, and short names for both."""

from collections.abc import Iterable, Mapping
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
    "overall": "float",
    "epoch": "int",
    "step": "int",
    "device": "str",
}
# What a list of runs has besides; no field has the name of another.
LIST_FIELDS: dict[str, str] = {
    "difference": "float",
    "progress": "float",
    "attempt": "int",
    "failure": "str",
    "position": "float",
    "submitted_at": "str",
    "started_at": "str",
    "ended_at": "str",
    "kwh": "float",
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
# A task is a field too, and a key of documents and curves: no task may have the name of another thing there. Settings
# of recipes are named here, as this package knows no recipes.
_SETTINGS = """
    tasks members stages losses ensembling super_concat pair_features extra_data pearson pair_input number_loss pooling
    mlm_epochs mnr cosine_embedding lora head surgery schedule sampling learning_rate_schedule warmup gradient_clip
    r_drop weight_average cosent_scale mnr_scale mnr_threshold cosine_positive cosine_negative pretraining_epochs
    pretraining_order head_dropout head_output_dropout encoder data extra_data_file extra_data_limit epochs epoch
    epoch_steps batch_size learning_rate head_learning_rate weight_decay warmup_steps max_length select
    early_stopping evaluate_examples evaluate_steps partial_examples evaluate_every precision keep_model seed
    checkpoint_steps checkpoint_minutes requeue_lost activation_checkpointing deterministic
"""
_KEYS = """
    all epochs extra mean mnr shared train dev test partial loss dev_loss similarity seconds scores metrics baseline
    steps_done selected_epoch recipe run
"""
RESERVED_TASK_NAMES = frozenset({*RUN_FIELDS, *LIST_FIELDS, *ALIASES, *_SETTINGS.split(), *_KEYS.split()})


def with_recipe(run: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A run's fields and its recipe's in one mapping, for kinds and for values alike.

    A recipe key that is also a field of the run (`epoch`) is found under `recipe.epoch`.
    """
    shadowed = {RECIPE_PREFIX + name: recipe[name] for name in recipe if name in run and name != "seed"}
    return {**recipe, **shadowed, **run}


def known_fields(recipe_kinds: Mapping[str, str], tasks: Iterable[str]) -> dict[str, str]:
    """All fields of a run in a list with their kinds.

    Args:
        recipe_kinds: each recipe key to its kind.
        tasks: whose scores are fields.
    """
    return with_recipe({**dict.fromkeys(tasks, "float"), **RUN_FIELDS, **LIST_FIELDS}, recipe_kinds)


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
