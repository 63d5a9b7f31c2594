"""`bertmt init`: looks at what a user wants as defaults, then writes them to `bertmt.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.errors import DataError, EncoderError, UsageError
from bertmt.models.find_encoder import find_encoder
from bertmt.recipe.recipe import SETTINGS, TASK_NAMES, Recipe
from bertmt.recipe.rules import recipe_from, unknown_name
from bertmt.recipe.settings import Role
from bertmt.services.data_check import check_data
from bertmt.services.user_settings import write_user_settings


@dataclass(frozen=True)
class Defaults:
    """What was written, and what a user should know of it.

    Attributes:
        sizes: "<task>-<split>" to numbers of examples, of the data named.
        warnings: what is not at hand yet, and rows that were skipped; sentences.
    """

    path: Path
    sizes: Mapping[str, int]
    warnings: tuple[str, ...]


def write_defaults(folder: Path, values: Mapping[str, Any]) -> Defaults:
    """Check the values and write them to `bertmt.toml` in `folder`; other settings there keep their value.

    Raises:
        UsageError: nothing is named, or a toggle, which belongs to a recipe.
        RecipeError: a value is not valid.
        DataError: no task's data can be read there.
    """
    if not values:
        raise UsageError("Name what to make a default: --data DIR, --extra-data FILE, --encoder NAME, --set KEY=VALUE.")
    for name in values:
        if name not in SETTINGS:
            raise UsageError(unknown_name(name))
        if SETTINGS[name].role is Role.TOGGLE:
            raise UsageError(f"`{name}` is a toggle and belongs to a recipe: use `bertmt queue --set {name}=…`.")
    recipe = recipe_from(values)
    sizes, warnings = _data(recipe, values)
    if "encoder" in values:
        try:
            find_encoder(recipe.encoder)
        except EncoderError as problem:  # it may be fetched later: a default may come before its weights
            warnings.append(str(problem))
    read = {name: recipe.value(name) for name in values}
    return Defaults(write_user_settings(folder, read), sizes, tuple(warnings))


def _data(recipe: Recipe, values: Mapping[str, Any]) -> tuple[dict[str, int], list[str]]:
    """Sizes of the splits of every task that is there; a folder need not hold all three."""
    sizes: dict[str, int] = {}
    warnings: list[str] = []
    problems: list[DataError] = []
    if recipe.data:
        for task in TASK_NAMES:
            try:
                checked = check_data(recipe.with_values({"tasks": (task,)}))
            except DataError as problem:
                problems.append(problem)
                continue
            sizes |= checked.sizes
            warnings += checked.warnings
        if len(problems) == len(TASK_NAMES):
            raise problems[0]
        warnings += [sentence for problem in problems for sentence in problem.problems]
    if values.get("extra_data_file"):
        pairs = {"data": "toy", "tasks": ("para",), "extra_data": True}
        checked = check_data(recipe.with_values(pairs))
        sizes["para-extra"] = checked.sizes["para-extra"]
        warnings += checked.warnings
    return sizes, warnings
