"""The digest of a recipe as versions until 0.1 took it: checkpoints of runs that were paused then are known by it."""

import hashlib
import json
import re

from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.settings import Role

_HEAD = re.compile(r"head\.(\w+)\.(\w+)")


def older_digest(recipe: Recipe) -> str | None:
    """Of all values, heads by the names of then; None for a recipe that no such version could train."""
    if recipe.sampling != SETTINGS["sampling"].default or not set(recipe.tasks) <= set(SETTINGS["tasks"].default):
        return None
    kept = {
        _HEAD.sub(r"\1_head.\2", name): recipe.value(name)
        for name, setting in SETTINGS.items()
        if setting.role is not Role.RESILIENCE and name not in ("data", "extra_data_file", "sampling")
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
