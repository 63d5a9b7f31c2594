"""The recipe by which data are looked at where nobody queues anything: which data, which encoder, which length."""

from dataclasses import dataclass
from pathlib import Path

from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.services.plan.embedded import embedded_defaults
from bertmt.services.plan.recipes import DEFAULT_PRESET, open_recipe
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks.loading import TOY


@dataclass(frozen=True)
class Looked:
    """How data are looked at.

    Attributes:
        chose_encoder: a person named the encoder.
        reason: where the name of the data comes from, in words.
    """

    recipe: Recipe
    chose_encoder: bool
    reason: str


def looked(folder: Path, newest_data: str = "") -> Looked:
    """As new runs would read data: what `bertmt.toml` names; else what the newest run read, else the embedded data.

    Args:
        folder: of the registry.
        newest_data: of the newest run; "" where there is none.

    Raises:
        UsageError: `bertmt.toml` cannot be read.
    """
    said = read_user_settings()
    base = open_recipe(DEFAULT_PRESET, None, folder)
    values = dict(embedded_defaults(said))
    reason = "named in bertmt.toml"
    if not base.data:
        values["data"] = newest_data or TOY
        reason = "those of the newest run" if newest_data else "embedded, since none are named"
    return Looked(resolved(recipe_from(values, base)), "encoder" in said, reason)
