"""Recipes from files and from the command line."""

from pathlib import Path

import pytest

from bertmt.errors import NotFoundError, RecipeError, UsageError
from bertmt.recipe.loading import (
    differences,
    flatten,
    from_json,
    parse_assignments,
    parse_sweeps,
    read_toml,
    to_json,
    to_toml,
)
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.rules import recipe_from
from bertmt.recipe.settings import Role


def test_set_splits_at_the_first_equals_sign() -> None:
    assert parse_assignments(["lora.rank=20", " data = a=b "]) == {"lora.rank": "20", "data": "a=b"}


def test_the_last_of_two_assignments_to_one_setting_wins() -> None:
    assert parse_assignments(["epochs=1", "epochs=2"]) == {"epochs": "2"}


def test_set_accepts_an_empty_value() -> None:
    assert parse_assignments(["learning_rate="]) == {"learning_rate": ""}


@pytest.mark.parametrize("text", ["epochs", "=3", " =3", ""])
def test_set_without_key_or_equals_sign_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--set expects KEY=VALUE"):
        parse_assignments([text])


def test_no_sweep_is_one_empty_combination() -> None:
    assert parse_sweeps([]) == [{}]


def test_one_sweep_is_one_run_per_value_in_the_order_given() -> None:
    assert parse_sweeps(["lora.rank=200,20,100"]) == [{"lora.rank": "200"}, {"lora.rank": "20"}, {"lora.rank": "100"}]


def test_two_sweeps_are_all_their_combinations() -> None:
    found = parse_sweeps(["lora.rank=20,100", "learning_rate=1e-5,3e-5"])
    assert [(each["lora.rank"], each["learning_rate"]) for each in found] == [
        ("20", "1e-5"), ("20", "3e-5"), ("100", "1e-5"), ("100", "3e-5")
    ]  # fmt: skip


def test_a_value_given_twice_in_a_sweep_is_taken_once() -> None:
    assert parse_sweeps(["lora.rank=20, 20 ,100,"]) == [{"lora.rank": "20"}, {"lora.rank": "100"}]


def test_a_setting_swept_twice_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--sweep lora\.rank is given twice"):
        parse_sweeps(["lora.rank=20", "lora.rank=100"])


def test_members_of_a_list_are_joined_by_plus_in_a_sweep() -> None:
    combinations = parse_sweeps(["tasks=sst+para,sts"])
    assert [recipe_from(each).tasks for each in combinations] == [("sst", "para"), ("sts",)]


@pytest.mark.parametrize("text", ["lora.rank", "lora.rank=", "lora.rank= , ", "=1,2"])
def test_a_sweep_without_key_or_values_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sweep expects KEY=V1,V2"):
        parse_sweeps([text])


def test_a_sweep_of_an_unknown_setting_gets_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match=r"did you mean `lora\.rank`"):
        parse_sweeps(["lora.rnk=1,2"])


def test_toml_tables_and_dotted_names_read_alike(tmp_path: Path) -> None:
    recipe = tmp_path / "my.toml"
    recipe.write_text('tasks = ["sts"]\nlora = { rank = 20 }\n\n[sst_head]\nlayers = 2\n')
    assert read_toml(recipe) == {"tasks": ["sts"], "lora.rank": 20, "sst_head.layers": 2}


def test_a_missing_recipe_file_says_which_command_writes_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="bertmt recipe --preset final"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"epochs = \n", "line 1"),
        (b"epochs = 1\nepochs = 2\n", "line 2"),
        (b"encoder = '\xff'", "utf-8"),
        (b"a = " + b"[" * 5000, "no TOML file"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_in_a_sentence(tmp_path: Path, content: bytes, named: str) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(content)
    with pytest.raises(UsageError, match=named):
        read_toml(broken)


def test_a_folder_in_place_of_a_recipe_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(tmp_path)


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", "null", '{"epochs": NaN}', "[" * 100_000, '{"epochs": 0}'])
def test_json_that_is_no_recipe_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(RecipeError):
        from_json(text)


def test_json_of_an_older_version_takes_defaults_for_what_is_new() -> None:
    assert from_json('{"seed": 4}') == Recipe(seed=4)


def test_toml_carries_every_setting_that_has_a_value_with_its_help() -> None:
    text = to_toml(Recipe(data="toy"))
    for name, setting in SETTINGS.items():
        leaf = name.rpartition(".")[2]
        assert (f"\n{leaf} = " in f"\n{text}") == (Recipe().value(name) is not None) or "." in name
        assert setting.help in text or Recipe().value(name) is None


def test_toml_without_comments_is_smaller_and_says_the_same() -> None:
    assert "#" not in to_toml(Recipe(), comments=False)


def test_a_path_with_any_character_survives_toml_and_json(tmp_path: Path) -> None:
    recipe = recipe_from({"data": 'C:\\données\\"x"\t\x7f\x1f\u2028😀#'})
    file = tmp_path / "recipe.toml"
    file.write_text(to_toml(recipe), encoding="utf-8")
    assert recipe_from(read_toml(file)) == recipe
    assert from_json(to_json(recipe)) == recipe


def test_differences_name_both_values_and_can_be_limited_to_a_role() -> None:
    changed = recipe_from({"lora.rank": 20, "epochs": 3, "seed": 5})
    assert differences(changed, Recipe()) == {"lora.rank": (0, 20), "epochs": (10, 3), "seed": (0, 5)}
    assert differences(changed, Recipe(), [Role.SCALE]) == {"epochs": (10, 3)}


def test_nested_tables_flatten_to_dotted_names() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": 2, "e": {}}) == {"a.b.c": 1, "d": 2}
