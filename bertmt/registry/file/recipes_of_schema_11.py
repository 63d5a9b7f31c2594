"""Recipes of schema 11 as the next one has them: with the order of pretraining; frozen as those of schema 9."""

import json
from typing import Any


def recipe_with_order(text: Any) -> Any:
    """A stored recipe with the setting that came since, behind the one that stands before it; what is none stays."""
    try:
        values = json.loads(text)
        if not isinstance(values, dict) or not isinstance(values.get("tasks"), list) or "pretraining_order" in values:
            return text
        found: dict[str, Any] = {}
        for name, value in values.items():
            found[name] = value
            if name == "pretraining_epochs":
                found["pretraining_order"] = "mnr_first"
        return json.dumps(found, indent=1)
    except (ValueError, TypeError, RecursionError):
        return text
