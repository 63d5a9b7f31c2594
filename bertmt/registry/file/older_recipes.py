"""Recipes of schema 6 as schema 7 has them; the migration runs this, frozen, whatever recipes become later."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

# Names and defaults of schema 7, in their order; those of heads stand after the adapters.
BEFORE_HEADS: Mapping[str, Any] = {
    "tasks": ["sst", "para", "sts"], "ensembling": False, "super_concat": False, "extra_data": False, "pearson": False,
    "mnr": False, "cosine_embedding": False, "lora.rank": 0, "lora.alpha": None, "lora.rslora": False,
    "lora.targets": "all-linear", "lora.dropout": 0.0,
}  # fmt: skip
AFTER_HEADS: Mapping[str, Any] = {
    "surgery": True, "schedule": "together", "sampling": "together", "mnr_scale": 1.0, "mnr_threshold": 4.0,
    "cosine_positive": 3.5, "cosine_negative": 1.0, "pretraining_epochs": 1, "head_dropout": 0.2,
    "head_output_dropout": 0.1, "encoder": "bert-base-uncased", "data": "", "extra_data_file": "",
    "extra_data_limit": 50_000, "epochs": 10, "epoch": "longest", "epoch_steps": 0, "batch_size": 8,
    "learning_rate": None, "head_learning_rate": None, "weight_decay": 0.01, "warmup_steps": 0, "max_length": 128,
    "select": "last", "early_stopping": 0, "evaluate_examples": 0, "evaluate_every": 1, "precision": "auto",
    "keep_model": True, "seed": 0, "checkpoint_steps": 0, "checkpoint_minutes": 10.0, "requeue_lost": True,
    "activation_checkpointing": False, "deterministic": False,
}  # fmt: skip
HEAD = {"layers": 1, "hidden": 100}
WITH_HEADS = ("sst", "para")
NO_PART_IN_A_DIGEST = {
    "data", "extra_data_file",
    "checkpoint_steps", "checkpoint_minutes", "requeue_lost", "activation_checkpointing", "deterministic",
}  # fmt: skip
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def present_recipe(text: Any) -> Any:
    """A stored recipe with all settings by their present names; what is none stays as it is.

    The settings of a head are named after its task (`sst_head.layers` became `head.sst.layers`), and left out where
    the task is not trained and they say nothing.
    """
    try:
        return json.dumps(_with_all_settings(json.loads(text)), indent=1)
    except UNREADABLE:
        return text


def present_digest(text: Any, digest: Any) -> Any:
    """The digest of a recipe that `present_recipe` made: of what may change a result, has something to do, and
    is not as it is by default."""
    try:
        values = json.loads(text)
        if not isinstance(values["tasks"], list):
            return digest
        idle = _idle(values)
        counting = {name: value for name, value in values.items() if name not in idle and _counts(name, value)}
        kept = {**counting, "tasks": values["tasks"]}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
    except UNREADABLE:
        return digest


def _idle(values: dict[str, Any]) -> set[str]:
    """The settings that have nothing to do, given the others."""
    idle: set[str] = set()
    deep = False
    for task in WITH_HEADS:
        layers, hidden = f"head.{task}.layers", f"head.{task}.hidden"
        is_deep = task in values["tasks"] and values.get(layers, 1) > 1
        deep = deep or is_deep
        idle |= {layers} if task not in values["tasks"] else set()
        idle |= {hidden} if not is_deep else set()
    idle |= set() if deep else {"head_dropout", "head_output_dropout"}
    idle |= set() if values["mnr"] else {"mnr_scale", "mnr_threshold"}
    idle |= set() if values["cosine_embedding"] else {"cosine_positive", "cosine_negative"}
    return idle if values["mnr"] or values["cosine_embedding"] else idle | {"pretraining_epochs"}


def _with_all_settings(stored: dict[str, Any]) -> dict[str, Any]:
    left = dict(stored)
    before = {name: left.pop(name, default) for name, default in BEFORE_HEADS.items()}
    heads: dict[str, Any] = {}
    trained = [task for task in before["tasks"] if task in WITH_HEADS]
    for task in dict.fromkeys((*trained, *WITH_HEADS)):
        head = {leaf: left.pop(f"{task}_head.{leaf}", default) for leaf, default in HEAD.items()}
        if task in trained or head != HEAD:
            heads |= {f"head.{task}.{leaf}": value for leaf, value in head.items()}
    after = {name: left.pop(name, default) for name, default in AFTER_HEADS.items()}
    return {**before, **heads, **after, **left}


def _counts(name: str, value: Any) -> bool:
    if name in NO_PART_IN_A_DIGEST:
        return False
    default = HEAD[name.rpartition(".")[2]] if name.startswith("head.") else {**BEFORE_HEADS, **AFTER_HEADS}.get(name)
    return bool(value != default)


def scores_as_json(*scores: Any) -> str:
    """Scores of the three tasks, which had columns of their own, by task; what is no number is left out."""
    numbers = {name: score for name, score in zip(("sst", "para", "sts"), scores, strict=True) if _is_number(score)}
    return json.dumps(numbers)


def _is_number(score: Any) -> bool:
    return isinstance(score, (int, float)) and math.isfinite(score)
