"""`bertmt init`: looks at what a user wants as defaults, then writes them to `bertmt.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.encoders.find import find_encoder
from bertmt.errors import EncoderError, Problems, RecipeError, UsageError
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import read_recipe
from bertmt.recipe.settings import Role
from bertmt.services.plan.data_check import check_data
from bertmt.services.plan.user_settings import write_user_settings
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import TOY


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


def write_defaults(folder: Path, values: Mapping[str, Any], problems: Problems | None = None) -> Defaults:
    """Check the values and write them to `bertmt.toml` in `folder`; other settings there keep their value.

    Args:
        problems: what is wrong with the request already; it is told together with what is found here.

    Raises:
        UsageError: nothing is named, or a toggle, which belongs to a recipe.
        RecipeError: a value is not valid, or several problems.
        DataError: no task's data can be read there, or not the extra pairs.
    """
    problems = Problems() if problems is None else problems
    if not values and not problems:
        raise UsageError("Name what to make a default: --data DIR, --extra-data FILE, --encoder NAME, --set KEY=VALUE.")
    for name in values:
        if name in SETTINGS and SETTINGS[name].role is Role.TOGGLE:
            said = f"`{name}` is a toggle and belongs to a recipe: use `bertmt queue --set {name}=…`."
            problems.add(UsageError(said))
    recipe, found, _ = read_recipe(values)
    if found:
        problems.add(RecipeError(found))
    sizes, warnings = _data(recipe, problems)
    problems.raise_all()
    if "encoder" in values:
        try:
            find_encoder(recipe.encoder)
        except EncoderError as problem:  # it may be fetched later: a default may come before its weights
            warnings.append(str(problem))
    read = {name: recipe.value(name) for name in values}
    return Defaults(write_user_settings(folder, read), sizes, tuple(warnings))


def _data(recipe: Recipe, problems: Problems) -> tuple[dict[str, int], list[str]]:
    """Sizes of the splits of every task that is there; a folder need not hold all three."""
    sizes: dict[str, int] = {}
    warnings: list[str] = []
    if recipe.data:
        missing = Problems()
        for task in BUILTIN:
            checked = missing.attempt(check_data, recipe.with_values({"tasks": (task,), "extra_data": False}))
            sizes |= checked.sizes if checked else {}
            warnings += checked.warnings if checked else ()
        if sizes and missing:  # a folder of one task is one, too
            warnings += missing.error().problems
        elif missing:
            problems.add(missing.error())
    if recipe.extra_data_file:
        takers = tuple(name for name, task in recipe.known.items() if task.extra_pairs and not task.source)
        checked = problems.attempt(check_data, recipe.with_values({"data": TOY, "tasks": takers, "extra_data": True}))
        sizes |= {name: size for name, size in checked.sizes.items() if name.endswith("-extra")} if checked else {}
        warnings += checked.warnings if checked else ()
    return sizes, warnings
