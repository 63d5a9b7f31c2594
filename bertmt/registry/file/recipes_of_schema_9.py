"""Recipes of schema 8 as schema 9 has them; the migration runs this, frozen, whatever recipes become later.

Lists, comparisons and filters read stored recipes as they are: one that lacks a setting would differ from its equals of
today, which have its default.
"""

import json
from collections.abc import Mapping
from typing import Any

# Names and defaults of schema 9, in their order; those of heads stand between.
BEFORE_HEADS: Mapping[str, Any] = {
    "tasks": [], "ensembling": False, "super_concat": False, "pair_features": None,
    "extra_data": False, "pearson": False, "pair_input": "separate", "number_loss": None, "mnr": False,
    "cosine_embedding": False, "losses": [], "pooling": "mean", "lora.rank": 0, "lora.alpha": None,
    "lora.rslora": False, "lora.targets": "all-linear", "lora.dropout": 0.0,
}  # fmt: skip
AFTER_HEADS: Mapping[str, Any] = {
    "surgery": True, "schedule": "together", "sampling": "together", "learning_rate_schedule": "constant",
    "warmup": 0.0, "gradient_clip": 0.0, "r_drop": 0.0, "weight_average": 0.0, "cosent_scale": 20.0,
    "mnr_scale": 1.0, "mnr_threshold": 4.0, "cosine_positive": 3.5, "cosine_negative": 1.0, "pretraining_epochs": 1,
    "head_dropout": 0.2, "head_output_dropout": 0.1, "encoder": "bert-base-uncased", "data": "",
    "extra_data_file": "", "extra_data_limit": 50000, "epochs": 10, "epoch": "longest", "epoch_steps": 0,
    "batch_size": 8, "learning_rate": None, "head_learning_rate": None, "weight_decay": 0.01, "warmup_steps": 0,
    "max_length": 128, "select": "last", "early_stopping": 0, "evaluate_examples": 0, "evaluate_every": 1,
    "evaluate_steps": 0, "partial_examples": 100, "precision": "auto", "keep_model": True, "seed": 0,
    "checkpoint_steps": 0, "checkpoint_minutes": 10.0, "requeue_lost": True, "activation_checkpointing": False,
    "deterministic": False,
}  # fmt: skip
HEAD: Mapping[str, Any] = {"layers": 1, "hidden": 100, "module": ""}


def recipe_with_later_settings(text: Any) -> Any:
    """A stored recipe with all settings; what is none stays as it is."""
    try:
        values = json.loads(text)
        is_recipe = isinstance(values, dict) and isinstance(values.get("tasks"), list)
        return json.dumps(_with_all(values), indent=1) if is_recipe else text
    except (ValueError, TypeError, RecursionError):
        return text


def _with_all(values: dict[str, Any]) -> dict[str, Any]:
    tasks = dict.fromkeys(name.split(".")[1] for name in values if name.startswith("head."))
    heads = {f"head.{task}.{part}": default for task in tasks for part, default in HEAD.items()}
    known = {**BEFORE_HEADS, **heads, **AFTER_HEADS}
    others = {name: value for name, value in values.items() if name not in known}
    return {name: values.get(name, default) for name, default in known.items()} | others
