"""Recipes as files, as JSON and on the command line: a valid recipe that survives storing, or sentences."""

import json
import tomllib

import pytest
from fuzzing import shards
from hypothesis import strategies as st
from mutations import VALUES, WEIRD_TEXTS, damaged_bytes, damaged_document, damaged_text, mostly

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
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import conflicts, recipe_from, remarks, resolved
from bertmt.services.plan.user_settings import read_user_settings

RECIPES = st.sampled_from([each.recipe() for each in presets().values()])
NAMES = mostly(st.sampled_from(sorted(SETTINGS)), damaged_text(st.sampled_from(sorted(SETTINGS)), 1))
ORDINARY = """
    1 0 -1 1e3 1e-5 true off sst,para [sst] none toy tiny nan inf 1_000 ٣ 1e999 0x10 +5 ~nobody 0.5 20 rank minilm
"""
WORDS = st.sampled_from([*ORDINARY.split(), "", "\0", "\ud800", "9" * 5000]) | damaged_text(
    st.sampled_from(["2e-5", "sst,para,sts", "bert-base-uncased", "alternate", "rank", "20"]), 2
)


def check_recipe(recipe):
    """What every valid recipe keeps."""
    full = resolved(recipe)
    assert conflicts(full) == [] and resolved(full) == full
    assert from_json(to_json(full)) == full
    assert recipe_from(flatten(tomllib.loads(to_toml(full)))) == full
    assert all(isinstance(each, str) and each for each in remarks(full))
    matching_preset(full)


@pytest.mark.parametrize("shard", shards("recipe file"))
def test_any_recipe_file_is_a_recipe_or_a_sentence(shard, tmp_path):
    file = tmp_path / "recipe.toml"
    texts = RECIPES.flatmap(
        lambda recipe: st.sampled_from(
            [to_toml(recipe), to_toml(recipe, comments=False), "epochs = 3\n[lora]\nrank = 4\n"]
        )
    )

    def check(content):
        file.write_bytes(content)
        check_recipe(recipe_from(read_toml(file)))

    examples = [b"epochs = " + b"9" * 5000, b"a = " + b"[" * 5000, b"x." * 2000 + b"y = 1", b"epochs = 2024-01-01"]
    shard.run(mostly(damaged_bytes(texts.map(str.encode)), st.binary(max_size=60)), check, examples)


@pytest.mark.parametrize("shard", shards("recipe JSON"))
def test_any_json_is_a_recipe_or_a_sentence(shard):
    flat = json.loads(to_json(resolved(recipe_from({"lora.rank": 20, "data": "toy"}))))
    documents = damaged_document(flat).map(json.dumps)
    texts = mostly(documents | damaged_text(documents | RECIPES.map(to_json), 2), VALUES.map(json.dumps))
    examples = ["[" * 100_000, '{"epochs": ' + "9" * 5000 + "}", '{"a":' * 900 + "1" + "}" * 900, "null", '{"": {}}']
    shard.run(texts, lambda text: check_recipe(from_json(text)), examples)


@pytest.mark.parametrize("shard", shards("--set"))
def test_any_words_after_set_are_a_recipe_or_sentences(shard):
    words = mostly(st.lists(st.tuples(NAMES, WORDS).map("=".join), max_size=4), st.lists(WEIRD_TEXTS, max_size=2))
    shard.run(words, lambda given: check_recipe(recipe_from(parse_assignments(given))))


@pytest.mark.parametrize("shard", shards("--sweep"))
def test_any_words_after_sweep_are_combinations_or_sentences(shard):
    values = st.lists(WORDS, max_size=4).map(",".join)
    words = mostly(st.lists(st.tuples(NAMES, values).map("=".join), max_size=3), st.lists(WEIRD_TEXTS, max_size=2))

    def check(given):
        combinations = parse_sweeps(given)
        assert len({json.dumps(each) for each in combinations}) == len(combinations) >= 1
        for each in combinations[:20]:
            check_recipe(recipe_from(each))

    shard.run(words, check)


@pytest.mark.parametrize("shard", shards("bertmt.toml"))
def test_any_file_of_defaults_is_settings_or_a_sentence(shard, tmp_path):
    valid = b'# Defaults\ndata = "~/data"\nencoder = "tiny"\nepochs = 3\nextra_data_file = "pairs.jsonl.gz"\n'

    def check(content):
        (tmp_path / "bertmt.toml").write_bytes(content)
        check_recipe(recipe_from(read_user_settings(tmp_path)))

    examples = [b'data = "~nobody/data"', b"a = " + b"[" * 5000, b"data = " + b"9" * 5000]
    shard.run(damaged_bytes(st.just(valid)), check, examples)
