"""Recipes as files, as JSON and on the command line: a valid recipe that survives storing, or sentences."""

import itertools
import json
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from mutations import VALUES, WEIRD_TEXTS, damaged_bytes, damaged_document, damaged_text, mostly
from sentences import answered

from bertmt.recipe.loading import (
    flatten,
    from_json,
    matching_preset,
    parse_assignments,
    parse_sweeps,
    presets,
    read_toml,
    to_json,
    to_toml,
)
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import conflicts, read_values, recipe_from, remarks, resolved
from bertmt.recipe.space import draws, in_words, parse_space
from bertmt.services.plan.user_settings import read_user_settings

RECIPES = st.sampled_from([each.recipe() for each in presets().values()])
NAMES = mostly(st.sampled_from(sorted(SETTINGS)), damaged_text(st.sampled_from(sorted(SETTINGS)), 1))
ORDINARY = """
    1 0 -1 1e3 1e-5 true off sst,para [sst] none toy tiny nan inf 1_000 ٣ 1e999 0x10 +5 ~nobody 0.5 20 rank minilm
"""
WORDS = st.sampled_from([*ORDINARY.split(), "", "\0", "\ud800", "9" * 5000]) | damaged_text(
    st.sampled_from(["2e-5", "sst,para,sts", "bert-base-uncased", "alternate", "rank", "20"]), 2
)


def check_recipe(recipe: Recipe) -> None:
    """What every valid recipe keeps."""
    full = resolved(recipe)
    assert conflicts(full) == [] and resolved(full) == full
    assert from_json(to_json(full)) == full
    assert recipe_from(flatten(tomllib.loads(to_toml(full)))) == full
    assert all(isinstance(each, str) and each for each in remarks(full))
    matching_preset(full)


FILES = RECIPES.flatmap(
    lambda recipe: st.sampled_from([to_toml(recipe), to_toml(recipe, comments=False), "epochs = 3\n[lora]\nrank = 4\n"])
).map(str.encode)


@given(content=mostly(damaged_bytes(FILES), st.binary(max_size=60)))
@example(content=b"epochs = " + b"9" * 5000)
@example(content=b"a = " + b"[" * 5000)
@example(content=b"x." * 2000 + b"y = 1")
@example(content=b"epochs = 2024-01-01")
def test_any_recipe_file_is_a_recipe_or_a_sentence(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "recipe.toml"
    file.write_bytes(content)
    with answered():
        check_recipe(recipe_from(read_toml(file)))


DOCUMENTS = damaged_document(json.loads(to_json(resolved(recipe_from({"lora.rank": 20, "data": "toy"}))))).map(
    json.dumps
)


@given(text=mostly(DOCUMENTS | damaged_text(DOCUMENTS | RECIPES.map(to_json), 2), VALUES.map(json.dumps)))
@example(text="[" * 100_000)
@example(text='{"epochs": ' + "9" * 5000 + "}")
@example(text='{"a":' * 900 + "1" + "}" * 900)
@example(text="null")
@example(text='{"": {}}')
def test_any_json_is_a_recipe_or_a_sentence(text: Any) -> None:
    with answered():
        check_recipe(from_json(text))


@given(words=mostly(st.lists(st.tuples(NAMES, WORDS).map("=".join), max_size=4), st.lists(WEIRD_TEXTS, max_size=2)))
def test_any_words_after_set_are_a_recipe_or_sentences(words: Any) -> None:
    with answered():
        check_recipe(recipe_from(parse_assignments(words)))


SWEEPS = st.tuples(NAMES, st.lists(WORDS, max_size=4).map(",".join)).map("=".join)


@given(words=mostly(st.lists(SWEEPS, max_size=3), st.lists(WEIRD_TEXTS, max_size=2)))
def test_any_words_after_sweep_are_combinations_or_sentences(words: Any) -> None:
    with answered():
        combinations = parse_sweeps(words)
        assert len({json.dumps(each) for each in combinations}) == len(combinations) >= 1
        for each in combinations[:20]:
            check_recipe(recipe_from(each))


SPACES = st.tuples(NAMES, st.lists(WORDS, max_size=4).map(",".join) | st.tuples(WORDS, WORDS).map("..".join)).map(
    "=".join
)


@given(words=mostly(st.lists(SPACES, max_size=3), st.lists(WEIRD_TEXTS, max_size=2)))
@example(words=["learning_rate=1e-300..1e300"])
@example(words=["warmup_steps=0..9223372036854775807"])
@example(words=["weight_decay=0..1.7e308"])
def test_any_words_after_over_are_a_space_of_values_that_can_be_set_or_sentences(words: Any) -> None:
    with answered():
        space = parse_space(words)
        for drawn in itertools.islice(draws(space, 0), 20):
            parsed, problems = read_values(in_words(drawn))
            assert not problems and set(parsed) == set(drawn)


DEFAULTS = b'# Defaults\ndata = "~/data"\nencoder = "tiny"\nepochs = 3\nextra_data_file = "pairs.jsonl.gz"\n'


@given(content=damaged_bytes(st.just(DEFAULTS)))
@example(content=b'data = "~nobody/data"')
@example(content=b"a = " + b"[" * 5000)
@example(content=b"data = " + b"9" * 5000)
def test_any_file_of_defaults_is_settings_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bertmt.toml").write_bytes(content)
    with answered():
        check_recipe(recipe_from(read_user_settings(tmp_path)))
