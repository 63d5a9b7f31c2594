"""Properties over every valid recipe, and over input that nobody meant."""

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bertmt.errors import BertmtError, RecipeError
from bertmt.recipe.loading import (
    flatten,
    from_json,
    matching_preset,
    parse_assignments,
    parse_sweeps,
    preset,
    presets,
    to_json,
    to_toml,
)
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import conflicts, recipe_from, resolved, unresolved
from bertmt.recipe.settings import Setting


def values_of(setting: Setting) -> st.SearchStrategy[Any] | st.SearchStrategy[object]:
    """Any legal value of a setting."""
    bounds: dict[str, Any] = {"min_value": setting.minimum, "max_value": setting.maximum}
    kinds: dict[str, Callable[[], Any]] = {
        "bool": lambda: st.booleans(),
        "int": lambda: st.integers(int(setting.minimum or 0), int(setting.maximum or 2**40)),
        "float": lambda: (
            st.floats(0, 1e6, exclude_min=True)
            if setting.above is not None
            else st.floats(**bounds, allow_nan=False, allow_infinity=False)
        ),
        "str": lambda: (
            st.sampled_from(setting.choices)
            if setting.choices
            else st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(str.strip)
        ),
        "texts": lambda: st.lists(st.sampled_from(["mine.py:f", "mine.py:g 0.5", "ideas/b.py:h"]), max_size=2).map(
            tuple
        ),
        "list": lambda: st.sets(st.sampled_from(setting.choices), min_size=1).map(
            lambda chosen: tuple(choice for choice in setting.choices if choice in chosen)
        ),
    }
    if setting.name.endswith(".module"):
        return st.sampled_from(["", "mine.py:Head"])
    strategy: st.SearchStrategy[Any] = kinds[setting.kind]()
    return st.none() | strategy if setting.optional else strategy


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any valid recipe: a preset's neighbourhood or a wild one, without the combinations that cannot work."""
    base = draw(st.sampled_from([Recipe(), *(each.recipe() for each in presets().values())]))
    names = draw(st.sets(st.sampled_from(sorted(SETTINGS)), max_size=12))
    recipe = base.with_values({name: draw(values_of(SETTINGS[name])) for name in sorted(names)})
    assume(not conflicts(recipe))
    return recipe


# Whatever a file or a command line may hold.
RAW = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted(SETTINGS)) | st.text()


@given(recipes())
def test_a_recipe_survives_toml(recipe: Recipe) -> None:
    assert recipe_from(flatten(tomllib.loads(to_toml(recipe)))) == recipe
    assert recipe_from(flatten(tomllib.loads(to_toml(recipe, comments=False)))) == recipe


@given(recipes())
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert from_json(to_json(recipe)) == recipe
    assert from_json(to_json(recipe)).digest() == recipe.digest()


@given(recipes())
def test_a_resolved_recipe_is_valid_stays_in_its_preset_and_resolves_to_itself(recipe: Recipe) -> None:
    full = resolved(recipe)
    assert conflicts(full) == []
    assert resolved(full) == full
    assert from_json(to_json(full)) == full
    assert matching_preset(full) == matching_preset(recipe)


@given(recipes())
def test_leaving_out_what_resolving_fills_loses_nothing(recipe: Recipe) -> None:
    full = resolved(recipe)
    assert resolved(unresolved(full)) == full
    assert unresolved(unresolved(full)) == unresolved(full)


@given(recipes())
def test_a_recipe_survives_the_command_line(recipe: Recipe) -> None:
    flat = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in recipe.flat().items()}
    typed = [f"{name}={value}" for name, value in flat.items()]
    assert recipe_from(parse_assignments(typed)) == recipe


@given(recipes(), recipes())
def test_recipes_of_one_preset_agree_on_every_toggle(one: Recipe, other: Recipe) -> None:
    same = resolved(one).toggles() == resolved(other).toggles()
    assert same or matching_preset(one) is None or matching_preset(one) != matching_preset(other)


@given(st.dictionaries(NAMES, RAW, max_size=6))
@settings(max_examples=300)
def test_any_dictionary_becomes_a_valid_recipe_or_a_list_of_sentences(values: dict[Any, Any]) -> None:
    try:
        recipe = recipe_from(values)
    except RecipeError as refused:
        assert refused.problems and all(isinstance(each, str) and each for each in refused.problems)
    else:
        assert conflicts(recipe) == []
        assert from_json(to_json(recipe)) == recipe


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.text(), max_size=6))
def test_any_text_after_set_becomes_a_valid_recipe_or_a_list_of_sentences(values: dict[Any, Any]) -> None:
    try:
        assert conflicts(recipe_from(values)) == []
    except RecipeError as refused:
        assert refused.problems


@given(st.text() | RAW.map(lambda raw: json.dumps(raw, default=repr)))
def test_any_json_text_becomes_a_recipe_or_a_recipe_error(text: Any) -> None:
    try:
        assert isinstance(from_json(text), Recipe)
    except RecipeError as refused:
        assert refused.problems


@given(st.lists(st.text() | st.tuples(NAMES, st.text()).map("=".join), max_size=3))
def test_any_sweep_is_parsed_or_refused_in_a_sentence(texts: list[Any]) -> None:
    try:
        combinations = parse_sweeps(texts)
    except BertmtError as refused:
        assert str(refused)
    else:
        assert len({json.dumps(each) for each in combinations}) == len(combinations) >= 1


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_survives_toml_json_and_resolving(name: str) -> None:
    recipe = resolved(preset(name).recipe())
    assert recipe_from(flatten(tomllib.loads(to_toml(recipe)))) == recipe == from_json(to_json(recipe))
