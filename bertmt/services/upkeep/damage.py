"""The search for damage in a registry, with what the registry itself cannot know: whether a recipe could be one."""

import json

from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import read_values
from bertmt.registry.database import Database
from bertmt.registry.file.impossible_values import first_damage, is_object
from bertmt.tasks.task import Tasks


def damage_of(database: Database) -> str | None:
    """The first damage that is found, in words that fit between brackets; None where there is none."""
    return first_damage(database, _is_recipe)


def _is_recipe(text: str, known: Tasks) -> bool:
    """An object whose known settings have legal values; what a newer version added may be there or not."""
    if not is_object(text):
        return False
    read, problems = read_values({name: value for name, value in json.loads(text).items() if name in SETTINGS}, known)
    return "tasks" in read and not problems
