"""How a recipe names losses and heads of a user's own."""

from typing import Any

import pytest

from bertmt.errors import RecipeError
from bertmt.recipe.loading import from_json, matching_preset, preset, to_json
from bertmt.recipe.own_code import OwnCode, OwnLoss, own_code, own_losses, parse_loss, with_digests
from bertmt.recipe.rules import recipe_from

DIGEST = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mine.py:f", OwnLoss(OwnCode("mine.py", "f", ""), "", 1.0)),
        ("ideas/mine.py:f sst", OwnLoss(OwnCode("ideas/mine.py", "f", ""), "sst", 1.0)),
        ("mine.py:f 0.5", OwnLoss(OwnCode("mine.py", "f", ""), "", 0.5)),
        (f"mine.py:f sst 0.25 #{DIGEST}", OwnLoss(OwnCode("mine.py", "f", DIGEST), "sst", 0.25)),
    ],
)
def test_an_entry_is_read_and_written_alike(text: str, expected: OwnLoss) -> None:
    assert parse_loss(text) == expected and str(expected) == text


@pytest.mark.parametrize("text", ["mine.py", "mine.txt:f", "mine.py:f sst 0.5 more", "mine.py:f nan", "mine.py:1f"])
def test_what_is_none_gets_a_sentence(text: str) -> None:
    with pytest.raises(RecipeError, match=r"`losses` must name functions such as mine\.py:my_loss"):
        recipe_from({"losses": [text]})


@pytest.mark.parametrize("values", [{"losses": ["[" * 3000]}, {"head.sst.module": "[" * 3000}])
def test_a_sentence_quotes_no_endless_text(values: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="must name") as refused:
        recipe_from(values)
    assert len(str(refused.value)) < 300


def test_a_task_that_is_not_trained_gets_a_sentence() -> None:
    with pytest.raises(RecipeError, match="`losses` names the task sts, but `tasks` is sst"):
        recipe_from({"tasks": "sst", "losses": "mine.py:f sts"})


def test_the_source_is_part_of_what_the_recipe_is() -> None:
    recipe = recipe_from({"losses": "mine.py:f, mine.py:g sst 2", "head.sst.module": "other.py:H"})
    one = with_digests(recipe, {"mine.py": DIGEST, "other.py": DIGEST})
    other = with_digests(recipe, {"mine.py": DIGEST[::-1], "other.py": DIGEST})
    assert len({recipe.digest(), one.digest(), other.digest(), recipe_from({}).digest()}) == 4
    assert [str(code) for code in own_code(one)] == [
        f"mine.py:f #{DIGEST}",
        f"mine.py:g #{DIGEST}",
        f"other.py:H #{DIGEST}",
    ]
    assert with_digests(one, {}) == one and from_json(to_json(one)) == one
    assert [each.weight for each in own_losses(one)] == [1, 2]
    assert matching_preset(one) is None and matching_preset(preset("baseline").recipe()) == "baseline"


def test_where_the_file_lies_is_no_part_of_it() -> None:
    values = [{"losses": f"{at}mine.py:f sst 2", "head.sst.module": f"{at}mine.py:H"} for at in ("", "/home/a/")]
    recipes = [recipe_from(each) for each in values]
    assert len({each.digest() for each in recipes}) == 2, "without a source, who knows whether it is one file"
    one, same = (with_digests(each, {"mine.py": DIGEST, "/home/a/mine.py": DIGEST}) for each in recipes)
    assert one != same and one.digest() == same.digest()
    others = [{"losses": "mine.py:g sst 2"}, {"losses": "mine.py:f para 2"}, {"losses": "mine.py:f sst 3"}]
    changed = [with_digests(recipe_from(values[0] | each), {"mine.py": DIGEST}).digest() for each in others]
    assert len({one.digest(), *changed}) == 4


@pytest.mark.parametrize(("weight", "text"), [("0.12345678", "0.12345678"), ("2.0", "2"), ("1234567e-1", "123456.7")])
def test_a_weight_is_kept_as_it_is(weight: str, text: str) -> None:
    loss = parse_loss(f"mine.py:f sst {weight}")
    assert str(loss) == f"mine.py:f sst {text}" and parse_loss(str(loss)) == loss
