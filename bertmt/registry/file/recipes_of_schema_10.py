"""Recipes of schema 9 as schema 10 has them: averages, stages and hidden words; frozen as those of schema 9."""

import json
from collections.abc import Callable
from typing import Any

# Name and default, and the setting that it stands before.
ADDED = {"mnr": ("mlm_epochs", 0), "sampling": ("stages", ["multitask"]), "cosent_scale": ("members", [])}


def recipe_with_stages(text: Any) -> Any:
    """A stored recipe with the settings that came since; what is none stays as it is."""
    try:
        values = json.loads(text)
        if not isinstance(values, dict) or not isinstance(values.get("tasks"), list):
            return text
        found: dict[str, Any] = {}
        for name, value in values.items():
            added, default = ADDED.get(name, (None, None))
            if added is not None and added not in values:
                found[added] = default
            found[name] = value
        return json.dumps(found, indent=1)
    except (ValueError, TypeError, RecursionError):
        return text


def rewrite_recipes(connection: Any, recipe_of: Callable[[Any], Any]) -> None:
    """Put another text in the place of each stored recipe."""
    connection.create_function("recipe_of", 1, recipe_of)
    connection.execute("UPDATE runs SET recipe = recipe_of(recipe) WHERE recipe != recipe_of(recipe)")
    connection.create_function("recipe_of", 1, None)
