"""Looking at a recipe's encoder before anything is queued."""

from collections.abc import Mapping

from bertmt import paths
from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.errors import RecipeError
from bertmt.recipe.recipe import Recipe


def check_encoder(recipe: Recipe) -> tuple[Recipe, Mapping[str, str]]:
    """The recipe with a local encoder folder made absolute, since the child and later predictions start elsewhere; and
    the fingerprints of the encoder's parts.

    Raises:
        EncoderError: the encoder is not at hand, cannot work, or has no layers that `lora.targets` names.
        RecipeError: its positions are fewer than an input's tokens, or nothing can be trained: it is an average.
    """
    if recipe.members:
        raise RecipeError(
            [
                f"`members` is set by `bertmt average` alone, and an average is not trained: `bertmt queue --from "
                f"{recipe.members[0]}` trains the first of its runs again, or set members= to nothing."
            ]
        )
    found = find_encoder(recipe.encoder)
    if recipe.longest_input > recipe.max_length and recipe.longest_input > found.positions:
        raise RecipeError(
            [
                f"`pair_input` {recipe.pair_input} reads two sentences of `max_length` {recipe.max_length} as one, but "
                f"{recipe.encoder} has only {found.positions} positions: use max_length={found.positions // 2}."
            ]
        )
    if recipe.max_length > found.positions:
        raise RecipeError(
            [f"`max_length` is {recipe.max_length}, but {recipe.encoder} has only {found.positions} positions."]
        )
    if recipe.lora.rank:
        found.family.targets(recipe.lora.targets)
    marks = encoder_fingerprints(found)
    named = paths.expanded(recipe.encoder)
    if named.is_dir() and named.samefile(found.folder):
        return recipe.with_values({"encoder": str(named.absolute())}), marks
    return recipe, marks
