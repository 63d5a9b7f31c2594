"""The letters that a list of runs has for a recipe."""

import json

from bertmt.recipe.loading import preset, to_json
from bertmt.recipe.marks import OFF, toggle_marks


def test_a_stored_recipe_with_defaults_alone_has_no_mark() -> None:
    """In JSON a tuple is a list."""
    stored = json.loads(to_json(preset("baseline").recipe()))
    assert set(toggle_marks(stored)) == {OFF}
    assert toggle_marks(stored | {"losses": ["mine.py:f"]}).endswith("+")
