"""What a form for new runs may name: tasks and presets, built in or a user's own beside the registry.

Stand-in until `services/plan/known_tasks.py` and `preset_list.py` are there: then each function hands `folder` on.
"""

from collections.abc import Mapping
from pathlib import Path

from bertmt.recipe.loading import Preset
from bertmt.recipe.recipe import Recipe
from bertmt.registry.records import Run
from bertmt.services.plan import recipes
from bertmt.services.plan.preset_list import known_presets


def presets_beside(folder: Path) -> Mapping[str, Preset]:
    """The presets that new runs can start from, the user's own last."""
    return known_presets(folder)


def recipe_beside(folder: Path, preset_name: str, run: Run | None) -> Recipe:
    """The recipe to start from, which knows all tasks that it may name; see `open_recipe`."""
    return recipes.open_recipe(preset_name, run, folder)
