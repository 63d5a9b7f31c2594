"""The digest of a recipe as version 0.1.0 computed it, for checkpoints that it wrote."""

import hashlib
import json

from bertmt.recipe.recipe import Recipe
from bertmt.tasks.builtin import BUILTIN

_NAMES = (
    "tasks", "ensembling", "super_concat", "extra_data", "pearson", "mnr", "cosine_embedding", "lora.rank",
    "lora.alpha", "lora.rslora", "lora.targets", "lora.dropout", "surgery", "schedule", "mnr_scale", "mnr_threshold",
    "cosine_positive", "cosine_negative", "pretraining_epochs", "head_dropout", "head_output_dropout", "encoder",
    "extra_data_limit", "epochs", "epoch", "epoch_steps", "batch_size", "learning_rate", "head_learning_rate",
    "weight_decay", "warmup_steps", "max_length", "select", "early_stopping", "evaluate_examples", "evaluate_every",
    "precision", "keep_model", "seed",
)  # fmt: skip


def older_digest(recipe: Recipe) -> str:
    """A hash of every setting that version 0.1.0 had and that may change a result, those at their default too."""
    kept = {name: recipe.value(name) for name in _NAMES}
    for task in (name for name, about in BUILTIN.items() if about.has_head):
        kept |= {f"{task}_head.{leaf}": recipe.value(f"head.{task}.{leaf}") for leaf in ("layers", "hidden")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
