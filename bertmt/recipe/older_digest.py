"""The digest of a recipe as version 0.1.0 computed it, for checkpoints that it wrote."""

import hashlib
import json

from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.settings import Role
from bertmt.tasks.builtin import BUILTIN

_NAMES = (
    "tasks", "ensembling", "super_concat", "extra_data", "pearson", "mnr", "cosine_embedding", "lora.rank",
    "lora.alpha", "lora.rslora", "lora.targets", "lora.dropout", "surgery", "schedule", "mnr_scale", "mnr_threshold",
    "cosine_positive", "cosine_negative", "pretraining_epochs", "head_dropout", "head_output_dropout", "encoder",
    "extra_data_limit", "epochs", "epoch", "epoch_steps", "batch_size", "learning_rate", "head_learning_rate",
    "weight_decay", "warmup_steps", "max_length", "select", "early_stopping", "evaluate_examples", "evaluate_every",
    "precision", "keep_model", "seed",
)  # fmt: skip
# What never was part of a digest: where data lies, and how a run is watched.
_ELSEWHERE = ("data", "extra_data_file", "evaluate_steps", "partial_examples")


def older_digest(recipe: Recipe) -> str | None:
    """A hash of every setting that version 0.1.0 had and that may change a result, those at their default too.

    Returns:
        None for a recipe that it could not have trained.
    """
    heads = [f"{task}.{leaf}" for task, about in BUILTIN.items() if about.has_head for leaf in ("layers", "hidden")]
    names = {name: name for name in _NAMES} | {f"{each.replace('.', '_head.')}": f"head.{each}" for each in heads}
    known = {*names.values(), *_ELSEWHERE, *(each for each, about in SETTINGS.items() if about.role is Role.RESILIENCE)}
    newer = [name for name, about in recipe.settings().items() if name not in known]
    if any(recipe.value(name) != SETTINGS[name].default for name in newer) or not set(recipe.tasks) <= set(BUILTIN):
        return None
    kept = {then: recipe.value(now) for then, now in names.items()}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
