"""What may be searched, and what is drawn."""

import itertools
import math
from typing import Any

import pytest

from bertmt.errors import UsageError
from bertmt.recipe.space import draws, in_words, parse_space


def drawn(count: int, *texts: str, seed: int = 0) -> list[dict[str, Any]]:
    return list(itertools.islice(draws(parse_space(texts), seed), count))


def test_a_rate_is_drawn_by_its_logarithm_and_within_its_ends() -> None:
    rates = [each["learning_rate"] for each in drawn(2000, "learning_rate=1e-5..1e-3")]
    assert min(rates) >= 1e-5 and max(rates) <= 1e-3
    # Half of the draws lie below the geometric mean; drawn evenly, 9 % would.
    assert 0.45 < sum(rate < 1e-4 for rate in rates) / len(rates) < 0.55
    assert all(float(f"{rate:.2e}") == rate for rate in rates), "three digits, to be read and typed"


def test_even_nine_draws_are_spread_over_all_of_a_range_and_every_choice_comes() -> None:
    for seed in range(20):
        found = drawn(9, "learning_rate=1e-4..1e-2", "r_drop=0,1,2", seed=seed)
        assert 3 <= sum(each["learning_rate"] < 1e-3 for each in found) <= 6, seed
        assert {each["r_drop"] for each in found} == {0.0, 1.0, 2.0}


def test_a_narrow_range_is_drawn_evenly() -> None:
    values = [each["head_dropout"] for each in drawn(800, "head_dropout=0.1..0.5")]
    assert abs(sum(values) / len(values) - 0.3) < 0.02


def test_a_range_that_begins_at_nothing_is_drawn_evenly() -> None:
    assert 0.45 < sum(each["r_drop"] for each in drawn(900, "r_drop=0..1")) / 900 < 0.55


def test_whole_numbers_are_whole_and_both_ends_come() -> None:
    assert {each["warmup_steps"] for each in drawn(6, "warmup_steps=0..5")} == set(range(6))
    ranks = [each["lora.rank"] for each in drawn(60, "lora.rank=1..64")]
    assert all(isinstance(rank, int) and 1 <= rank <= 64 for rank in ranks)
    assert sum(rank <= 8 for rank in ranks[:20]) >= 6, "evenly, 2 or 3 would"


def test_choices_are_read_as_the_setting_has_them() -> None:
    [axis] = parse_space(["surgery=true,false"])
    assert axis.values == (True, False)
    assert parse_space(["number_loss=none,cosent"])[0].values == (None, "cosent")


def test_a_path_is_no_range_and_a_number_stays_whole() -> None:
    assert parse_space(["encoder=../mine,tiny"])[0].values == ("../mine", "tiny")
    assert in_words({"weight_decay": 0.123456789}) == {"weight_decay": "0.123456789"}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    space = ("learning_rate=1e-5..1e-4", "r_drop=0,1,2")
    assert drawn(5, *space) == drawn(5, *space) == drawn(9, *space)[:5] != drawn(5, *space, seed=1)


def test_each_recipe_is_drawn_once_and_a_small_space_is_used_up() -> None:
    found = drawn(100, "r_drop=0,1,2", "surgery=true,false")
    assert len(found) == 6 == len({tuple(each.values()) for each in found})


def test_values_are_told_as_set_takes_them() -> None:
    words = in_words({"learning_rate": 3.2e-05, "surgery": False, "number_loss": None, "lora.rank": 4})
    assert words == {"learning_rate": "3.2e-05", "surgery": "false", "number_loss": "none", "lora.rank": "4"}
    assert math.isclose(float(words["learning_rate"]), 3.2e-5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat=1..2", "did you mean `learning_rate`?"),
        ("learning_rate=1e-4..1e-5", "learning_rate=0.0001..1e-05 is empty"),
        ("learning_rate=1e-4..1e-4", "is empty"),
        ("learning_rate=1e-5..", "expects a range LOW..HIGH"),
        ("learning_rate=1..2..3", "expects a range LOW..HIGH"),
        ("learning_rate=a..b", "`learning_rate` must be a number"),
        ("head_dropout=0..2", "at most 0.9"),
        ("surgery=0..1", "has no numbers to take a range of: list its values, as in surgery=true,false"),
        ("pooling=mean..max", "list its values, as in pooling=mean,cls"),
        ("pooling=mean,sum", "`pooling` must be one of"),
        ("r_drop=1", "leaves nothing to choose from '1': use --set"),
        ("r_drop=1,1.0", "leaves nothing to choose"),
        ("r_drop", "--over expects KEY=LOW..HIGH or KEY=A,B,C"),
        ("seed=1,2", "the best of several seeds is luck"),
        ("tasks=sst,para", "scores of other tasks are not comparable"),
        ("keep_model=true,false", "it changes no score"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_space([text])
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_search_over_nothing_and_one_setting_given_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="needs something to search over"):
        parse_space([])
    with pytest.raises(UsageError, match="--over r_drop is given twice"):
        parse_space(["r_drop=0,1", "r_drop=2,3"])
